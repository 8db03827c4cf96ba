"""MetaImage files as images (.mha, .mhd): volumes of 2, 3 or 4 dimensions."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.formats.header_texts import may_name
from chaosprep.formats.image_faults import as_image, no_grey, split_sizes, two_files
from chaosprep.formats.metaimage import TYPES, USED, fields_of, place_of, stored_in
from chaosprep.formats.stored import Stored, unreadable
from chaosprep.formats.volume_image import Volumes, volume_format
from chaosprep.formats.volume_mask import without_size
from chaosprep.imaging.space.lattice import Lattice

_WHAT = "MetaImage"
_NAMES = {code: name for name, code in TYPES.items() if "LONG" not in name or "LONG_LONG" in name}
_SPACE = 3  # dimensions of it
# metaImage.cxx and what ITK adds: fields that hold words of a program.
_OF_PROGRAMS = frozenset(
    ("AnatomicalOrientation", "ITK_InputFilterName", "ITK_sform_corrected", "Modality", "Color")
)


@np.errstate(invalid="ignore", over="ignore")  # what is no number is met later
def read_volumes(data: bytes) -> Volumes:
    """What the header of a MetaImage says of an image; of the file, its beginning is enough.

    Raises:
        FileError: `image-unreadable`, `image-kind`, `image-beside` or `geometry-unknown`.
    """
    with as_image(_WHAT):
        fields, begin = fields_of(data)
        try:
            return _understood(fields, begin, data)
        except (LookupError, ValueError, OverflowError):
            raise unreadable(_WHAT) from None


def _understood(fields: Mapping[str, str], begin: int, data: bytes) -> Volumes:
    if int(fields.get("ElementNumberOfChannels", "1")) != 1:
        raise no_grey(_WHAT, "several numbers a voxel")
    stored = stored_in(fields, begin)
    if stored.beside is not None:
        raise two_files()
    shape, count = split_sizes(_WHAT, stored.sizes)
    dimensions = len(stored.sizes)
    if dimensions < _SPACE:
        lattice, nowhere = _of_picture(fields, shape), "it has two dimensions"
    else:
        lattice, _, without = place_of(fields, shape, dimensions)
        nowhere = without or ""
        _check_apart(fields, dimensions)
    return Volumes(
        what=_WHAT,
        lattice=lattice.of_one_slice(),
        kind=stored.kind,
        voxels=partial(_voxels, stored, data, shape, count),
        packed=len(data),
        count=count,
        nowhere=nowhere or None,
        flat=dimensions < _SPACE,
        texts=_texts(fields),
    )


def _of_picture(fields: Mapping[str, str], shape: tuple[int, int, int]) -> Lattice:
    """The lattice of two axes: how large the pixels are, without a place in the patient."""
    text = fields.get("ElementSpacing", fields.get("ElementSize", ""))
    lengths = [float(one) for one in text.split()]
    if len(lengths) != 2 or not all(0 < length < np.inf for length in lengths):
        raise without_size()
    return Lattice(shape, np.zeros(3), np.diag([*lengths, 1.0]))


def _check_apart(fields: Mapping[str, str], dimensions: int) -> None:
    """Refuse axes of space that are mixed with others. Raises `ValueError`."""
    turn = np.array([float(one) for one in fields.get("TransformMatrix", "").split()])
    if turn.size:
        turn = turn.reshape(dimensions, dimensions)
        if turn[:_SPACE, _SPACE:].any() or turn[_SPACE:, :_SPACE].any():
            raise ValueError


def _voxels(stored: Stored, data: bytes, shape: tuple[int, int, int], count: int) -> NDArray[Any]:
    with as_image(_WHAT):
        return stored.read(Path(), data).reshape(*shape, count, order="F")


def _texts(fields: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        "fields of its own" if name != "Comment" else name
        for name, text in fields.items()
        if name not in USED | _OF_PROGRAMS and may_name(text)
    )[:1]


def _alone(data: bytes, told: Volumes, voxels: NDArray[Any]) -> bytes:
    """A MetaImage of one of several volumes, uncompressed; other fields are left out."""
    spacing = told.lattice.spacing
    turn = (told.lattice.steps / spacing).T.ravel()
    lines = ["ObjectType = Image", "NDims = 3", "BinaryData = True"]
    lines += ["BinaryDataByteOrderMSB = False", "CompressedData = False"]
    if told.nowhere is None:
        lines += [f"TransformMatrix = {_row(turn)}", f"Offset = {_row(told.lattice.origin)}"]
    lines += [f"ElementSpacing = {_row(spacing)}", f"DimSize = {' '.join(map(str, told.shape))}"]
    lines += [f"ElementType = {_NAMES[told.kind.kind + str(told.kind.itemsize)]}"]
    lines += ["ElementDataFile = LOCAL", ""]
    little = voxels.astype(told.kind.newbyteorder("<"), copy=False)
    return "\n".join(lines).encode("ascii") + little.tobytes("F")


def _row(numbers: Sequence[float] | NDArray[np.float64]) -> str:
    return " ".join(repr(float(one)) for one in numbers)


METAIMAGE_IMAGE = volume_format(
    "MetaImage",
    ".mha",
    lambda path, data: path.casefold().endswith((".mha", ".mhd")),
    read_volumes,
    _alone,
)
