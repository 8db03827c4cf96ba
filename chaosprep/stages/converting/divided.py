"""Stored values divided by a field: what is padding stays that, and nothing else becomes it."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.header import Header
from chaosprep.imaging.measured import Pixels, measured, padded

CLIPPED = "bias field: values that its number type cannot hold were clipped"

_LEVELS = 2**15  # of the values of a case, where they are windowed: 8 bits show 2^8


def window_step(slices: Sequence[Pixels]) -> float:
    """The power of two in whose multiples corrected values are windowed.

    The range of the values holds 2^15 of them or more: few enough to be counted one by one, and far
    more than 8 bits show.
    """
    shown = [values for values in (measured(*pixels) for pixels in slices) if values.size]
    low = min((float(values.min()) for values in shown), default=0.0)
    high = max((float(values.max()) for values in shown), default=0.0)
    width = high - low
    return 2.0 ** math.floor(math.log2(width / _LEVELS)) if 0 < width < math.inf else 1.0


def divided(
    header: Header, array: NDArray[Any], field: NDArray[np.float32], step: float | None
) -> Pixels:
    """A slice (rows, cols) whose modality units were divided by a field; padding keeps its value.

    With a `step` the values become floats, multiples of it. Without, they keep their type: integers
    are rounded, and a note says where some were clipped.
    """
    zero = -header.rescale_intercept / header.rescale_slope  # the stored value of no signal
    with np.errstate(over="ignore", invalid="ignore"):
        values = (array.astype(np.float64) - zero) / field + zero
    outside = padded(header, array)
    made: NDArray[Any]
    if step is not None:
        kind = np.result_type(array.dtype, np.float32)
        made = (np.rint(values / step) * step).astype(kind)
        changed = replace(header, dtype=made.dtype.name)
    elif array.dtype.kind == "f":
        changed, made = header, values.astype(array.dtype)
    else:
        changed, made = _whole(header, array.dtype, values, outside)
    if header.padding is not None:
        _keep_apart(made, array, header.padding)
    if outside is not None:
        made[outside] = array[outside]
    return changed, made


def _whole(
    header: Header,
    dtype: np.dtype[Any],
    values: NDArray[np.float64],
    outside: NDArray[np.bool_] | None,
) -> Pixels:
    """The values as integers, with the bits that they need."""
    low, high = float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    high = high if dtype.itemsize < 8 else float(np.nextafter(high, 0))
    whole = np.rint(values)
    beyond = (whole < low) | (whole > high)
    if outside is not None:
        beyond &= ~outside
    made = np.clip(whole, low, high).astype(dtype)
    most = max(int(made.max()), -int(made.min()) - 1) if made.size else 0
    bits = max(header.bits_stored, most.bit_length() + (dtype.kind == "i"))
    notes = (*header.notes, CLIPPED) if beyond.any() else header.notes
    return replace(header, bits_stored=bits, notes=notes), made


def _keep_apart(made: NDArray[Any], array: NDArray[Any], padding: tuple[float, float]) -> None:
    """Move values that came among those of padding to the next one on the side they came from."""
    low, high = padding
    among = (made >= low) & (made <= high)
    for moved, end, towards in ((array < low, low, -np.inf), (array > high, high, np.inf)):
        if (among & moved).any():
            made[among & moved] = _next(made.dtype, end, towards)


def _next(dtype: np.dtype[Any], value: float, towards: float) -> Any:  # noqa: ANN401 - of dtype
    if dtype.kind != "f":
        return dtype.type(math.ceil(value) - 1 if towards < 0 else math.floor(value) + 1)
    return np.nextafter(dtype.type(value), dtype.type(towards))
