"""Files of volumes as other programs write them, to be read as images."""

import gzip
import io
import struct
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

nibabel = pytest.importorskip("nibabel")

AFFINE = np.array([[-1.5, 0, 0, 10], [0, -1.25, 0, 20], [0, 0, 5.5, -30], [0, 0, 0, 1.0]])
"""Of voxels (i, j, k) to RAS mm: rows run to the left, columns to the back."""


def noise(kind: str = "i2", shape: tuple[int, ...] = (5, 4, 3), seed: int = 0) -> NDArray[Any]:
    """Voxels that differ, those of whole numbers up to the ends of their type."""
    draw = np.random.default_rng(seed)
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        return draw.normal(0, 1e3, shape).astype(dtype)
    ends = np.iinfo(dtype)
    return draw.integers(ends.min, ends.max, shape, dtype=dtype.newbyteorder("="), endpoint=True)


def nifti(
    voxels: NDArray[Any],
    affine: NDArray[np.float64] | None = AFFINE,
    *,
    order: Literal["<", ">"] = "<",
    packed: bool = True,
    forms: tuple[int, int] = (1, 1),
    **fields: object,
) -> bytes:
    """A NIfTI-1 file by nibabel: qform and sform with these codes, and some fields of its header.

    ``scl_slope`` and ``scl_inter`` are written as they are; the voxels stay.
    """
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(voxels.dtype.newbyteorder(order))
    with np.errstate(all="ignore"):  # a qform of what is none
        image = nibabel.Nifti1Image(voxels, affine, header)
        if affine is not None:
            image.set_qform(affine, forms[0])
            image.set_sform(affine, forms[1])
    scale = [fields.pop(name, None) for name in ("scl_slope", "scl_inter")]
    for name, value in fields.items():
        image.header[name] = value
    data = bytearray(image.to_bytes())
    for at, number in zip((112, 116), scale, strict=True):
        if number is not None:
            struct.pack_into(f"{order}f", data, at, number)
    return gzip.compress(data, mtime=0) if packed else bytes(data)


def loaded(data: bytes) -> Any:  # noqa: ANN401 - nibabel has no types
    """What nibabel makes of the bytes of a NIfTI-1 file."""
    raw = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    return nibabel.Nifti1Image.from_stream(io.BytesIO(raw))
