"""Grey values for a network: about 0 to 1, alike for windowed and for stored values."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stacking import originals
from chaosprep.imaging.header import Header
from chaosprep.imaging.measured import comparable, filled, padded, stored
from chaosprep.imaging.windows import Histogram

Scale = Literal["case", "none"]


@dataclass(frozen=True)
class Scaling:
    """The two values of a case that become 0 and 1, and what stands for padding.

    They are stored values, or, where the slices differ in their rescale, modality units, in which
    they can be compared (`comparable`).
    """

    low: float
    high: float
    in_units: bool = False
    lowest: float | None = None

    def filled(self, header: Header, image: NDArray[Any]) -> NDArray[Any]:
        """The stored values of a slice (rows, cols), its padding dark."""
        return filled(header, image, self.lowest)

    def scaled(self, header: Header, image: NDArray[Any]) -> NDArray[np.float32]:
        """The image with the ends mapped to 0 and 1, not clipped; float32, of the same shape."""
        low, high = self.low, self.high
        if self.in_units:
            low, high = stored(header, low), stored(header, high)
        return (image.astype(np.float32) - np.float32(low)) / np.float32(high - low)


WINDOWED = Scaling(0.0, 255.0)


def case_scaling(case: Case, scale: Scale = "case") -> Scaling:
    """How a case is scaled: from 0 to 255 where it was windowed, else between two percentiles.

    The percentiles are 0.5 and 99.5 over all original slices, padding left out: what `convert`
    takes as its window. With ``none`` values stay as they are, but for padding.

    Raises:
        FileError: a slice cannot be read.
    """
    if scale == "none":
        return Scaling(0.0, 1.0, lowest=case.lowest())
    rows = originals(case) or case.slices
    if all(row.window_source != "none" for row in rows):
        return WINDOWED
    in_units = len({(row.slope, row.intercept, row.bits_stored) for row in rows}) > 1
    histogram, count = Histogram(), 0
    for row in rows:
        header, image = case.pixels(row)
        values = _measured(row, header, image)
        histogram.add(comparable(header, values) if in_units else values)
        count += values.size
    low, high = histogram.percentile_window() if count else (0.0, 1.0)
    return Scaling(low, high if high > low else low + 1, in_units, case.lowest())


def _measured(row: Slice, header: Header, image: NDArray[Any]) -> NDArray[Any]:
    """The values of a slice that show the scan: no padding, neither its own nor a new grid's."""
    outside = padded(header, image)
    for axis, name in enumerate(("rows", "cols")) if row.grid is not None else ():
        assert row.grid is not None
        places = np.arange(image.shape[axis])
        source = row.grid["offset"][axis] + row.grid["step"][axis] * places
        shown = (source > -0.5) & (source < row.grid[name] - 0.5)
        if shown.any():
            image = image.compress(shown, axis=axis)
            outside = None if outside is None else outside.compress(shown, axis=axis)
    return image if outside is None else image[~outside]
