"""The normalized values of a case, and how they are stored."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import CaseScaling, Normalized
from chaosprep.errors import FileError
from chaosprep.imaging.header import Header
from chaosprep.imaging.intensity.names import NormalizationName
from chaosprep.imaging.intensity.normalization import Scale
from chaosprep.imaging.intensity.normalizations import NORMALIZATIONS
from chaosprep.imaging.intensity.piecewise import Floats, Piecewise
from chaosprep.imaging.measured import comparable, measured
from chaosprep.imaging.space.grids import Grid, place
from chaosprep.stages.converting.bodies import body_values
from chaosprep.stages.converting.landmarks import parsed
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.stages.converting.pixels import Made, constant_note, sampled
from chaosprep.stages.converting.reading import Read

_MOST = 65535


@dataclass(frozen=True)
class Storing:
    """How normalized values are stored: value = stored x slope + intercept.

    What is stored goes from `least` to `most`; `padding` is another number, None without padding.
    """

    dtype: type[np.generic]
    slope: float
    intercept: float
    least: float
    most: float
    padding: float | None

    @property
    def lowest(self) -> float:
        """The least normalized value that can be told."""
        return self.least * self.slope + self.intercept

    def stored(self, values: Floats) -> NDArray[Any]:
        """Normalized values as they are stored, to the nearest."""
        if self.dtype is np.float32:
            return values.astype(np.float32)
        steps = np.rint((values - self.intercept) / self.slope)
        return np.clip(steps, self.least, self.most).astype(self.dtype)


def storing(low: float, high: float, format: str, *, pads: bool) -> Storing:
    """How values from `low` to `high` are stored in a format.

    In a PNG these are the least and the largest number that 16 bits have, but for one that stands
    for padding; so no value is farther from what is stored of it than half a slope.
    """
    if format == "npy":
        least, most = np.float32(low), np.float32(high)
        beyond = float(np.nextafter(least, np.float32(-np.inf))) if pads else None
        return Storing(np.float32, 1.0, 0.0, float(least), float(most), beyond)
    first = 1 if pads else 0
    slope = (high - low) / (_MOST - first) if high > low else 1.0
    return Storing(np.uint16, slope, low - first * slope, first, _MOST, 0.0 if pads else None)


@dataclass(frozen=True)
class NormalizedRule:
    """Makes of a slice (rows, cols) its normalized values on a grid: the rule of one case.

    `fill` are the modality units, `comparable`, that stand for what the grid shows beyond a slice.
    """

    method: NormalizationName
    map: Piecewise
    storing: Storing
    fill: float
    slices: int
    notes: tuple[str, ...]

    def __call__(self, header: Header, array: NDArray[Any], grid: Grid) -> Made:
        """The slice on the grid; padding stays told apart."""
        constant = constant_note(header, array)
        notes = [*self.notes] if constant is None or self.notes else [constant]
        seen, outside = sampled(header, array, grid)
        shown = self.storing.stored(self.map.apply(comparable(header, seen)))
        if outside is not None and self.storing.padding is not None:
            shown[outside] = self.storing.padding
        lowest = self.storing.stored(self.map.apply(np.array([self.fill])))[0]
        return place(grid, shown, lowest), notes, self._columns(header)

    def _columns(self, header: Header) -> dict[str, Any]:
        ends, storing = NORMALIZATIONS[self.method].ends, self.storing
        pads = header.padding is not None and storing.padding is not None
        knots = self.map.negated() if header.rescale_slope < 0 else self.map
        return {
            "bits_stored": 8 * np.dtype(storing.dtype).itemsize,
            "slope": storing.slope,
            "intercept": storing.intercept,
            "padding": (storing.padding, storing.padding) if pads else None,
            "normalization": Normalized(method=self.method, start=knots.start, end=knots.end),
            "scaling": CaseScaling(
                low=ends[0],
                high=ends[1],
                in_units=True,
                lowest=None if storing.padding is None else storing.lowest,
                slices=self.slices,
            ),
        }


def normalized_rule(case: Case, found: Read, params: ConvertParams) -> NormalizedRule:
    """The rule of a case, by the values of its body as they were stored.

    Raises:
        FileError: `landmarks-unknown`, or what `body_values` raises.
    """
    assert params.normalize is not None, "it is asked for"
    method, pixels = params.normalize, [found.pixels[row.id] for row in found.rows]
    scale = _scale_of(case, params)
    body = body_values(found.rows, pixels)
    ends = [comparable(header, _ends(header, array)) for header, array in pixels]
    shown = np.concatenate([np.empty(0), *ends])
    notes = () if body.size == 0 or body.min() < body.max() else (_FLAT,)
    fit = NORMALIZATIONS[method].fit
    map = fit(body if body.size else np.zeros(1), scale)
    low, high = (float(shown.min()), float(shown.max())) if shown.size else (0.0, 0.0)
    least, most = map.apply(np.array([low, high])).tolist()
    pads = any(header.padding is not None for header, _ in pixels)
    how = storing(least, most, params.format, pads=pads)
    return NormalizedRule(method, map, how, low, len(pixels), notes)


_FLAT = "its body has only one value: there is nothing to normalize by, and differences were kept"


def _ends(header: Header, array: NDArray[Any]) -> NDArray[Any]:
    values = measured(header, array)
    return np.array([values.min(), values.max()]) if values.size else values[:0].reshape(-1)


def _scale_of(case: Case, params: ConvertParams) -> Scale | None:
    """The scale of a case's sequence; None where the normalization learns none.

    Raises:
        FileError: `landmarks-unknown`.
    """
    if NORMALIZATIONS[params.normalize or "zscore"].learning is None:
        return None
    if params.landmarks is not None:
        known: dict[str, Scale] = parsed(params.landmarks)
        remedy = "Give --landmarks that have it, or leave the case out with --on-error skip."
    else:
        known = case.planned["learned"]["landmarks"]
        remedy = (
            "Let a patient with this sequence be on the training side, give --landmarks, or leave "
            "the case out with --on-error skip."
        )
    sequence = case.slices[0].sequence
    if sequence not in known:
        have = ", ".join(sorted(known)) or "none"
        raise FileError(
            f"there are no landmarks for the sequence {sequence} (for: {have})",
            remedy,
            code="landmarks-unknown",
        )
    return tuple(known[sequence])
