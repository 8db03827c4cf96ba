"""`convert --bias n4`: the coil's bias field of an MR case, divided out right after reading."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import BiasField, Slice
from chaosprep.dataset.stacking import case_lattice, originals_of
from chaosprep.errors import FileError
from chaosprep.imaging.header import Header
from chaosprep.imaging.intensity.body import body_mask
from chaosprep.imaging.intensity.coarse import Coarse, coarse_axes
from chaosprep.imaging.intensity.n4 import LEVELS, NotFittedError, fit
from chaosprep.imaging.measured import Pixels, padded
from chaosprep.stages.converting.divided import divided, window_step
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.stages.converting.reading import Read

BOUND = 20.0
"""No coil makes the body as many times darker or brighter than its mean."""

_ABSURD = "N4 found a field that no coil has"

Planes = Sequence[NDArray[np.float32]]


@dataclass(frozen=True)
class _Found:
    """The field at each slice, (rows, cols), and what it ranges over within the body."""

    planes: Planes
    least: float
    most: float


def corrected(case: Case, found: Read, params: ConvertParams) -> Read:
    """The slices of a case with its bias field divided out, where that is asked for.

    Where no field can be found they stay as they are, and each says why.

    Raises:
        FileError: `bias-ct`, and what `case_lattice` raises.
    """
    if params.bias == "none" or not found.rows:
        return found
    _refuse_ct(found)
    slices = [found.pixels[row.id] for row in found.rows]
    spacing = case_lattice(originals_of(case.slices)).spacing
    order = {row.id: place for place, row in enumerate(case.slices)}
    places = [order[row.id] for row in found.rows]
    try:
        field = _field(slices, places, (len(case.slices), *slices[0][1].shape), spacing, params)
    except NotFittedError as why:
        told = f"its bias field was not corrected: {why}"
        kept = {row.id: _noted(found.pixels[row.id], told) for row in found.rows}
        return msgspec.structs.replace(found, pixels=kept, bias=None)
    step = None if params.keeps else window_step(slices)
    pixels = {
        row.id: divided(*pixels, plane, step)
        for row, pixels, plane in zip(found.rows, slices, field.planes, strict=True)
    }
    record = BiasField(method=params.bias, least=round(field.least, 6), most=round(field.most, 6))
    return msgspec.structs.replace(found, pixels=pixels, bias=record)


def _refuse_ct(found: Read) -> None:
    """Refuse a case that has no field.

    Raises:
        FileError: `bias-ct`.
    """
    kinds = {found.pixels[row.id][0].modality or _guess(row) for row in found.rows}
    if "CT" in kinds:
        raise FileError(
            "it is CT: no coil lays a field over it, and its values in HU would be lost",
            "Convert CT without --bias, or leave the case out with --on-error skip.",
            code="bias-ct",
        )


def _guess(row: Slice) -> str:
    return "CT" if row.sequence == "ct" else ""


def _noted(pixels: Pixels, note: str) -> Pixels:
    header, array = pixels
    return replace(header, notes=(*header.notes, note)), array


def _field(
    slices: Sequence[Pixels],
    places: Sequence[int],
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    params: ConvertParams,
) -> _Found:
    """The field of a case whose slices lie at these places of a volume.

    Raises:
        NotFittedError: there is none to be told.
    """
    if any(_falls(header, params) for header, _ in slices):
        raise NotFittedError("its modality units fall where it gets brighter, as in MONOCHROME1")
    units = [_units(*pixels) for pixels in slices]
    outside = [padded(*pixels) for pixels in slices]
    blank = np.zeros(shape[1:], bool)
    padding = np.stack([blank if one is None else one for one in outside])
    body = body_mask(np.stack(units), spacing, padding)
    axes = coarse_axes(shape, spacing, params.bias_grid, params.bias_distance, LEVELS)
    coarse = Coarse(axes)
    for place, plane, mask in zip(places, units, body, strict=True):
        coarse.add(place, plane, mask)
    field = fit(axes, *coarse.averages(), params.bias_iterations)
    logs = [field.plane(place) for place in places]
    return _scaled(logs, units, body)


def _falls(header: Header, params: ConvertParams) -> bool:
    """Whether modality units fall where a slice gets brighter, as `read_case` gives it."""
    return header.inverted if params.shows else header.rescale_slope < 0


def _units(header: Header, array: NDArray[Any]) -> NDArray[np.float32]:
    """A slice in modality units, (rows, cols)."""
    with np.errstate(over="ignore", invalid="ignore"):
        units = array * header.rescale_slope + header.rescale_intercept
        return np.asarray(units, np.float32)


def _scaled(
    logs: Sequence[NDArray[np.float64]],
    units: Planes,
    body: NDArray[np.bool_],
) -> _Found:
    """A field whose quotient keeps the mean of the body; outside it stays within its range there.

    Raises:
        NotFittedError: it is none that a coil could have.
    """
    inside = [log[mask] for log, mask in zip(logs, body, strict=True) if mask.any()]
    low, high = min(one.min() for one in inside), max(one.max() for one in inside)
    if not high - low < 2 * math.log(BOUND):
        raise NotFittedError(_ABSURD)
    planes = [np.exp(np.clip(log, low, high) - low) for log in logs]
    before = after = 0.0
    for plane, field, mask in zip(units, planes, body, strict=True):
        values = plane[mask].astype(np.float64)
        before += float(values.sum())
        after += float((values / field[mask]).sum())
    scale = after / before if before > 0 else math.nan
    least, most = scale, scale * math.exp(high - low)
    if not 1 / BOUND < least <= most < BOUND:
        raise NotFittedError(_ABSURD)
    return _Found([(field * scale).astype(np.float32) for field in planes], least, most)
