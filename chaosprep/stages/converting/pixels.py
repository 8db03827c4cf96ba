"""The pixels that convert writes of a slice: windowed to 8 bits, or as they were stored."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.header import Header
from chaosprep.imaging.measured import darkest, lowest, measured, padded
from chaosprep.imaging.series_window import Window
from chaosprep.imaging.space.grids import Grid, place, sample_image, sample_mask
from chaosprep.imaging.windows import apply_table, apply_window, window_table

SIGNED_OFFSET = 32768
"""Added to signed values in a 16-bit PNG, which knows no sign; taken off the row's intercept."""

_table = lru_cache(maxsize=2)(window_table)  # the slices of a case share one


Dark = Callable[[Header, NDArray[Any]], Any]
"""What stands for padding beside these values of a slice."""

Made = tuple[NDArray[Any], list[str], dict[str, Any]]
"""What is to be written: values, notes, and what they change in the other columns of the row."""


def windowed_slice(header: Header, array: NDArray[Any], grid: Grid, window: Window) -> Made:
    """A slice (rows, cols) in 8 bits on a grid; padding is 0, and MONOCHROME1 inverted.

    Raises:
        FileError: `window`, see `Window.stored`.
    """
    notes = list(window.notes)
    ends = None if window.look else window.stored(header)
    if (constant := constant_note(header, array)) is not None:
        shown = np.zeros((grid.rows.last - grid.rows.first, grid.cols.last - grid.cols.first), "u1")
        notes.append(f"{constant}: written as zeros")
    else:
        seen, outside = sampled(header, array, grid, dark=darkest)
        shown = _shown(header, seen, window, ends)
        if header.inverted:
            shown = 255 - shown
            notes.append("MONOCHROME1: inverted, so that bright is high")
        if outside is not None:
            shown[outside] = 0
    columns = {"bits_stored": 8, "window": ends, "window_source": window.source, "padding": None}
    return place(grid, shown, 0), notes, columns | {"intercept": header.rescale_intercept}


def constant_note(header: Header, array: NDArray[Any]) -> str | None:
    """What to say of a slice that shows nothing."""
    values = measured(header, array)
    if not values.size:
        return "every pixel is padding"
    middle = (size // 2 for size in values.shape)
    if values.item(0) != values.item(*middle):  # as in most slices, where that is soon told
        return None
    if values.min() == values.max():
        where = "" if values.size == array.size else " that is not padding"
        return f"constant image (every pixel{where} is {values.flat[0]})"
    return None


def sampled(
    header: Header, array: NDArray[Any], grid: Grid, dark: Dark = lowest
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """What the grid shows of a slice, and where that is padding; `dark` is mixed in its place."""
    outside = padded(header, array)
    if outside is None:
        return sample_image(grid, array), None
    inside = np.where(outside, array.dtype.type(dark(header, array[~outside])), array)
    return sample_image(grid, inside), sample_mask(grid, outside, "nearest")


def _shown(
    header: Header, array: NDArray[Any], window: Window, ends: tuple[float, float] | None
) -> NDArray[np.uint8]:
    """The array in 8 bit; bright is high in modality units, also where the slope is negative."""
    if ends is None:
        return window.by_look(header, array)
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 2:
        shown = apply_table(array, _table(*ends, array.dtype))
    else:
        shown = apply_window(array, *ends)
    return shown if header.rescale_slope > 0 else 255 - shown


def stored_slice(header: Header, array: NDArray[Any], grid: Grid, fill: float, format: str) -> Made:
    """The stored values of an `upright` slice (rows, cols) on a grid; padding stays what it is.

    `fill` goes where the grid reaches beyond the slice, and into a resample in place of padding.

    Raises:
        FileError: `too-wide`, where 16 bits cannot hold them and a PNG is asked for.
    """
    constant = constant_note(header, array)
    notes = [] if constant is None else [constant]
    shown, ends = array, header.padding
    if not grid.is_identity:
        shown, outside = sampled(header, array, grid, lambda *_: fill)
        if ends is not None and outside is not None:
            shown[outside] = ends[0]
    values, offset = place(grid, shown, fill), 0
    if format == "png":
        values, offset = as_unsigned_16bit(values)
    if offset:
        notes.append(f"signed values: {offset} added in the PNG, and taken off the intercept")
    columns = {
        "bits_stored": 16 if offset else header.bits_stored,
        "intercept": header.rescale_intercept - offset * header.rescale_slope,
        "padding": ends and (ends[0] + offset, ends[1] + offset),
    }
    return values, notes, columns


def as_unsigned_16bit(array: NDArray[Any]) -> tuple[NDArray[np.uint16], int]:
    """Stored values as uint16, which is what a 16-bit PNG holds, and what was added to them.

    Raises:
        FileError: `too-wide` for values that 16 bits cannot hold.
    """
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        return array.astype(np.uint16, copy=False), 0
    if array.dtype.kind == "i" and array.dtype.itemsize <= 2:
        return (array.astype(np.int32) + SIGNED_OFFSET).astype(np.uint16), SIGNED_OFFSET
    raise FileError(
        f"{array.dtype.name} values do not fit in a 16-bit PNG",
        "Use --format npy.",
        code="too-wide",
    )
