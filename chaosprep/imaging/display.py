"""A slice as its header asks for it to be shown."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.header import Header
from chaosprep.imaging.voi import Lut, Voi
from chaosprep.imaging.windows import apply_table, apply_window, every_value

Units = Lut | tuple[float, float]
"""How stored values become modality units: a Modality LUT, or slope and intercept."""


def windowed(header: Header, pixels: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Show stored values of any shape as the header asks: uint8, None where it does not ask.

    Modality LUT (else rescale), then VOI LUT (else window), rounded half to even. MONOCHROME1 is
    not inverted. Where that is a plain window, the result is `apply_window`'s. To show a whole
    series alike, give each slice the same header.
    """
    shown = header.voi_lut or header.voi
    if shown is None:
        return None
    if header.linear and header.rescale_slope > 0:
        return None if header.window is None else apply_window(pixels, *header.window)
    units = header.modality_lut or (header.rescale_slope, header.rescale_intercept)
    if pixels.dtype.kind not in "iu" or pixels.dtype.itemsize > 2:
        return _display(pixels, units, shown)
    return apply_table(pixels, _table(pixels.dtype.newbyteorder("="), units, shown))


@lru_cache(maxsize=2)  # the slices of a series share one
def _table(dtype: np.dtype[Any], units: Units, shown: Voi | Lut) -> NDArray[np.uint8]:
    """Tabulate `_display` for an integer dtype of 8 or 16 bits, as `window_table` does."""
    return _display(every_value(dtype), units, shown)


def _display(pixels: NDArray[Any], units: Units, shown: Voi | Lut) -> NDArray[np.uint8]:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # absurd slopes and windows
        if isinstance(units, tuple):
            slope, intercept = units
            values = pixels.astype(np.float64) * slope + intercept
        else:
            values = units.look_up(pixels)
        grey = np.nan_to_num(shown.grey(values))
    return np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)
