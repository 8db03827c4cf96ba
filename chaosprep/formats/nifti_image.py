"""NIfTI-1 files as images: volumes of 2, 3 or 4 dimensions."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.header_texts import may_name
from chaosprep.formats.image_faults import KIND, as_image, no_grey, split_sizes, two_files
from chaosprep.formats.nifti import TYPES, rescale, stored_voxels
from chaosprep.formats.nifti_header import (
    FIRST_VOXEL,
    HEADER,
    NiftiHeader,
    lattice_of,
    of_one_volume,
    parse,
    unpacked,
    unreadable,
)
from chaosprep.formats.packed import GZIP
from chaosprep.formats.volume_image import Volumes, volume_format

_WHAT = "NIfTI"
# nifti1.h, "NIFTI1_DATATYPES": those that hold other than one number a voxel.
_OTHERS = {1: "single bits", 32: "complex numbers", 128: "RGB colours", 1536: "128-bit numbers"}
_OTHERS |= {1792: "complex numbers", 2048: "complex numbers", 2304: "RGBA colours"}
# nifti1.h, "struct nifti_1_header": where text stands, as bytes of the header.
_TEXTS = {"data_type": (4, 14), "db_name": (14, 32), "descrip": (148, 228), "aux_file": (228, 252)}
_TEXTS |= {"intent_name": (328, 344)}
_DIM, _VOX_OFFSET = 40, 108
_NIFTI_2 = 540  # nifti2.h: the size of its header
_MAGIC = slice(344, 348)


def read_volumes(data: bytes) -> Volumes:
    """What the header of a NIfTI-1 file says of an image; of the file, its beginning is enough.

    Raises:
        FileError: `image-unreadable`, `image-kind`, `image-beside`, and what `lattice_of` and
            `rescale` raise.
    """
    return _volumes(data, lambda header: header)


def read_unplaced(data: bytes) -> Volumes:
    """The same of a file whose header does not agree where its voxels lie: by their number alone.

    Raises:
        FileError: as `read_volumes`, but for what `lattice_of` raises of the place.
    """
    ones = (1.0,) * 8
    return _volumes(data, lambda header: replace(header, qform_code=0, sform_code=0, pixdim=ones))


def _volumes(data: bytes, told: Callable[[NiftiHeader], NiftiHeader]) -> Volumes:
    with as_image(_WHAT):
        raw = _raw(data)
        header = told(parse(data))
        if raw[_MAGIC] == b"ni1\0":
            raise two_files()
        if header.datatype not in TYPES:
            raise no_grey(_WHAT, _OTHERS.get(header.datatype, f"data type {header.datatype}"))
        shape, count = split_sizes(_WHAT, _sizes(header))
        is_flat = header.dim[0] < 3
        lattice = lattice_of(of_one_volume(header, shape))
        slope, intercept = rescale(header)
        return Volumes(
            what=_WHAT,
            lattice=lattice.of_one_slice(),
            kind=np.dtype(header.order + TYPES[header.datatype]),
            voxels=partial(_voxels, data, header, shape, count),
            packed=len(data),
            count=count,
            slope=slope,
            intercept=intercept,
            nowhere=None if header.is_placed else "its qform_code and sform_code are 0",
            flat=is_flat and not header.pixdim[3] > 0,
            texts=_texts(raw, header),
        )


def _alone(data: bytes, told: Volumes, voxels: NDArray[Any]) -> bytes:
    """A file of one of several volumes, uncompressed, its header the same but for the fourth axis.

    Extensions are left out.
    """
    raw = bytearray(_raw(data))
    order = parse(data).order
    struct.pack_into(f"{order}8h", raw, _DIM, 3, *told.shape, 1, 1, 1, 1)
    struct.pack_into(f"{order}f", raw, _VOX_OFFSET, FIRST_VOXEL)
    return bytes(raw) + bytes(FIRST_VOXEL - HEADER) + voxels.tobytes("F")


def _raw(data: bytes) -> bytes:
    """The bytes of the header."""
    try:
        raw = bytes(unpacked(data, HEADER))
    except (EOFError, OSError, zlib.error):
        raise unreadable() from None
    if raw[:4] in (struct.pack("<i", _NIFTI_2), struct.pack(">i", _NIFTI_2)):
        raise FileError("a NIfTI-2 file", "Save it as NIfTI-1.", code=KIND)
    return raw


def _sizes(header: NiftiHeader) -> tuple[int, ...]:
    count = header.dim[0]
    sizes = header.dim[1 : count + 1]
    if not 1 <= count <= 7 or min(sizes) < 1:
        raise unreadable()
    return sizes


def _voxels(
    data: bytes, header: NiftiHeader, shape: tuple[int, int, int], count: int
) -> NDArray[np.generic]:
    with as_image(_WHAT):
        return stored_voxels(data, header, (*shape, count))


def _texts(raw: bytes, header: NiftiHeader) -> tuple[str, ...]:
    found = [
        name
        for name, (start, end) in _TEXTS.items()
        if may_name(raw[start:end].partition(b"\0")[0].decode("latin-1").strip())
    ]
    return (*found, "extensions") if header.vox_offset > FIRST_VOXEL + 8 else tuple(found)


NIFTI_GZ = volume_format(
    "NIfTI",
    ".nii.gz",
    lambda path, data: path.casefold().endswith((".nii", ".nii.gz")) and data.startswith(GZIP),
    read_volumes,
    _alone,
)
NIFTI = msgspec.structs.replace(
    NIFTI_GZ,
    ending=".nii",
    knows=lambda path, data: path.casefold().endswith((".nii", ".nii.gz", ".hdr", ".img")),
)
