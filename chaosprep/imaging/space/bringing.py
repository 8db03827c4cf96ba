"""A volume of labels brought onto another lattice, by the nearest voxel."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.space.lattice import Lattice, Volume
from chaosprep.imaging.space.nearest import ENOUGH

_TIE = 1e-6  # of a voxel: between two, the one further on has it, whatever the last digits


def reach(volume: Lattice, lattice: Lattice) -> float:
    """How far the voxels of `lattice` lie beyond the outer faces of the volume's, mm; 0 within.

    Measured are their middles, and along the axes of the volume.
    """
    places = _places(volume, lattice.corners())
    sizes = np.array(volume.shape, np.float64)[:, None]
    beyond = np.maximum(-0.5 - places, places - (sizes - 0.5)).max(axis=1)
    return float((np.where(beyond > ENOUGH, beyond, 0.0) * volume.spacing).max())


def brought(volume: Volume, lattice: Lattice, *, beyond: int | None = None) -> NDArray[Any]:
    """The volume's voxels at those of a lattice: for each middle there the nearest one here.

    Beyond the volume it is the value `beyond`, or the outermost voxel's where that is None. Same
    dtype; a slice at a time, so that no more than a slice's places are held.
    """
    made = np.empty(lattice.shape, volume.voxels.dtype)
    sizes = np.array(volume.voxels.shape)[:, None, None]
    for number, places in _planes(volume.lattice, lattice):
        at = np.floor(places + (0.5 + _TIE))
        row = np.clip(at, 0, sizes - 1).astype(np.intp)
        made[number] = volume.voxels[row[0], row[1], row[2]]
        if beyond is not None:
            made[number][((at < 0) | (at >= sizes)).any(axis=0)] = beyond
    return made


def shown_beyond(volume: Volume, lattice: Lattice) -> int:
    """How many voxels above 0 lie wholly beyond the outer faces of a lattice's."""
    turned = np.linalg.solve(lattice.steps, volume.lattice.steps)
    half = np.abs(turned).sum(axis=1, keepdims=True) / 2
    sizes = np.array(lattice.shape, np.float64)[:, None]
    start = _places(lattice, volume.lattice.origin[:, None])
    count = 0
    for number, plane in enumerate(volume.voxels):
        there = np.stack(np.nonzero(plane)).astype(np.float64)
        places = start + turned[:, :1] * number + turned[:, 1:] @ there
        out = (places < -0.5 - half + ENOUGH) | (places > sizes - 0.5 + half - ENOUGH)
        count += int(np.count_nonzero(out.any(axis=0)))
    return count


def _planes(volume: Lattice, lattice: Lattice) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Where the middles of each slice of a lattice lie among the volume's, (3, rows, cols)."""
    turned = np.linalg.solve(volume.steps, lattice.steps)
    rows, cols = (np.arange(size, dtype=np.float64) for size in lattice.shape[1:])
    start = _places(volume, lattice.origin[:, None])[:, :, None]
    plane = start + turned[:, 1, None, None] * rows[:, None] + turned[:, 2, None, None] * cols
    for number in range(lattice.shape[0]):
        yield number, plane + turned[:, 0, None, None] * number


def _places(volume: Lattice, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points, (3, n) mm, as places among a volume's voxels."""
    found = np.linalg.solve(volume.steps, points - volume.origin[:, None])
    return np.asarray(found, dtype=np.float64)
