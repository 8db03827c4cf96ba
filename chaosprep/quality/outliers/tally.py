"""A structure counted slice by slice: its areas, its place, its holes, and its parts in space."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.quality.outliers.values import StructureValues

_MOST = 500  # parts or holes of one slice that are counted: noise is not worth more time


class Tally:
    """What is known of one structure so far; parts touch by a side or corner, or across slices.

    Slices without it do not part it: they are its gaps.
    """

    def __init__(self) -> None:
        self._areas: dict[int, int] = {}
        self._sums = np.zeros(3)
        self._holes = 0
        self._joined: list[int] = []
        self._above: tuple[tuple[int, int], NDArray[Any]] | None = None

    def add(self, index: int, plane: NDArray[np.bool_]) -> None:
        """Take where the structure lies in slice `index`, (rows, cols)."""
        import cv2

        inside = np.ascontiguousarray(plane).view(np.uint8)
        left, top, width, height = cv2.boundingRect(inside)
        if not width:
            return
        box = inside[top : top + height, left : left + width]
        rows, cols = box.sum(1, dtype=np.int64), box.sum(0, dtype=np.int64)
        area = int(rows.sum())
        down, across = rows @ np.arange(top, top + height), cols @ np.arange(left, left + width)
        self.count(index, area, (float(down / area), float(across / area)))
        ringed = cv2.copyMakeBorder(1 - box, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
        self._holes += min(cv2.connectedComponents(ringed, connectivity=4)[0] - 2, _MOST)
        self._join((top, left), cv2.connectedComponents(box, connectivity=8)[1])

    def count(self, index: int, area: int, centre: tuple[float, float]) -> None:
        """Take its area in slice `index`, in pixels, and its centre there, (row, col)."""
        if area:
            self._areas[index] = area
            self._sums += (index * area, centre[0] * area, centre[1] * area)

    def _join(self, corner: tuple[int, int], parts: NDArray[Any]) -> None:
        """Number the parts of a slice on, and join those that lie on parts of the one before."""
        parts[parts > _MOST] = 0
        start = len(self._joined)
        self._joined += range(start, start + int(parts.max()))
        parts = np.where(parts > 0, parts + start, 0)
        if self._above is not None:
            (top, left), above = self._above
            low, high = max(top, corner[0]), max(left, corner[1])
            ends = (
                min(top + above.shape[0], corner[0] + parts.shape[0]),
                min(left + above.shape[1], corner[1] + parts.shape[1]),
            )
            if ends[0] > low and ends[1] > high:
                one = above[low - top : ends[0] - top, high - left : ends[1] - left]
                two = parts[
                    low - corner[0] : ends[0] - corner[0], high - corner[1] : ends[1] - corner[1]
                ]
                both = (one > 0) & (two > 0)
                codes = one[both].astype(np.int64) << 32 | two[both]
                for code in np.unique(codes).tolist():
                    self._joined[self._root((code >> 32) - 1)] = self._root((code & 0xFFFFFFFF) - 1)
        self._above = corner, parts

    def _root(self, part: int) -> int:
        while self._joined[part] != part:
            self._joined[part] = self._joined[self._joined[part]]
            part = self._joined[part]
        return part

    def values(self, shape: tuple[int, int, int], voxel_ml: float | None) -> StructureValues | None:
        """The structure in a case of `shape`; None where no slice shows it."""
        if not self._areas:
            return None
        first, last = min(self._areas), max(self._areas)
        areas = [self._areas.get(index, 0) for index in range(first, last + 1)]
        voxels = sum(areas)
        slices, rows, cols = (self._sums / voxels + 0.5) / shape
        # Where it ends, a slice cuts off as much of it as chance will have it.
        changes = [abs(two - one) for one, two in pairwise(areas[1:-1])]
        return StructureValues(
            ml=None if voxel_ml is None else voxels * voxel_ml,
            voxels=voxels,
            jump=max(changes, default=0) / max(areas),
            holes=self._holes,
            islands=max(sum(part == up for part, up in enumerate(self._joined)) - 1, 0),
            centre=(float(slices), float(rows), float(cols)),
            gaps=areas.count(0),
        )
