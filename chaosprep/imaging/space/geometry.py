"""The anatomical order of a series and its slice spacing, from positions along the normal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.header import Header, Orientation
from chaosprep.imaging.space.orientations import common_orientation, straighten, turned
from chaosprep.imaging.space.stacks import find_lean, odd_steps, unevenness

SAME_POSITION = 0.01  # mm: closer slices lie at one position
_HEADER_TOLERANCE = 0.01  # of the computed spacing
_REFUSED = "export and assemble refuse it as a volume"


class Order(msgspec.Struct, frozen=True):
    """A series in anatomical order; every index is one of the input's.

    ``indices`` in order along the slice normal; ``slice_spacing`` in mm; ``warnings`` on the whole
    series; ``duplicates`` are groups of slices that share a position within `SAME_POSITION`, each
    in input order; ``unplaced`` those that have no position or orientation, where others have:
    they are not in ``indices``; ``orientations`` those that had to be made orthogonal.
    """

    indices: tuple[int, ...]
    slice_spacing: float | None
    warnings: tuple[str, ...] = ()
    duplicates: tuple[tuple[int, ...], ...] = ()
    unplaced: tuple[int, ...] = ()
    orientations: Mapping[int, Orientation] = msgspec.field(default_factory=dict)

    def settled(self, index: int, header: Header) -> Header:
        """The header of a slice with the orientation that it has in this order."""
        return _settled(header, self.orientations.get(index))


def _settled(header: Header, cosines: Orientation | None) -> Header:
    return replace(header, image_orientation_patient=cosines) if cosines else header


def slice_normal(orientation: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the unit normal, (3,), of six direction cosines: row direction x column direction.

    PS3.3 C.7.6.2.1.1. Raises `FileError` ``orientation-broken`` where the two are parallel or zero.
    """
    cosines = np.asarray(orientation, dtype=np.float64)
    normal = np.cross(cosines[:3], cosines[3:])
    length = np.linalg.norm(normal)
    if not length > 1e-6:
        remedy = "Check how the files were anonymized or exported."
        raise FileError("the image orientation spans no plane", remedy, "orientation-broken")
    return np.asarray(normal / length, dtype=np.float64)


def order_series(headers: Sequence[Header], names: Sequence[str] = ()) -> Order:
    """Order slices by position, increasing along the normal; equal positions keep the input order.

    ``slice_spacing`` is the mean step in mm between different positions, the median where one is
    off, rounded to 6 decimals; where no header has a position SpacingBetweenSlices, then
    SliceThickness, then None. What makes the stack no volume is a warning: uneven steps, a tilted
    gantry, shifted and turned slices. ``names`` are what messages call the headers.

    Raises `FileError` ``orientation-mixed`` where a direction cosine varies by more than
    `SAME_ORIENTATION`, ``orientation-skewed`` and ``orientation-broken``.
    """
    placed = [
        index
        for index, header in enumerate(headers)
        if header.image_orientation_patient and header.image_position_patient
    ]
    if not placed:
        return _without_positions(headers)
    order = _order_placed(
        [headers[index] for index in placed], [names[index] for index in placed if names]
    )
    return Order(
        tuple(placed[index] for index in order.indices),
        order.slice_spacing,
        order.warnings,
        tuple(tuple(placed[index] for index in group) for group in order.duplicates),
        tuple(sorted({*range(len(headers))} - {*placed})),
        {placed[index]: cosines for index, cosines in order.orientations.items()},
    )


def _order_placed(headers: Sequence[Header], names: Sequence[str]) -> Order:
    normal = slice_normal(common_orientation(headers, names))
    positions = np.array([header.image_position_patient for header in headers], np.float64)
    # Rounding lets equal positions tie; a plain sum gives the same bits in any input order.
    along = [
        round(sum(float(p * n) for p, n in zip(position, normal, strict=True)), 6)
        for position in positions
    ]
    indices = tuple(sorted(range(len(headers)), key=along.__getitem__))
    groups = _same_position(indices, along)
    duplicates = tuple(tuple(sorted(group)) for group in groups if len(group) > 1)
    orientations, straightened = straighten(headers)
    straight = [_settled(headers[index], orientations.get(index)) for index in indices]
    spacing, uneven = _measure(headers, groups, along)
    first = straight[0]
    across = slice_normal(first.image_orientation_patient or ())  # as a volume's slices are stacked
    lean = find_lean(positions[list(indices)], across, min(first.pixel_spacing or (1.0, 1.0)))
    no_volume = [
        (lean and str(lean), "sheared"),
        (turned(straight), "geometry-mixed"),
        (uneven, "gap"),
    ]
    warnings = [f"{what}: {_REFUSED} ({code})" for what, code in no_volume if what]
    return Order(
        indices,
        spacing,
        (*_disagreement(headers, spacing if len(groups) > 1 else None), *straightened, *warnings),
        duplicates,
        orientations=orientations,
    )


def _measure(
    headers: Sequence[Header], groups: Sequence[Sequence[int]], along: Sequence[float]
) -> tuple[float | None, str | None]:
    """The spacing, mm, and what is uneven about it."""
    from statistics import median

    heights = [along[group[0]] for group in groups]
    steps = [after - before for before, after in pairwise(heights)]
    if not steps:
        return _header_spacing(headers), None
    spacing = median(steps)
    if not odd_steps(steps, spacing):
        # The mean: positions may be rounded, and their rounding does not add up.
        spacing = sum(steps) / len(steps)
    places = [sum(map(len, groups[: n + 1])) - 1 for n in range(len(groups))]
    return round(spacing, 6), unevenness(heights, places, spacing)


def _same_position(indices: tuple[int, ...], along: list[float]) -> list[list[int]]:
    groups: list[list[int]] = []
    for index in indices:
        if groups and along[index] - along[groups[-1][-1]] <= SAME_POSITION:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _disagreement(headers: Sequence[Header], spacing: float | None) -> tuple[str, ...]:
    announced = _typical([h.spacing_between_slices for h in headers])
    if (
        announced is None
        or spacing is None
        or abs(announced - spacing) <= _HEADER_TOLERANCE * spacing
    ):
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
