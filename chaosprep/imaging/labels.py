"""Label arrays: whole numbers from 0 to 65535, whatever type a mask file has them in."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.header import Header
from chaosprep.imaging.limits import size_text

Labels = NDArray[np.uint8] | NDArray[np.uint16]

MAX_LABELS = 256  # different values in one mask: more are an image, not a label map
_ROUNDED = 1.01e-5  # off a whole number; 1.00001 in float32 is a little farther than 1e-5
_FLOAT32 = 2 * float(np.finfo(np.float32).eps)  # of the value
_HIGHEST = np.iinfo(np.uint16).max


def as_labels(array: NDArray[Any], meeting: int = 0) -> Labels:
    """The same values as uint8, or uint16 where one is above 255; any shape.

    So many values more than a label map has may stand where several labels are ``meeting``.

    What is off a whole number by the rounding of a rescale, 1e-5 or that of float32, becomes it.

    Raises `FileError` ``mask-values`` for NaN, fractions, negative or too large values, and for
    more different ones than a label map has.
    """
    if array.dtype.kind not in "biuf":
        raise no_label_map("it holds no numbers")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise no_label_map("it holds values that are not numbers (NaN or infinite)")
        whole = np.rint(array)
        if (np.abs(array - whole) > np.maximum(_ROUNDED, _FLOAT32 * whole)).any():
            raise no_label_map("it holds fractions")
        array = whole
    low, high = (array.min(), array.max()) if array.size else (0, 0)
    if low < 0 or high > _HIGHEST:
        raise no_label_map(f"its values go from {low:g} to {high:g}")
    labels: Labels = array.astype(np.uint8) if high < 256 else array.astype(np.uint16)
    values = np.unique(labels).size
    if values > MAX_LABELS + meeting:
        raise no_label_map(f"it holds {values} different values")
    return labels


def check_same_size(shape: tuple[int, ...], header: Header) -> None:
    """Raise `FileError` ``size-mismatch`` unless a mask is as large as its image."""
    if shape != (header.rows, header.cols):
        raise FileError(
            f"the mask is {size_text(shape)} but its image {header.rows}x{header.cols}",
            "Find the mask that was drawn on this image; resizing would blur it.",
            code="size-mismatch",
        )


def no_label_map(reason: str) -> FileError:
    """The error of an array that holds no labels."""
    return FileError(
        f"the mask is not a label map: {reason}",
        "Save it with one whole number, from 0 to 65535, for each organ.",
        code="mask-values",
    )
