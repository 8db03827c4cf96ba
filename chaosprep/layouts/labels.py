"""Label arrays: whole numbers from 0 to 65535, whatever type a mask file has them in."""

import struct
import tokenize
import warnings
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.dicom import Header
from chaosprep.imaging.images import check_size

Labels = NDArray[np.uint8] | NDArray[np.uint16]

MAX_LABELS = 256  # different values in one mask: more are an image, not a label map
_HIGHEST = np.iinfo(np.uint16).max
_BROKEN = (EOFError, MemoryError, SyntaxError, TypeError, ValueError, struct.error, UserWarning)


def as_labels(array: NDArray[Any]) -> Labels:
    """The same values as uint8, or uint16 where one is above 255; any shape.

    Raises:
        FileError: `mask-values`: NaN, fractions, negative or too large values, or an image's many.
    """
    if array.dtype.kind not in "biuf":
        raise _wrong("it holds no numbers")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise _wrong("it holds values that are no number (NaN or infinite)")
        if (array != np.rint(array)).any():
            raise _wrong("it holds fractions")
    low, high = (array.min(), array.max()) if array.size else (0, 0)
    if low < 0 or high > _HIGHEST:
        raise _wrong(f"its values go from {low:g} to {high:g}")
    labels: Labels = array.astype(np.uint8) if high < 256 else array.astype(np.uint16)
    values = np.unique(labels).size
    if values > MAX_LABELS:
        raise _wrong(f"it holds {values} different values")
    return labels


def read_npy(data: bytes, dimensions: int) -> NDArray[Any]:
    """Read an npy array of that many dimensions, numbers or booleans, without a copy.

    Nothing is unpickled, and the announced shape must agree with the bytes that there are.

    Raises:
        FileError: `mask-unreadable`, `mask-kind` (other dimensions) or `too-large`.
    """
    shape, fortran, dtype, start = _npy_header(data)
    if dtype.kind not in "biuf" or dtype.hasobject:
        raise _wrong("it holds no numbers")
    if len(shape) != dimensions or 0 in shape:
        raise FileError(
            f"an npy of {len(shape)} dimensions, {dimensions} were expected",
            "A 2-D array is the mask of a slice, a 3-D one (slices, rows, cols) of a patient.",
            code="mask-kind",
        )
    check_size(*shape[-2:])
    if np.prod(shape, dtype=object) * dtype.itemsize != len(data) - start:
        raise FileError("the npy's shape disagrees with its size", _AGAIN, "mask-unreadable")
    flat = np.frombuffer(data, dtype=dtype, offset=start)
    return flat.reshape(shape, order="F" if fortran else "C")


def check_same_size(shape: tuple[int, ...], header: Header) -> None:
    """Check that a mask is as large as its image.

    Raises:
        FileError: `size-mismatch`.
    """
    if shape != (header.rows, header.cols):
        raise FileError(
            f"the mask is {'x'.join(map(str, shape))} but its image {header.rows}x{header.cols}",
            "Find the mask that was drawn on this image; resizing would blur it.",
            code="size-mismatch",
        )


def _npy_header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    stream = BytesIO(data)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy's, on a header that only Python 2 could write
            shape, fortran, dtype = readers[np.lib.format.read_magic(stream)](stream)
    except (*_BROKEN, LookupError, tokenize.TokenError):
        raise FileError("not a readable npy file", _AGAIN, "mask-unreadable") from None
    return shape, fortran, dtype, stream.tell()


_AGAIN = "Copy or export the file again from its source."


def _wrong(reason: str) -> FileError:
    return FileError(
        f"the mask is no label map: {reason}",
        "Save it with one whole number, from 0 to 65535, for each organ.",
        code="mask-values",
    )
