"""Windows: exact percentiles of a case's stored values, and the mapping to 8 bit."""

import sys
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_SMALLEST = -(2**15)  # of int16; the table reaches up to the largest uint16
_TABLE = 2**15 + 2**16
_SIGN = 2**15  # flipped, it makes int16's bits rise with the value
_EXACT_IN_FLOAT32 = 2**24  # OpenCV counts in float32
_AT_ONCE = 2**18  # pixels; NumPy makes eight bytes of each


class Histogram:
    """Counts of stored values over any number of slices; its size depends on the values alone.

    Integers of up to 16 bits are counted in one table, wider ones (and finite floats) value by
    value, so that every answer is exact.
    """

    def __init__(self) -> None:
        self._table = np.zeros(_TABLE, dtype=np.int64)
        self._others: dict[float, int] = {}

    def add(self, array: NDArray[np.integer] | NDArray[np.floating]) -> None:
        """Count the values of an array of any shape."""
        if array.dtype.kind in "iu" and array.dtype.itemsize <= 2:
            if array.size:
                first, counts = count_values(array)
                self._table[first - _SMALLEST :][: counts.size] += counts
            return
        values, counts = np.unique(array, return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            self._others[value] = self._others.get(value, 0) + count

    def minmax(self) -> tuple[float, float]:
        """Give the smallest and the largest value. Raises `ValueError` where there is none."""
        values, _ = self._counts()
        return float(values[0]), float(values[-1])

    def percentile_window(self, low: float = 0.5, high: float = 99.5) -> tuple[float, float]:
        """Give two percentiles, as ``np.percentile(all values as float64, [low, high])`` does.

        Linear interpolation between the two nearest values (Hyndman and Fan's type 7). Raises
        `ValueError` where nothing was counted.
        """
        values, counts = self._counts()
        cumulative = np.cumsum(counts)
        return _percentile(values, cumulative, low), _percentile(values, cumulative, high)

    def _counts(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give the values that occur, ascending, and how often each does."""
        seen = np.flatnonzero(self._table)
        values = np.concatenate([seen + _SMALLEST, np.fromiter(self._others, np.float64)])
        counts = np.concatenate([self._table[seen], np.fromiter(self._others.values(), np.int64)])
        if not values.size:
            raise ValueError("the histogram is empty")
        # A value may stand in both parts: harmless, equal neighbours interpolate to themselves.
        order = np.argsort(values, kind="stable")
        return values[order].astype(np.float64), counts[order]


def count_values(array: NDArray[Any]) -> tuple[int, NDArray[np.int64]]:
    """Count integers of up to 16 bits, in an array of any shape that is not empty.

    Returns the smallest of them, and how often each is from there on.
    """
    values = array.reshape(1, -1)  # OpenCV goes row by row, and is slow on short ones
    low, high = int(values.min()), int(values.max())
    cv2 = _opencv()
    if cv2 is None:
        return low, _counted(values[0], low, high)
    sign = _SIGN if values.dtype.kind == "i" else 0
    ends = [low + sign, high + sign + 1]
    counts = np.zeros(high - low + 1, np.int64)
    for start in range(0, values.size, _EXACT_IN_FLOAT32):
        part = values[:, start : start + _EXACT_IN_FLOAT32]
        if part.dtype != np.uint8:
            part = part.astype(f"{part.dtype.kind}2", copy=False).view(np.uint16)
        bits = part ^ np.uint16(sign) if sign else part
        counts += cv2.calcHist([bits], [0], None, [counts.size], ends).ravel().astype(np.int64)
    return low, counts


def _counted(values: NDArray[Any], low: int, high: int) -> NDArray[np.int64]:
    counts = np.zeros(high - low + 1, np.int64)
    for start in range(0, values.size, _AT_ONCE):
        places = values[start : start + _AT_ONCE].astype(np.intp) - low
        counts += np.bincount(places, minlength=counts.size)
    return counts


def _opencv() -> Any:  # noqa: ANN401 - the module, or None
    """OpenCV, where this process has loaded it.

    It takes half as long as NumPy, but loading it takes as long as some hundred slices.
    """
    found = sys.modules.get("cv2")
    return found if hasattr(found, "LUT") else None  # another thread may be loading it


def _percentile(
    values: NDArray[np.float64], cumulative: NDArray[np.int64], percent: float
) -> float:
    rank = (int(cumulative[-1]) - 1) * (percent / 100)
    below = int(rank)
    above = min(below + 1, int(cumulative[-1]) - 1)
    left, right = (
        float(values[np.searchsorted(cumulative, index, side="right")]) for index in (below, above)
    )
    weight, step = rank - below, right - left
    # numpy's _lerp, which comes from the nearer end, to the last bit.
    return left + step * weight if weight < 0.5 else right - step * (1 - weight)


def apply_window(array: NDArray[np.number], low: float, high: float) -> NDArray[np.uint8]:
    """Map stored values to 8 bit, in the array's shape: ``low`` becomes 0, ``high`` 255.

    rint((x - low) * 255 / (high - low)) in float64, half to even, clipped to 0..255; all zeros
    where ``high <= low``. For many slices build a `window_table` once and use `apply_table`.
    """
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 2:
        return apply_table(array, window_table(low, high, array.dtype))
    return _scale(array, low, high)


def window_table(low: float, high: float, dtype: DTypeLike) -> NDArray[np.uint8]:
    """Tabulate `apply_window` for `every_value` of an integer dtype of 8 or 16 bits."""
    return _scale(every_value(np.dtype(dtype)), low, high)


def every_value(dtype: np.dtype[Any]) -> NDArray[np.integer]:
    """Give each value of an integer dtype of 8 or 16 bits, as `apply_table` takes a table.

    They are in the order of their bits read as unsigned, so that -1 of int16 is the last.
    """
    unsigned = _unsigned(dtype)
    every = np.arange(2 ** (8 * dtype.itemsize), dtype=unsigned)
    return every.view(dtype.newbyteorder("="))


def apply_table(array: NDArray[np.number], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Map stored values, of the dtype that the `window_table` was built for, to 8 bit."""
    unsigned = _unsigned(array.dtype)
    if table.size != 2 ** (8 * unsigned.itemsize):
        raise ValueError(f"a table of {table.size} entries does not fit {array.dtype.name}")
    if not array.size:
        return np.zeros(array.shape, np.uint8)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    flat = np.ascontiguousarray(native).view(unsigned).reshape(1, -1)
    cv2 = _opencv()
    if cv2 is None:
        return np.take(table, flat).reshape(array.shape)
    return np.asarray(cv2.LUT(flat, table), np.uint8).reshape(array.shape)


def _unsigned(dtype: np.dtype[Any]) -> np.dtype[np.unsignedinteger]:
    if dtype.kind not in "iu" or dtype.itemsize > 2:
        raise TypeError(f"no table for {dtype.name}: only for integers of 8 or 16 bits")
    return np.dtype(np.uint8 if dtype.itemsize == 1 else np.uint16)


def _scale(array: NDArray[np.number], low: float, high: float) -> NDArray[np.uint8]:
    if not high > low:
        return np.zeros(array.shape, dtype=np.uint8)
    with np.errstate(over="ignore"):  # a window as wide as all numbers: an end of the scale
        scaled = (array.astype(np.float64) - low) * 255 / (high - low)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
