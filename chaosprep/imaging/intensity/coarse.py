"""A volume on a coarse grid of fixed physical resolution, averaged over some of its voxels."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]

_SAMPLES = 4  # of the coarse grid, at the least, between two knots of a spline
_VOXELS = 2**20
"""The most voxels that the coarse grid has."""


@dataclass(frozen=True)
class Axis:
    """One axis of a coarse grid that begins at the first voxel of a volume.

    `size` voxels of the volume are `spacing` mm apart; `count` samples are `step` mm apart, and
    reach up to the last voxel and beyond it, over `spans` pieces of a spline, all as long.
    """

    size: int
    spacing: float
    step: float
    count: int
    spans: int

    @property
    def length(self) -> float:
        """From the first to the last sample, mm."""
        return (self.count - 1) * self.step

    def weights(self) -> NDArray[np.float64]:
        """How much each voxel takes part in each sample, (count, size).

        It is a tent of one step to either side: what is finer than the grid is averaged.
        """
        samples, voxels = np.arange(self.count) * self.step, np.arange(self.size) * self.spacing
        away = np.abs(samples[:, None] - voxels[None, :]) / self.step
        tents: NDArray[np.float64] = np.clip(1.0 - away, 0.0, None)
        return tents


Axes = tuple[Axis, Axis, Axis]


def coarse_axes(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    grid: float,
    distance: float,
    levels: int,
) -> Axes:
    """The axes of a coarse grid for a volume.

    No axis gets finer: slices that are thicker than the grid stay as they are. A grid of more than
    2^20 voxels is made coarser.

    Args:
        shape: slices, rows, cols.
        spacing: mm between them.
        grid: mm between samples.
        distance: mm between the finest knots of a spline, at the least; 4 samples or more lie
            between them.
        levels: how often the knots are set, each time half as far apart; `spans` are the first.
    """
    while True:
        slices, rows, cols = (
            _axis(size, step, max(grid, step), distance, 2 ** (levels - 1))
            for size, step in zip(shape, spacing, strict=True)
        )
        if slices.count * rows.count * cols.count <= _VOXELS:
            return slices, rows, cols
        grid = max(grid, min(spacing)) * 1.1


def _axis(size: int, spacing: float, step: float, distance: float, finer: int) -> Axis:
    reach = (size - 1) * spacing
    apart = max(distance, _SAMPLES * step) * finer
    spans = max(1, math.ceil(reach / apart - 1e-6))
    count = math.ceil(max(reach, spans * apart) / step - 1e-6) + 1
    return Axis(size, spacing, step, count, spans)


class Coarse:
    """A volume on a coarse grid, to which its slices are added one by one."""

    def __init__(self, axes: Axes) -> None:
        self._weights = [axis.weights() for axis in axes]
        shape = tuple(axis.count for axis in axes)
        self._sum = np.zeros(shape)
        self._seen = np.zeros(shape)

    def add(self, index: int, plane: Floats, mask: Mask) -> None:
        """Add a slice (rows, cols) and which of its pixels are to be seen."""
        parts = [self._shrunk(np.where(mask, plane, 0.0)), self._shrunk(mask.astype(np.float64))]
        along = self._weights[0][:, index]
        for sample in np.flatnonzero(along):
            self._sum[sample] += along[sample] * parts[0]
            self._seen[sample] += along[sample] * parts[1]

    def averages(self, share: float = 0.5) -> tuple[NDArray[np.float64], Mask]:
        """The means of what was to be seen, and where that was at least a share of what is there.

        Both (slices, rows, cols) of the coarse grid; the means are 0 where nothing was.
        """
        slices, rows, cols = (weights.sum(axis=1) for weights in self._weights)
        there = slices[:, None, None] * rows[None, :, None] * cols[None, None, :]
        means = np.divide(self._sum, self._seen, out=np.zeros_like(self._sum), where=self._seen > 0)
        return means, (self._seen > 0) & (self._seen >= share * there)

    def _shrunk(self, plane: Floats) -> NDArray[np.float64]:
        """A slice (rows, cols) on the coarse grid, weighted, by sums in a fixed order."""
        _, rows, cols = self._weights
        return _along(cols, _along(rows, plane).T).T


def _along(weights: NDArray[np.float64], plane: Floats) -> NDArray[np.float64]:
    """The weighted sums of the rows of a plane, (count, cols)."""
    made = np.zeros((len(weights), plane.shape[1]))
    for sample, voxel in np.argwhere(weights):
        made[sample] += weights[sample, voxel] * plane[voxel]
    return made
