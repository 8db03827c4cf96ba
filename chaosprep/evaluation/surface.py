"""How far apart the borders of two masks are, in mm.

As the challenge of Kavur et al. (doi:10.1016/j.media.2020.101950) has it: border voxels by the
6-neighbourhood, distances from centre to centre. Distances are exact but for the 24 bits of float32
that SimpleITK's distance maps have.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chaosprep.evaluation.overlap import Mask

Spacing = tuple[float, float, float]
Distances = NDArray[np.float64]
Gaps = tuple[Distances, Distances]


@dataclass(frozen=True)
class Surface:
    """Distances between two borders, mm; None where one of the masks has no border."""

    assd: float | None = None
    mssd: float | None = None
    hd95: float | None = None


def border(mask: Mask) -> Mask:
    """The voxels of a mask with one of their 6 neighbours outside of it.

    What lies beyond the array is no neighbour: a voxel at its edge is no border for that alone.
    """
    inner = mask.copy()
    for axis in range(mask.ndim):
        here, there = np.moveaxis(inner, axis, 0), np.moveaxis(mask, axis, 0)
        here[1:] &= there[:-1]
        here[:-1] &= there[1:]
    return mask & ~inner


def surface(pred: Mask, ref: Mask, spacing: Spacing) -> Surface:
    """Average, largest and 95th percentile of the distances between two borders.

    ASSD: the mean over the border voxels of both of the distance to the nearest of the other's.
    MSSD: their maximum, the Hausdorff distance. HD95: the larger of the two directions' 95th
    percentiles, linear between ranks, as MONAI and DeepMind's surface-distance take it.

    Equal masks are 0 apart, empty ones too. Otherwise a mask without a border (it is empty, or
    fills the array) has no distance to anything.

    Args:
        pred: boolean (slices, rows, cols).
        ref: the same shape.
        spacing: mm between slices, rows, cols.
    """
    return measured(gaps(pred, ref, spacing))


def gaps(pred: Mask, ref: Mask, spacing: Spacing) -> Gaps | None:
    """The distances from each border voxel to the other border, both ways, mm.

    Equal masks without a border have no distances; None where different ones have none.
    """
    box = around(pred | ref)
    pred, ref = pred[box], ref[box]
    if np.array_equal(pred, ref):
        zeros = np.zeros(np.count_nonzero(border(ref)))
        return zeros, zeros
    borders = border(pred), border(ref)
    if not (borders[0].any() and borders[1].any()):
        return None
    return directed(*borders, spacing), directed(*borders[::-1], spacing)


def measured(found: Gaps | None) -> Surface:
    """What `surface` gives, from the distances."""
    if found is None:
        return Surface()
    there, back = found
    if not there.size:
        return Surface(0.0, 0.0, 0.0)
    assd = (there.sum() + back.sum()) / (there.size + back.size)
    mssd = max(there.max(), back.max())
    hd95 = max(np.percentile(distances, 95) for distances in (there, back))
    return Surface(float(assd), float(mssd), float(hd95))


def within(found: Gaps | None, tolerance: float) -> float:
    """The surface Dice: which part of the border voxels of both is so near to the other border.

    (|p of dP: d(p, dR) <= t| + |r of dR: d(r, dP) <= t|) / (|dP| + |dR|), after Nikolov et al.
    (arXiv:1809.04430). A distance of the tolerance itself is within, to a millionth. Equal masks
    have 1, empty ones too; where only one of two has a border, and where none has, 0.
    """
    if found is None:
        return 0.0
    there, back = found
    if not there.size:
        return 1.0
    near = sum(int(np.count_nonzero(reaches(one, tolerance))) for one in found)
    return near / (there.size + back.size)


def reaches(distances: Distances, tolerance: float) -> Mask:
    """Which distances are at most the tolerance; they are float32's, and 3 times 0.7 is 2.1."""
    return np.asarray(distances <= tolerance * (1 + 1e-6))


def directed(start: Mask, end: Mask, spacing: Spacing) -> Distances:
    """From each voxel of one border to the nearest of another, neither empty: (voxels,) mm."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(end.view(np.uint8))
    image.SetSpacing(spacing[::-1])
    # Squared: float32 holds more of them exactly. A border voxel is 0 from itself, maybe -0.
    squared = SimpleITK.SignedMaurerDistanceMap(
        image, insideIsPositive=False, squaredDistance=True, useImageSpacing=True
    )
    found: Distances = SimpleITK.GetArrayViewFromImage(squared)[start].astype(np.float64)
    found[end[start]] = 0.0  # inside a thick end the map has the way out of it
    return np.sqrt(np.abs(found))


def around(mask: Mask) -> tuple[slice, ...]:
    """The box around a mask with one voxel more on each side, as far as the array goes.

    Outside of it no border can be; within, every voxel has the neighbours that it had.
    """
    box = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        places = np.flatnonzero(mask.any(axis=others))
        box.append(
            slice(max(int(places[0]) - 1, 0), int(places[-1]) + 2) if places.size else slice(0)
        )
    return tuple(box)
