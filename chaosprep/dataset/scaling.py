"""Grey values for a network: about 0 to 1, alike for windowed and for stored values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import CaseScaling, Slice
from chaosprep.dataset.restacked import is_restacked, shown_of
from chaosprep.dataset.stacking import originals
from chaosprep.imaging.header import Ends, Header
from chaosprep.imaging.intensity.normalizations import NORMALIZATIONS
from chaosprep.imaging.measured import Pixels, check_polarity, comparable, filled, measured, padded
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

    def values(self, header: Header, image: NDArray[Any]) -> NDArray[Any]:
        """What is to be `scaled` of a slice (rows, cols): its padding is dark."""
        if not self.in_units:
            return filled(header, image, self.lowest)
        units, outside = comparable(header, image), padded(header, image)
        return units if outside is None else np.where(outside, self.lowest or 0.0, units)

    def scaled(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """The values with the ends mapped to 0 and 1, not clipped; float32, of the same shape."""
        kind = np.result_type(values.dtype, np.float32)  # float64 where float32 is too coarse
        low, width = kind.type(self.low), kind.type(self.high - self.low)
        part: NDArray[Any] = values.astype(kind)
        part -= low
        part /= width
        return part.astype(np.float32, copy=False)

    def shown(self, header: Header, image: NDArray[Any]) -> NDArray[np.float32]:
        """A slice as a network sees it, (rows, cols)."""
        return self.scaled(self.values(header, image))


WINDOWED = Scaling(0.0, 255.0)


def case_scaling(case: Case, scale: Scale = "case") -> Scaling:
    """How a case is scaled: from 0 to 255 where it was windowed, else between two percentiles.

    The percentiles are 0.5 and 99.5 over all original slices, padding left out: what `convert`
    takes as its window. A case that was normalized is scaled as all others were, by the ends of
    their common scale. Where the table has these, no file is read. With ``none`` values stay as
    they are, but for padding.

    Raises:
        FileError: a slice cannot be read; `polarity`, see `check_polarity`.
    """
    rows = originals(case) or case.slices
    known = told_scaling(rows) or _normalized(case, rows)
    if scale == "none":
        return Scaling(0.0, 1.0, lowest=case.lowest() if known is None else known.lowest)
    if all(row.window_source != "none" for row in rows):
        return WINDOWED
    return known or measured_scaling(rows, case.pixels, case.lowest)


def measured_scaling(
    rows: Sequence[Slice],
    pixels: Callable[[Slice], Pixels],
    lowest: Callable[[], float | None],
) -> Scaling:
    """How a case of these slices is scaled by their values, as `Case.pixels` gives them.

    Raises:
        FileError: what `pixels` raises; `polarity`, see `check_polarity`.
    """
    ends, rescales = _ends(rows, pixels, in_units=False)
    check_polarity(slope < 0 for slope, _ in rescales)
    in_units = len(rescales) > 1
    if in_units:
        ends, _ = _ends(rows, pixels, in_units=True)
    low, high = ends
    return Scaling(low, high if high > low else low + 1, in_units, lowest())


class Measuring:
    """Finds how a case of these slices is scaled, as `measured_scaling` does, one after another.

    They are those that a stage wrote: the table tells the rescale and the padding of each.
    """

    def __init__(self, rows: Sequence[Slice]) -> None:
        self._rescales = {(row.slope, row.intercept) for row in rows}
        self._padded = any(row.padding is not None for row in rows)
        self._histogram, self._count = Histogram(), 0
        self._lowest: list[float] = []

    def add(self, row: Slice, image: NDArray[Any]) -> None:
        """Take the values of a slice as stored, (rows, cols)."""
        header = header_of(row, image)
        values = _measured(row, header, image)
        in_units = len(self._rescales) > 1
        self._histogram.add(comparable(header, values) if in_units else values)
        self._count += values.size
        shown = measured(header, image) if self._padded else values[:0]
        if shown.size:
            self._lowest.append(float(comparable(header, shown.min())))

    def scaling(self) -> Scaling:
        """What was found.

        Raises:
            FileError: `polarity`, see `check_polarity`.
        """
        check_polarity(slope < 0 for slope, _ in self._rescales)
        low, high = self._histogram.percentile_window() if self._count else (0.0, 1.0)
        high = high if high > low else low + 1
        return Scaling(low, high, len(self._rescales) > 1, min(self._lowest, default=None))


def header_of(row: Slice, values: NDArray[Any]) -> Header:
    """What `Case.pixels` tells of a slice that a stage wrote, as far as its values matter."""
    return Header(
        rows=row.rows,
        cols=row.cols,
        dtype=values.dtype.name,
        bits_stored=row.bits_stored,
        rescale_slope=row.slope,
        rescale_intercept=row.intercept,
        padding=row.padding,
    )


def told_scaling(rows: Sequence[Slice]) -> Scaling | None:
    """What the table has of a case of these originals.

    None where it has nothing, slices were taken out since, or rows differ: it is not used then.
    """
    found = rows[0].scaling
    if not found or found.slices != len(rows) or any(row.scaling != found for row in rows):
        return None
    return Scaling(found.low, found.high, found.in_units, found.lowest)


def _normalized(case: Case, rows: Sequence[Slice]) -> Scaling | None:
    """How a normalized case is scaled, whatever its values are: alike with all others."""
    ends = normalized_ends(rows)
    return None if ends is None else Scaling(*ends, in_units=True, lowest=case.lowest())


def normalized_ends(rows: Sequence[Slice]) -> Ends | None:
    """What is shown as 0 and 1 of slices that one method normalized, in units of their scale."""
    methods = {row.normalization.method if row.normalization else None for row in rows}
    if len(methods) > 1 or (method := methods.pop()) is None:
        return None
    return NORMALIZATIONS[method].ends


def recorded(scaling: Scaling, slices: int) -> CaseScaling:
    """A scaling of so many slices as a table has it."""
    return CaseScaling(
        low=scaling.low,
        high=scaling.high,
        in_units=scaling.in_units,
        lowest=scaling.lowest,
        slices=slices,
    )


def _ends(
    rows: Sequence[Slice], pixels: Callable[[Slice], Pixels], *, in_units: bool
) -> tuple[Ends, set[tuple[float, float]]]:
    """The two percentiles, and every slope and intercept that the slices have as they are shown."""
    histogram, count, rescales = Histogram(), 0, set()
    for row in rows:
        header, image = pixels(row)
        rescales.add((header.rescale_slope, header.rescale_intercept))
        values = _measured(row, header, image)
        histogram.add(comparable(header, values) if in_units else values)
        count += values.size
    return histogram.percentile_window() if count else (0.0, 1.0), rescales


def _measured(row: Slice, header: Header, image: NDArray[Any]) -> NDArray[Any]:
    """The values of a slice that show the scan: no padding, neither its own nor a new grid's."""
    outside = padded(header, image)
    if is_restacked(row):
        shown = shown_of(row) if outside is None else shown_of(row) & ~outside
        return image[shown]
    for axis, name in enumerate(("rows", "cols")) if row.grid is not None else ():
        assert row.grid is not None
        places = np.arange(image.shape[axis])
        source = row.grid["offset"][axis] + row.grid["step"][axis] * places
        shown = (source > -0.5) & (source < row.grid[name] - 0.5)
        if shown.any():
            image = image.compress(shown, axis=axis)
            outside = None if outside is None else outside.compress(shown, axis=axis)
    return image if outside is None else image[~outside]
