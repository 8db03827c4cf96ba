"""Patients of known kinds dealt out to parts of known sizes, then exchanged until none helps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EPS = 1e-9
_WIDEST = 1024  # cells of a part that are tried with those of another, those that promise most
_WORK = 2 * 10**8  # exchanges that are looked at; then what was found is taken as it is
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

    def add(self, cell: int, part: int, count: int = 1) -> None:
        """Let a part have so many more patients of a cell."""
        self.dealt[cell, part] += count
        self.there[self.kinds[cell], part] += count

    def costs(self, part: int) -> tuple[Floats, Floats]:
        """What one patient more, and one fewer, of each kind (kinds,) would cost a part."""
        now = self._cost(self.there[:, part], part)
        more = self._cost(self.there[:, part] + 1, part)
        fewer = self._cost(self.there[:, part] - 1, part)
        return more - now, fewer - now

    def _cost(self, count: Counts, part: int) -> Floats:
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
    more = np.stack([deal.costs(part)[0] for part in range(len(left))], axis=1)
    for cell in cells:
        kinds = deal.kinds[cell]
        cost = more[kinds].sum(axis=0)
        cost[left == 0] = np.inf
        near = np.flatnonzero(cost <= cost.min() + _EPS)
        part = int(near[np.argmax(left[near])])
        left[part] -= 1
        deal.add(cell, part)
        more[:, part] = deal.costs(part)[0]


def exchange(deal: Deal) -> None:
    """Exchange patients between parts as long as that brings the parts nearer to the ideal.

    No exchange of two patients, nor of several in a circle of parts, is left that would. A look
    at all exchanges takes (cells of a part)^2 for each pair of parts.
    """
    work = _WORK
    while work > 0:
        helped, looked = _exchange_pairs(deal)
        work -= looked
        if not helped and not _exchange_circle(deal):
            return


def _exchange_pairs(deal: Deal) -> tuple[bool, int]:
    """Make the best exchange of each pair of parts; say whether any helped."""
    parts, helped, looked = deal.dealt.shape[1], False, 0
    for one in range(parts):
        for other in range(one + 1, parts):
            while True:
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
    there, back = _steps(deal, one, other), _steps(deal, other, one)
    ours = _promising(deal, one, there)
    others = _promising(deal, other, back)
    if not ours.size or not others.size:
        return None, 1
    gain = np.zeros((ours.size, others.size))
    for wish in range(deal.kinds.shape[1]):
        from_one, from_other = deal.kinds[ours, wish], deal.kinds[others, wish]
        differs = from_one[:, None] != from_other[None, :]
        gain += (there[from_one][:, None] + back[from_other][None, :]) * differs
    best = int(gain.argmin())
    if gain.flat[best] >= -_EPS:
        return None, gain.size
    return (int(ours[best // others.size]), int(others[best % others.size])), gain.size


def _steps(deal: Deal, one: int, other: int) -> Floats:
    """What it costs that a patient of each kind (kinds,) goes from one part to another."""
    return deal.costs(one)[1] + deal.costs(other)[0]


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
    cost = np.full((parts, parts), np.inf)
    cell = np.zeros((parts, parts), np.int64)
    for one in range(parts):
        ours = np.flatnonzero(deal.dealt[:, one])
        for other in range(parts):
            if one != other and ours.size:
                steps = _steps(deal, one, other)[deal.kinds[ours]].sum(axis=1)
                cost[one, other], cell[one, other] = steps.min(), ours[steps.argmin()]
    circle = _negative_circle(cost)
    for one, other in zip(circle, [*circle[1:], *circle[:1]], strict=True):
        _move(deal, int(cell[one, other]), one, other)
    return bool(circle)


def _negative_circle(cost: Floats) -> list[int]:
    """The nodes of a circle whose arcs cost less than nothing (Bellman and Ford); or none."""
    count = len(cost)
    away, before = np.zeros(count), np.full(count, -1)
    last = -1
    for _ in range(count):
        last = -1
        for one in range(count):
            for other in range(count):
                if away[one] + cost[one, other] < away[other] - _EPS:
                    away[other], before[other] = away[one] + cost[one, other], one
                    last = other
        if last < 0:
            return []
    for _ in range(count):
        last = int(before[last])
    circle = [last]
    while (node := int(before[circle[-1]])) != last:
        circle.append(node)
    return circle[::-1]


def _move(deal: Deal, cell: int, one: int, other: int) -> None:
    deal.add(cell, one, -1)
    deal.add(cell, other)
