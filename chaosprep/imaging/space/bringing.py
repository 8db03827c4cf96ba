"""A volume of labels brought onto another lattice, by the nearest voxel."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.space.lattice import Lattice, Volume
from chaosprep.imaging.space.nearest import ENOUGH

_BLOCK = 2**18  # voxels at once
_TIE = 1e-6  # of a voxel: between two, the one further on has it, whatever the last digits


def reach(volume: Lattice, lattice: Lattice) -> float:
    """How far the voxels of `lattice` lie beyond the outer faces of the volume's, mm; 0 within.

    Measured are their middles, and along the axes of the volume.
    """
    places = _among(volume, lattice.corners())
    sizes = np.array(volume.shape, np.float64)[:, None]
    beyond = np.maximum(-0.5 - places, places - (sizes - 0.5)).max(axis=1)
    return float((np.where(beyond > ENOUGH, beyond, 0.0) * volume.spacing).max())


def brought(volume: Volume, lattice: Lattice, *, beyond: int | None = None) -> NDArray[Any]:
    """The volume's voxels at those of a lattice: for each middle there the nearest one here.

    Beyond the volume it is the value `beyond`, or the outermost voxel's where that is None. Same
    dtype.
    """
    made = np.empty(lattice.shape, volume.voxels.dtype)
    sizes = np.array(volume.voxels.shape)[:, None, None, None]
    for block in _blocks(lattice.shape):
        at = np.floor(_places(volume.lattice, lattice, block) + (0.5 + _TIE))
        own = np.clip(at, 0, sizes - 1).astype(np.intp)
        made[block] = volume.voxels[own[0], own[1], own[2]]
        if beyond is not None:
            made[block][((at < 0) | (at >= sizes)).any(axis=0)] = beyond
    return made


def shown_beyond(volume: Volume, lattice: Lattice) -> int:
    """How many voxels above 0 lie wholly beyond the outer faces of a lattice's."""
    half = np.abs(np.linalg.solve(lattice.steps, volume.lattice.steps)).sum(axis=1) / 2
    low = (ENOUGH - 0.5 - half)[:, None, None, None]
    high = (np.array(lattice.shape) - 0.5 + half - ENOUGH)[:, None, None, None]
    count = 0
    for block in _blocks(volume.voxels.shape):
        if (shown := volume.voxels[block] > 0).any():
            places = _places(lattice, volume.lattice, block)
            count += int(np.count_nonzero(shown & ((places < low) | (places > high)).any(axis=0)))
    return count


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice, slice]]:
    """An array in parts of `_BLOCK` voxels at most, whatever its shape is."""
    wide = min(shape[2], _BLOCK)
    high = min(shape[1], max(1, _BLOCK // wide))
    deep = min(shape[0], max(1, _BLOCK // (wide * high)))
    starts = (range(0, size, part) for size, part in zip(shape, (deep, high, wide), strict=True))
    for i, j, k in product(*starts):
        yield slice(i, i + deep), slice(j, j + high), slice(k, k + wide)


def _places(volume: Lattice, lattice: Lattice, block: tuple[slice, ...]) -> NDArray[np.float64]:
    """Where the voxels of a part of a lattice lie among the volume's, (3, slices, rows, cols)."""
    ranges = zip(block, lattice.shape, strict=True)
    i, j, k = (np.arange(one.start, min(one.stop, size), dtype=np.float64) for one, size in ranges)
    turned = np.linalg.solve(volume.steps, lattice.steps)[..., None, None, None]
    start = _among(volume, lattice.origin[:, None])[..., None, None]
    plane = start + turned[:, 1] * j[:, None] + turned[:, 2] * k
    return np.asarray(plane + turned[:, 0] * i[:, None, None])


def _among(volume: Lattice, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points, (3, n) mm, as places among a volume's voxels."""
    found = np.linalg.solve(volume.steps, points - volume.origin[:, None])
    return np.asarray(found, dtype=np.float64)
