"""Where the voxels of one lattice lie among those of another."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.space.lattice import Lattice

_DECIMALS = 5  # of a voxel: positions are rounded to 1e-6 mm, and what lies on a voxel stays on it
_EDGE = 1e-4  # of a voxel: a middle on the very face of another lattice is within
TIE = 1e-6  # of a voxel: between two, the one further on has it, whatever the last digits

Places = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Slice, row and column of each pixel of a plane, fractions between voxels.

Each broadcasts to (rows, cols).
"""


@dataclass(frozen=True, eq=False)
class Passage:
    """From the voxels of a lattice, ``target``, to places among those of another, ``source``.

    Voxel (i, j, k) lies at ``start + turn @ (i, j, k)``; the middles of the source's voxels are at
    whole numbers. Shapes are (slices, rows, cols), ``start`` is (3,), ``turn`` (3, 3), in voxels.
    """

    source: tuple[int, int, int]
    target: tuple[int, int, int]
    start: NDArray[np.float64]
    turn: NDArray[np.float64]

    @classmethod
    def between(cls, source: Lattice, target: Lattice) -> Self:
        """The passage from a lattice to another of the same patient."""
        start = np.linalg.solve(source.steps, target.origin - source.origin)
        turn = np.linalg.solve(source.steps, target.steps)
        places = (np.asarray(one, np.float64) for one in (start, turn))
        return cls(source.shape, target.shape, *places)

    @cached_property
    def is_straight(self) -> bool:
        """Whether the axes of both run along each other, one by one, be it backwards."""
        ends = np.abs(self.turn - np.diag(np.diag(self.turn))) @ np.array(self.target)
        return bool((ends < 10.0**-_DECIMALS).all())

    @property
    def widths(self) -> tuple[float, float, float]:
        """How many of the source's voxels a voxel of the target takes along each of its axes."""
        along = np.diag(np.abs(np.diag(self.turn))) if self.is_straight else self.turn
        slices, rows, cols = np.linalg.norm(along, axis=1).tolist()
        return slices, rows, cols

    def places(self, number: int) -> Places:
        """Where the pixels of a slice of the target lie in the source."""
        _, high, wide = self.target
        rows, cols = np.arange(high, dtype=np.float64)[:, None], np.arange(wide, dtype=np.float64)
        base = self.start + self.turn[:, 0] * number
        if self.is_straight:
            found = [
                np.full((1, 1), base[0]),
                base[1] + self.turn[1, 1] * rows,
                base[2] + self.turn[2, 2] * cols[None],
            ]
        else:
            found = [base[a] + self.turn[a, 1] * rows + self.turn[a, 2] * cols for a in range(3)]
        at_slice, at_row, at_col = (np.round(one, _DECIMALS) for one in found)
        return at_slice, at_row, at_col

    def beyond(self, number: int, margin: float = 0.0) -> NDArray[np.bool_] | None:
        """Which pixels of a slice of the target lie beyond the outer faces of the source's voxels.

        `margin` is how far these may go on, in the source's voxels. (rows, cols); None for none.
        """
        far = [
            (at < -0.5 - margin - _EDGE) | (at > size - 0.5 + margin + _EDGE)
            for at, size in zip(self.places(number), self.source, strict=True)
        ]
        found = np.broadcast_to(far[0] | far[1] | far[2], self.target[1:])
        return found if found.any() else None

    def nearest(self, number: int) -> int:
        """The source's slice that is nearest to the middle of a slice of the target."""
        _, high, wide = self.target
        middle = self.start + self.turn @ np.array([number, (high - 1) / 2, (wide - 1) / 2])
        at = int(np.floor(np.round(middle[0], _DECIMALS) + 0.5 + TIE))
        return min(max(at, 0), self.source[0] - 1)

    def shown(self) -> tuple[slice, slice, slice] | None:
        """The part of a straight target whose middles lie in the source's voxels; None if nothing.

        What is not straight is taken whole.
        """
        if not self.is_straight:
            slices, rows, cols = (slice(0, size) for size in self.target)
            return slices, rows, cols
        parts = []
        for axis in range(3):
            at = self.start[axis] + self.turn[axis, axis] * np.arange(self.target[axis])
            inside = np.flatnonzero((at > -0.5 - _EDGE) & (at < self.source[axis] - 0.5 + _EDGE))
            if not inside.size:
                return None
            parts.append(slice(int(inside[0]), int(inside[-1]) + 1))
        slices, rows, cols = parts
        return slices, rows, cols
