"""Arrays in npy files, as images and as masks. Nothing is ever unpickled."""

import ast
import warnings
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import BROKEN, RECOPY, FileError
from chaosprep.formats.image_file import ImageFormat, Picture
from chaosprep.formats.mask_file import MaskFormat, Opening
from chaosprep.formats.png import check_slice
from chaosprep.imaging.labels import Labels, as_labels, check_same_size, no_label_map
from chaosprep.imaging.limits import check_size

_MAGIC = b"\x93NUMPY"
_WIDTHS = {_MAGIC + b"\1\0": 2, _MAGIC + b"\2\0": 4}  # bytes of the header's length, by version
_KEYS = {"descr", "fortran_order", "shape"}
_MAX_HEADER = 2**16  # bytes: numpy's has 118, and grows with the dimensions
_IMAGE = "image-unreadable"
_MASK = "mask-unreadable"


def encode_npy(array: NDArray[Any]) -> bytes:
    """Encode a (rows, cols) array of integers or floats: npy 1.0, C order, little endian.

    Raises `TypeError` for another dtype (bool included) and `ValueError` for another shape.
    """
    if array.dtype.kind not in "iuf":
        raise TypeError(f"an npy slice holds integers or floats, not {array.dtype.name}")
    little = np.ascontiguousarray(check_slice(array), dtype=array.dtype.newbyteorder("<"))
    return b"".join((_npy_head(little.dtype.str, little.shape), little.data))


def encode_bits(array: NDArray[np.integer]) -> bytes:
    """Encode a (rows, cols) array of 0 and 1 as booleans, as `encode_npy` does numbers."""
    bits = np.ascontiguousarray(check_slice(array), dtype=np.bool_)
    return b"".join((_npy_head(bits.dtype.str, bits.shape), bits.data))


@lru_cache(maxsize=8)  # the slices of a series share one
def _npy_head(dtype: str, shape: tuple[int, ...]) -> bytes:
    stream = BytesIO()
    said = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, said)
    return stream.getvalue()


def decode_npy(data: bytes | memoryview) -> NDArray[Any]:
    """Decode a (rows, cols) array of integers or floats; C order, native byte order, writable.

    Where the bytes may be written to and lie as the array does, it is a part of them, else a copy.
    Nothing is unpickled, and nothing allocated before the announced shape agrees with the bytes
    that there are. Raises `FileError` ``image-unreadable`` or ``too-large``.
    """
    shape, fortran, dtype, start = _header(data, _IMAGE)
    if dtype.kind not in "iuf" or len(shape) != 2 or min(shape) < 1:
        raise FileError("the npy holds no 2-D array of numbers", RECOPY, _IMAGE)
    check_size(*shape)
    if shape[0] * shape[1] * dtype.itemsize != len(data) - start:
        raise FileError("the npy's shape disagrees with its size", RECOPY, _IMAGE)
    array = np.ndarray(shape, dtype, data, start, order="F" if fortran else "C")
    if array.flags.writeable and dtype.isnative and not fortran:
        return array
    return array.astype(dtype.newbyteorder("="), order="C")


def read_npy(data: bytes, dimensions: int) -> NDArray[Any]:
    """Read an npy array of that many dimensions, numbers or booleans, without a copy.

    Nothing is unpickled, and the announced shape must agree with the bytes that there are.

    Raises:
        FileError: `mask-unreadable`, `mask-kind` (other dimensions) or `too-large`.
    """
    shape, fortran, dtype, start = _header(data, _MASK)
    if dtype.kind not in "biuf" or dtype.hasobject:
        raise no_label_map("it holds no numbers")
    if len(shape) != dimensions or 0 in shape:
        raise FileError(
            f"an npy of {len(shape)} dimensions, {dimensions} were expected",
            "A 2-D array is the mask of a slice, a 3-D one (slices, rows, cols) of a patient.",
            code="mask-kind",
        )
    check_size(*shape[-2:])
    if np.prod(shape, dtype=object) * dtype.itemsize != len(data) - start:
        raise FileError("the npy's shape disagrees with its size", RECOPY, _MASK)
    flat = np.frombuffer(data, dtype=dtype, offset=start)
    return flat.reshape(shape, order="F" if fortran else "C")


