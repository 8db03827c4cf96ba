"""The metrics once more, from their definitions alone: sets of voxels, and all pairs of points."""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
SIX = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


def border_points(mask: NDArray[Any], spacing: tuple[float, float, float]) -> Points:
    """Centres in mm of the voxels that have a neighbour in the array which is not of the mask."""
    found = []
    for place in product(*(range(size) for size in mask.shape)):
        around = [tuple(np.add(place, step)) for step in SIX]
        inside = [p for p in around if all(0 <= i < n for i, n in zip(p, mask.shape, strict=True))]
        if mask[place] and not all(mask[p] for p in inside):
            found.append(np.multiply(place, spacing))
    return np.array(found).reshape(-1, 3)


def distances(
    pred: NDArray[Any], ref: NDArray[Any], spacing: tuple[float, float, float]
) -> tuple[Points, Points]:
    """From each border point of one to the nearest of the other, by all pairs; and back."""
    here, there = border_points(pred, spacing), border_points(ref, spacing)
    pairs = np.sqrt(((here[:, None, :] - there[None, :, :]) ** 2).sum(axis=2))
    return pairs.min(axis=1), pairs.min(axis=0)


def surface_metrics(
    pred: NDArray[Any], ref: NDArray[Any], spacing: tuple[float, float, float]
) -> tuple[float, float, float]:
    """ASSD, MSSD, HD95."""
    there, back = distances(pred, ref, spacing)
    total = (there.sum() + back.sum()) / (len(there) + len(back))
    return float(total), float(max(there.max(), back.max())), max(map(ranked_95, (there, back)))


def ranked_95(values: Points) -> float:
    """The value 95 % up the sorted list, linear between two ranks."""
    ordered = sorted(float(value) for value in values)
    rank = 0.95 * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (rank - low) * (ordered[high] - ordered[low])


def random_mask(random: np.random.Generator, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Ellipsoids in any place, over the edges too, single voxels, and holes."""
    mask = np.zeros(shape, dtype=bool)
    axes = np.indices(shape)
    for _ in range(random.integers(1, 4)):
        centre, radii = random.uniform(-1, np.array(shape)), random.uniform(0.6, 4.5, 3)
        scaled = [(axes[i] - centre[i]) / radii[i] for i in range(3)]
        mask |= sum(one**2 for one in scaled) <= 1
    for _ in range(random.integers(0, 3)):
        mask[tuple(random.integers(0, shape))] = True
    mask[tuple(random.integers(0, shape))] ^= bool(random.integers(0, 2))
    if not mask.any():
        mask[tuple(random.integers(0, shape))] = True
    return mask
