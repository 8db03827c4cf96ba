"""Grey values for a network: about 0 to 1, alike for windowed and for stored values."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stacking import originals
from chaosprep.imaging.windows import Histogram

Scale = Literal["case", "none"]
Range = tuple[float, float]
"""The two values that become 0 and 1."""

WINDOWED: Range = (0.0, 255.0)
STORED: Range = (0.0, 1.0)


def case_range(case: Case) -> Range:
    """The range of a case: 0 to 255 where it was windowed, else two percentiles.

    The percentiles are 0.5 and 99.5 over all original slices, padding left out: what `convert`
    takes as its window.

    Raises:
        FileError: a slice cannot be read.
    """
    rows = originals(case) or case.slices
    if all(row.window_source != "none" for row in rows):
        return WINDOWED
    histogram = Histogram()
    for row in rows:
        histogram.add(_without_padding(row, case.image(row)))
    low, high = histogram.percentile_window()
    return (low, high) if high > low else (low, low + 1)


def scaled(image: NDArray[Any], ends: Range) -> NDArray[np.float32]:
    """The image with `ends` mapped to 0 and 1, not clipped; float32, of the same shape."""
    low, high = ends
    return (image.astype(np.float32) - np.float32(low)) / np.float32(high - low)


def _without_padding(row: Slice, image: NDArray[Any]) -> NDArray[Any]:
    """The part of a slice on a new grid that shows the scan."""
    if row.grid is None:
        return image
    for axis, name in enumerate(("rows", "cols")):
        places = np.arange(image.shape[axis])
        source = row.grid["offset"][axis] + row.grid["step"][axis] * places
        shown = (source > -0.5) & (source < row.grid[name] - 0.5)
        image = image.compress(shown, axis=axis) if shown.any() else image
    return image