class Layout(NamedTuple):
    """How an npy file holds a slice: its (rows, cols), its type, and the byte where it begins."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int


def layout_of(data: bytes) -> Layout | None:
    """How an npy 1.0 file of a slice, (rows, cols) in C order, begins; None for anything else."""
    return _layout_of(data[: len(_MAGIC) + 4 + int.from_bytes(data[8:10], "little")])


@lru_cache(maxsize=8)  # the slices of a series share one
def _layout_of(head: bytes) -> Layout | None:
    try:
        shape, fortran, dtype, start = _header(head, _IMAGE)
    except FileError:
        return None
    is_slice = len(shape) == 2 and min(shape) > 0 and dtype.kind in "biuf" and not dtype.hasobject
    return Layout(shape, dtype, start) if is_slice and not fortran else None


def _header(
    data: bytes | memoryview, code: str
) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """The announced shape, Fortran order, dtype, and where the array begins.

    numpy's own reader would repair the headers of Python 2, for minutes where they are damaged, and
    let True pass in a shape.
    """
    at, width = len(_MAGIC) + 2, _WIDTHS.get(bytes(data[:8]), 0)
    start = at + width + int.from_bytes(data[at : at + width], "little")
    if not width or start > min(len(data), _MAX_HEADER):
        raise FileError("not a readable npy file", RECOPY, code)
    shape, fortran, dtype = _said(bytes(data[at + width : start]), code)
    return shape, fortran, dtype, start


@lru_cache(maxsize=8)  # the slices of a series share one
def _said(head: bytes, code: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """What the literal in a header says."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of Python, on odd literals, and on old type names
            said = ast.literal_eval(head.decode("latin-1"))
            if said.keys() != _KEYS:
                raise ValueError
            dtype = np.lib.format.descr_to_dtype(said["descr"])
    except (*BROKEN, Warning):
        raise FileError("not a readable npy file", RECOPY, code) from None
    shape, fortran = said["shape"], said["fortran_order"]
    whole = isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)
    if not whole or not isinstance(fortran, bool):
        raise FileError("the npy's shape is not a row of whole numbers", RECOPY, code)
    return shape, fortran, dtype


NPY = ImageFormat(
    name="npy",
    ending=".npy",
    knows=lambda path, data: path.endswith(".npy"),
    open=lambda data, max_pixels: Picture(decode_npy, data),
    fresh=True,
)


BY_ORDER = "the mask array has no geometry: its slices were taken in the order of the positions"


class NpyMask:
    """A 3-D array, (slices, rows, cols): its slices are the images in anatomical order.

    Raises:
        FileError: `mask-unreadable`, `mask-kind`, or `mask-count` where no rank can be told.
    """

    note = BY_ORDER
    names: Mapping[int, str] = {}

    def __init__(self, opening: Opening) -> None:
        self._voxels = read_npy(opening.data, dimensions=3)
        self._images = opening.images
        if not len(self._voxels) == opening.count == len(self._images):
            raise FileError(
                f"its {len(self._voxels)} slices cannot be told to {opening.count} images, "
                f"{len(self._images)} readable",
                "Bring back the missing files, or give the mask as NIfTI, which has positions.",
                code="mask-count",
            )

    def plane(self, index: int) -> NDArray[Any]:
        """The slice of that number. Raises `FileError`: `size-mismatch`."""
        plane: NDArray[Any] = self._voxels[index]
        check_same_size(plane.shape, self._images[index])
        return plane

    def surplus(self) -> None:
        """Nothing: the counts agree."""


def slice_labels(data: bytes) -> Labels:
    """The labels of one slice, (rows, cols), from a 2-D array.

    Raises:
        FileError: what `read_npy` and `as_labels` raise.
    """
    return as_labels(read_npy(data, dimensions=2))


NPY_MASK = MaskFormat(
    name="npy",
    endings=(".npy",),
    knows=lambda path, data: path.casefold().endswith(".npy"),
    of_slice=slice_labels,
    of_series=NpyMask,
)
