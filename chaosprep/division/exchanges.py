"""Patients of known kinds dealt out to parts of known sizes, then exchanged until none helps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EPS = 1e-9
_WIDEST = 256  # cells of a part that are tried with those of another, those that promise most
_WORK = 10**9  # steps; what was found by then is taken as it is
_LOOK = 10_000  # of these, for a pair of parts
_TOLERANCE = 1e-6  # of a patient: ideals are fractions

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass
class Deal:
    """How many patients of each cell each part has.

    A cell is all patients that have the same kind of every wish. ``kinds`` (cells, wishes) are
    numbers of kinds, of all wishes together; ``ideal`` (kinds, parts) is how many of them each part
    should have, ``there`` (kinds, parts) how many it has, with those who are not dealt out;
    ``dealt`` (cells, parts) are those who are.
    """

    kinds: Counts
    ideal: Floats
    there: Counts
    dealt: Counts

    def __post_init__(self) -> None:
        self._least = np.floor(self.ideal + _TOLERANCE)
        self._most = np.ceil(self.ideal - _TOLERANCE)
        self._far = 4.0 * self.ideal.size
        self.more, self.fewer = np.zeros_like(self.ideal), np.zeros_like(self.ideal)
        for part in range(self.ideal.shape[1]):
            self._weigh(part)

    def add(self, cell: int, part: int, count: int = 1) -> None:
        """Let a part have so many more patients of a cell."""
        self.dealt[cell, part] += count
        self.there[self.kinds[cell], part] += count
        self._weigh(part)

    def _weigh(self, part: int) -> None:
        """What one patient more, and one fewer, of each kind would cost a part."""
        now = self._cost(self.there[:, part], part)
        self.more[:, part] = self._cost(self.there[:, part] + 1, part) - now
        self.fewer[:, part] = self._cost(self.there[:, part] - 1, part) - now

    def _cost(self, count: Counts, part: int) -> Floats:
        """The squared deviation; a patient beyond the bound costs more than all within it."""
        apart = count - self.ideal[:, part]
        beyond = np.maximum(self._least[:, part] - count, count - self._most[:, part])
        return apart**2 + self._far * np.maximum(beyond, 0)


def deal_out(deal: Deal, cells: Sequence[int], room: Sequence[int]) -> None:
    """Give each patient, in this order, to the part that wants one of its cell most.

    Args:
        deal: what there is; changed in place.
        cells: of every patient.
        room: how many patients each part takes.
    """
    left = np.array(room, np.int64)
    for cell in cells:
        cost = deal.more[deal.kinds[cell]].sum(axis=0)
        cost[left == 0] = np.inf
        near = np.flatnonzero(cost <= cost.min() + _EPS)
        part = int(near[np.argmax(left[near])])
        left[part] -= 1
        deal.add(cell, part)


def exchange(deal: Deal) -> None:
    """Exchange patients between parts as long as that brings the parts nearer to the ideal.

    No exchange of two patients, nor of several in a circle of parts, is left that would; but after
    so much work (`_WORK`) what was found is taken as it is.
    """
    work = _WORK
    several = deal.kinds.shape[1] > 1  # of one wish, a circle of two parts is the best pair
    while work > 0:
        helped, looked = _exchange_pairs(deal) if several else (False, 0)
        work -= looked + deal.dealt.size * deal.dealt.shape[1]
        if not helped and not _exchange_circle(deal):
            return


def _exchange_pairs(deal: Deal) -> tuple[bool, int]:
    """Make the best exchanges of each pair of parts; say whether any helped, and the work."""
    parts, helped, looked = deal.dealt.shape[1], False, 0
    for one in range(parts):
        for other in range(one + 1, parts):
            while looked < _WORK:
                found, tried = _best_pair(deal, one, other)
                looked += tried
                if found is None:
                    break
                helped = True
                _move(deal, found[0], one, other)
                _move(deal, found[1], other, one)
    return helped, looked


def _best_pair(deal: Deal, one: int, other: int) -> tuple[tuple[int, int] | None, int]:
    """The cells whose exchange helps most, and how many were tried."""
    there = deal.fewer[:, one] + deal.more[:, other]
    back = deal.fewer[:, other] + deal.more[:, one]
    ours = _promising(deal, one, there)
    others = _promising(deal, other, back)
    if not ours.size or not others.size:
        return None, _LOOK
    gain = np.zeros((ours.size, others.size))
    for wish in range(deal.kinds.shape[1]):
        from_one, from_other = deal.kinds[ours, wish], deal.kinds[others, wish]
        differs = from_one[:, None] != from_other[None, :]
        gain += (there[from_one][:, None] + back[from_other][None, :]) * differs
    best, work = int(gain.argmin()), _LOOK + gain.size * deal.kinds.shape[1]
    if gain.flat[best] >= -_EPS:
        return None, work
    return (int(ours[best // others.size]), int(others[best % others.size])), work


def _promising(deal: Deal, part: int, steps: Floats) -> Counts:
    """The cells of which a part has somebody to give; of many, those that cost least."""
    cells = np.flatnonzero(deal.dealt[:, part])
    if cells.size <= _WIDEST:
        return cells
    cost = steps[deal.kinds[cells]].sum(axis=1)
    return np.sort(cells[np.argsort(cost, kind="stable")[:_WIDEST]])


def _exchange_circle(deal: Deal) -> bool:
    """Let patients move on in a circle of parts that helps; say whether there was one.

    Of a circle in a graph of parts, whose arcs are the cheapest patients to move, the cost is never
    underestimated: costs are convex.
    """
    parts = deal.dealt.shape[1]
    cost, cell = np.full((parts, parts), np.inf), np.zeros((parts, parts), np.int64)
    enters = deal.more[deal.kinds].sum(axis=1)
    for one in range(parts):
        ours = np.flatnonzero(deal.dealt[:, one])
        if ours.size:
            leaves = deal.fewer[deal.kinds[ours], one].sum(axis=1)
            steps = enters[ours] + leaves[:, None]
            cheapest = steps.argmin(axis=0)
            cost[one], cell[one] = steps[cheapest, np.arange(parts)], ours[cheapest]
        cost[one, one] = np.inf
    circle = _pair(cost) or _negative_circle(cost)
    for one, other in zip(circle, [*circle[1:], *circle[:1]], strict=True):
        _move(deal, int(cell[one, other]), one, other)
    return bool(circle)


def _pair(cost: Floats) -> list[int]:
    """The circle of two nodes that costs least, where that is less than nothing; or none."""
    both = cost + cost.T
    best = int(both.argmin())
    return [] if both.flat[best] >= -_EPS else list(divmod(best, len(cost)))


def _negative_circle(cost: Floats) -> list[int]:
    """The nodes of a circle whose arcs cost less than nothing (Bellman and Ford); or none."""
    count = len(cost)
    away, before = np.zeros(count), np.full(count, -1)
    better = np.zeros(count, bool)
    for _ in range(count):
        through = away[:, None] + cost
        least = through.min(axis=0)
        better = least < away - _EPS
        if not better.any():
            return []
        away[better], before[better] = least[better], through.argmin(axis=0)[better]
    last = int(np.flatnonzero(better)[0])
    for _ in range(count):
        last = int(before[last])
    circle = [last]
    while (node := int(before[circle[-1]])) != last:
        circle.append(node)
    return circle[::-1]


def _move(deal: Deal, cell: int, one: int, other: int) -> None:
    deal.add(cell, one, -1)
    deal.add(cell, other)
