"""CT slices of several passes under one UID that lie between each other, as two phases may.

CT scans a volume in one pass: times, or instance numbers, that go through the stack more than once
are of several volumes. MR scans every other slice in turns, and is left alone.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.space.geometry import SAME_POSITION
from chaosprep.layouts.headers.head import Head
from chaosprep.layouts.headers.moments import value_of
from chaosprep.layouts.headers.places import Parts, heights_of

_ORDERS = ("AcquisitionDateTime", "AcquisitionTime", "ContentTime", "InstanceNumber")
_SHORTEST = 3  # slices, to be a volume
_EVEN = 0.02  # of a step: what steps of one volume may differ by

Heights = NDArray[np.float64]


def by_passes(heads: Sequence[Head]) -> Parts:
    """The pictures by pass; one part where there is one, or where nothing tells."""
    heights = heights_of(heads) if heads[0].evidence.get("Modality") == "CT" else None
    if heights is None or not np.isfinite(heights).all():
        return [list(heads)]
    if np.diff(np.sort(heights)).min() <= SAME_POSITION:
        return [list(heads)]
    for keyword in _ORDERS:
        values = [value_of(head, keyword) for head in heads]
        known = [value for value in values if value is not None]
        if len(known) < len(heads):
            continue
        for way in (1, -1):
            if groups := _passes(known, way * heights):
                return [[heads[n] for n in group] for group in groups]
    return [list(heads)]


def _passes(values: Sequence[float], heights: Heights) -> list[list[int]]:
    """The slices of each pass upwards; none where it is one, or where they are no whole volumes."""
    row = sorted(range(len(values)), key=lambda n: (values[n], heights[n]))
    groups = [row[:1]]
    for before, after in pairwise(row):
        if heights[after] < heights[before]:
            groups.append([])
        groups[-1].append(after)
    if len(groups) < 2 or min(map(len, groups)) < _SHORTEST:
        return []
    are_volumes = all(_is_even(heights[group]) for group in groups)
    return groups if are_volumes and _take_turns(groups, heights) else []


def _is_even(heights: Heights) -> bool:
    steps = np.diff(heights)
    return bool(np.ptp(steps) <= SAME_POSITION + _EVEN * np.median(steps))


def _take_turns(groups: Sequence[Sequence[int]], heights: Heights) -> bool:
    owner = {n: number for number, group in enumerate(groups) for n in group}
    row = [owner[int(n)] for n in np.argsort(heights)]
    return 1 + sum(one != other for one, other in pairwise(row)) >= 2 * len(groups)
