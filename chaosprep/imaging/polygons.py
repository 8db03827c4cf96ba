"""Polygons as pixels: those whose centres lie inside, by the even-odd rule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Polygon = NDArray[np.float64]
"""The vertices in order, (points, 2): row and column, of which whole numbers are pixel centres."""

_COMPARED = 2**11  # polygons of which each is compared with each
_LOOKED_AT = 2**26  # pixels
_MOST = 2**20  # crossings of edges and rows that are held at once


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of a plane, ``rows`` and ``cols`` of it, and which pixels of that part are shown."""

    rows: slice
    cols: slice
    shown: NDArray[np.bool_]


def fill(polygons: Sequence[Polygon], shape: tuple[int, int]) -> Patch:
    """The pixels of a plane of ``shape`` whose centres lie in an odd number of windings.

    Several polygons count as one: what lies in two of them is out. A vertex is used as it is, and
    each polygon ends where it began. A centre on an edge is in where the inside begins there, going
    right or down, and out where it ends there: of two polygons that share an edge, one has it.
    """
    upper, lower = _edges(polygons)
    # Rows whose centres an edge crosses: from its upper end up to, without, its lower one.
    first, last = (
        np.ceil(ends[:, 0]).clip(0, shape[0]).astype(np.int64) for ends in (upper, lower)
    )
    crossing = last > first
    upper, lower, first, last = upper[crossing], lower[crossing], first[crossing], last[crossing]
    columns = np.concatenate([upper[:, 1], lower[:, 1]])
    left, right = (
        int(np.ceil(end).clip(0, shape[1]))
        for end in (columns.min(initial=np.inf), columns.max(initial=-np.inf))
    )
    top, bottom = int(first.min(initial=shape[0])), int(last.max(initial=0))
    if left >= right or top >= bottom:
        return Patch(slice(0, 0), slice(0, 0), np.zeros((0, 0), np.bool_))
    turns = np.zeros((bottom - top, right - left + 1), np.uint8)
    for part in _parts(last - first):
        counts = (last - first)[part]
        edge = np.repeat(np.arange(counts.size), counts)
        within = np.arange(edge.size) - np.repeat(np.cumsum(counts) - counts, counts)
        row = first[part][edge] + within
        col = np.ceil(_columns(upper[part], lower[part], edge, row)).clip(left, right)
        np.add.at(turns, (row - top, col.astype(np.int64) - left), 1)  # modulo 256 keeps the parity
    np.bitwise_xor.accumulate(turns, axis=1, out=turns)
    return Patch(slice(top, bottom), slice(left, right), (turns[:, :-1] & 1).astype(np.bool_))


def effort(polygon: Polygon, shape: tuple[int, int]) -> int:
    """About how long filling a polygon takes: 4 for a row that an edge crosses, 1 for 16 pixels."""
    inside = polygon.clip(0, shape)
    crossings = np.abs(inside[:, 0] - np.roll(inside[:, 0], -1)).sum()
    return int(4 * crossings + np.ptp(inside, axis=0).prod() / 16)


def cross(polygons: Sequence[Polygon], shape: tuple[int, int]) -> bool:
    """Whether two polygons share pixels of a plane, but neither as a hole lies in the other.

    What is no more than a part of the other's rim smaller is no hole. More polygons than can be
    looked at one by one are taken to cross.
    """
    near = [polygons[n] for n in _meeting(polygons)]
    patches = []
    pixels = 0
    for polygon in near:
        patches.append(fill([polygon], shape))
        pixels += patches[-1].shown.size
        if pixels > _LOOKED_AT:
            return True
    patches.sort(key=lambda patch: -int(patch.shown.sum()))
    owner = np.zeros(shape, np.int64)
    # From large to small: the smallest that was there before surrounds all of one, or it crosses.
    for n, patch in enumerate(patches, 1):
        part = owner[patch.rows, patch.cols]
        before = part[patch.shown]
        if before.size and (before != before[0]).any():
            return True
        if before.any() and _hardly_more(patches[before[0] - 1].shown, before.size):
            return True
        part[patch.shown] = n
    return False


def _hardly_more(shown: NDArray[np.bool_], pixels: int) -> bool:
    """Whether a shape has fewer pixels beside so many of its own than half of its rim has."""
    left = int(shown.sum()) - pixels
    if left > pixels:  # a rim has no more pixels than its shape
        return False
    wide = np.pad(shown, 1)
    around = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    return 2 * left < int((shown & ~around).sum())


def _meeting(polygons: Sequence[Polygon]) -> NDArray[np.int64]:
    """The indices of polygons whose boxes meet that of another."""
    if len(polygons) > _COMPARED:
        return np.arange(len(polygons))
    low, high = (
        np.array([end(polygon, axis=0) for polygon in polygons]) for end in (np.min, np.max)
    )
    meets = ((low[:, None] <= high[None]) & (low[None] <= high[:, None])).all(axis=2)
    return np.flatnonzero(meets.sum(axis=1) > 1)


def _edges(polygons: Sequence[Polygon]) -> tuple[Polygon, Polygon]:
    """The upper and the lower end of each edge; neighbours that share one compute the same."""
    begin = np.concatenate(polygons)
    end = np.concatenate([np.roll(polygon, -1, axis=0) for polygon in polygons])
    falls = (begin[:, :1] <= end[:, :1]).repeat(2, axis=1)
    return np.where(falls, begin, end), np.where(falls, end, begin)


def _columns(
    upper: Polygon, lower: Polygon, edge: NDArray[np.int64], row: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Where edges cross rows; never beyond their ends."""
    part = (row - upper[edge, 0]) / (lower[edge, 0] - upper[edge, 0])
    here, there = upper[edge, 1], lower[edge, 1]
    found = here + part * (there - here)
    return np.asarray(found.clip(np.minimum(here, there), np.maximum(here, there)))


def _parts(counts: NDArray[np.int64]) -> Iterator[slice]:
    """Runs of edges that cross some `_MOST` rows each."""
    of_run = (np.cumsum(counts) - counts) // _MOST
    ends = np.flatnonzero(np.diff(of_run)) + 1
    for begin, end in zip([0, *ends], [*ends, counts.size], strict=True):
        yield slice(int(begin), int(end))
