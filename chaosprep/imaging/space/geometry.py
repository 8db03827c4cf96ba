"""The anatomical order of a series and its slice spacing, from positions along the normal."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.header import Header, Orientation

SAME_POSITION = 0.01  # mm: closer slices lie at one position
SAME_ORIENTATION = 1e-3  # per direction cosine: 0.06 degrees, above the rounding of headers
_IRREGULAR = 0.05  # of the median step, and in mm
_HEADER_TOLERANCE = 0.01  # of the computed spacing


@dataclass(frozen=True)
class Order:
    """A series in anatomical order; every index is one of the input's.

    ``indices`` in order along the slice normal; ``slice_spacing`` in mm; ``warnings`` on the whole
    series; ``slice_warnings`` by input index; ``duplicates`` are groups of slices that share a
    position within `SAME_POSITION`, each in input order.
    """

    indices: tuple[int, ...]
    slice_spacing: float | None
    warnings: tuple[str, ...] = ()
    slice_warnings: dict[int, tuple[str, ...]] = field(default_factory=dict)
    duplicates: tuple[tuple[int, ...], ...] = ()


def slice_normal(orientation: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the unit normal, (3,), of six direction cosines: row direction x column direction.

    PS3.3 C.7.6.2.1.1. Raises `FileError` ``orientation-broken`` where the two are parallel or zero.
    """
    cosines = np.asarray(orientation, dtype=np.float64)
    normal = np.cross(cosines[:3], cosines[3:])
    length = np.linalg.norm(normal)
    if not length > 1e-6:
        remedy = "Check how the files were anonymised or exported."
        raise FileError("the image orientation spans no plane", remedy, "orientation-broken")
    return np.asarray(normal / length, dtype=np.float64)


def order_series(headers: Sequence[Header]) -> Order:
    """Order slices by position, increasing along the normal; equal positions keep the input order.

    ``slice_spacing`` is the mean step in mm between different positions, the median where one is
    off, rounded to 6 decimals; without positions SpacingBetweenSlices, then SliceThickness, then
    None. A step off the median by more than 5 % and 0.05 mm is a slice warning. Raises `FileError`
    ``orientation-mixed`` where a direction cosine varies by more than `SAME_ORIENTATION`, and
    ``orientation-broken``.
    """
    orientations = [h.image_orientation_patient for h in headers if h.image_orientation_patient]
    positions = [h.image_position_patient for h in headers if h.image_position_patient]
    if not headers or len(orientations) < len(headers) or len(positions) < len(headers):
        return _without_positions(headers)
    normal = slice_normal(_common_orientation(orientations))
    # Rounding lets equal positions tie; a plain sum gives the same bits in any input order.
    along = [
        round(sum(float(p * n) for p, n in zip(position, normal, strict=True)), 6)
        for position in positions
    ]
    indices = tuple(sorted(range(len(headers)), key=along.__getitem__))
    return _measure(headers, indices, along)


def _common_orientation(orientations: Sequence[Orientation]) -> NDArray[np.float64]:
    """Give the median per cosine: the same for any input order, and that of every clean series."""
    cosines = np.asarray(orientations, dtype=np.float64)
    if np.ptp(cosines, axis=0).max() > SAME_ORIENTATION:
        count = len(set(orientations))
        raise FileError(
            f"the slices have {count} different orientations",
            "Keep one series per folder: move localizers and other planes out.",
            "orientation-mixed",
        )
    return np.asarray(np.median(cosines, axis=0), dtype=np.float64)


def _measure(headers: Sequence[Header], indices: tuple[int, ...], along: list[float]) -> Order:
    groups = _same_position(indices, along)
    duplicates = tuple(tuple(sorted(group)) for group in groups if len(group) > 1)
    steps = [along[after[0]] - along[before[0]] for before, after in pairwise(groups)]
    if not steps:
        return Order(indices, _header_spacing(headers), duplicates=duplicates)
    spacing = median(steps)
    odd: dict[int, tuple[str, ...]] = {
        before[-1]: (_gap(step, spacing),)
        for before, step in zip(groups[:-1], steps, strict=True)
        if abs(step - spacing) > max(_IRREGULAR * spacing, _IRREGULAR)
    }
    if not odd:  # the mean: positions may be rounded, and their rounding does not add up
        spacing = sum(steps) / len(steps)
    return Order(indices, round(spacing, 6), _disagreement(headers, spacing), odd, duplicates)


def _same_position(indices: tuple[int, ...], along: list[float]) -> list[list[int]]:
    groups: list[list[int]] = []
    for index in indices:
        if groups and along[index] - along[groups[-1][-1]] <= SAME_POSITION:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _gap(step: float, spacing: float) -> str:
    what = "gap" if step > spacing else "step"
    return f"{what} of {round(step, 3)} mm after this slice, {round(spacing, 3)} mm expected"


def _disagreement(headers: Sequence[Header], spacing: float) -> tuple[str, ...]:
    announced = _typical([h.spacing_between_slices for h in headers])
    if announced is None or abs(announced - spacing) <= _HEADER_TOLERANCE * spacing:
        return ()
    said, found = round(announced, 3), round(spacing, 3)
    return (f"SpacingBetweenSlices is {said} mm, the positions give {found} mm, which is used",)


def _header_spacing(headers: Sequence[Header]) -> float | None:
    between = _typical([h.spacing_between_slices for h in headers])
    return _typical([h.slice_thickness for h in headers]) if between is None else between


def _typical(values: Sequence[float | None]) -> float | None:
    """Give the most frequent positive value; of several the smallest, whatever their order."""
    counts = Counter(value for value in values if value is not None and value > 0)
    return min(counts, key=lambda value: (-counts[value], value)) if counts else None


def _without_positions(headers: Sequence[Header]) -> Order:
    spacing = _header_spacing(headers)
    if len(headers) < 2:
        return Order(tuple(range(len(headers))), spacing)
    numbers = [h.instance_number for h in headers if h.instance_number is not None]
    indices, rule = tuple(range(len(headers))), "left in file-name order"
    if len(set(numbers)) == len(headers):
        indices, rule = tuple(sorted(indices, key=numbers.__getitem__)), "ordered by InstanceNumber"
    lacking = sum(not (h.image_position_patient and h.image_orientation_patient) for h in headers)
    warning = f"{lacking} of {len(headers)} slices lack position or orientation: {rule}"
    return Order(indices, spacing, (warning,))
