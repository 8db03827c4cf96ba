"""The surface Dice of Nikolov et al. (arXiv:1809.04430): by the area of surface elements.

An element lies where 8 voxels meet (4 in a single slice), some of them in the mask and some not:
the piece of surface that marching cubes put there (Lorensen and Cline 1987). Its distance is that
from this corner to the nearest such corner of the other mask. What lies beyond the array is outside
of the mask, so a cut by the edge is surface here, which it is not for border voxels.
"""

from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from chaosprep.evaluation.overlap import Mask
from chaosprep.evaluation.surface import Spacing, around, directed, reaches

Codes = NDArray[np.uint8]
Areas = NDArray[np.float64]
Pieces = tuple[tuple[int, ...], ...]

_CUBE: dict[int, Pieces] = {
    0b00000001: ((1, 1, 1),),
    0b00000011: ((4, 4, 0),),
    0b00000110: ((2, 2, 2),),
    0b00000111: ((4, 0, 0), (3, 3, 3)),
    0b00001111: ((8, 0, 0),),
    0b00010110: ((3, 3, 3),),
    0b00010111: ((6, 6, 6),),
    0b00011000: ((2, 2, 2),),
    0b00011001: ((0, 4, 4), (1, 1, 1)),
    0b00011011: ((0, 2, 2), (2, 0, 2), (4, 4, 4)),
    0b00011110: ((4, 0, 0), (4, 4, 4)),
    0b00111100: ((8, 8, 0),),
    0b01101001: ((4, 4, 4),),
}
"""The kinds of corners: which voxels are in the mask, voxel (i, j, k) being bit 4i + 2j + k, and
the vectors of area of the pieces in eighths of a face; every other is one of these turned, mirrored
or the inside out. Pieces of one direction are summed.
"""
_SQUARE: dict[int, Pieces] = {0b0001: ((4, 4),), 0b0011: ((8, 0),), 0b0110: ((8, 8),)}
"""The same of the contour in a slice: pixel (i, j) is bit 2i + j, eighths of an edge."""


def within_elements(pred: Mask, ref: Mask, spacing: Spacing, tolerance: float) -> float:
    """The part of the area of both surfaces that is so near to the other surface.

    Both empty: 1, where the reference implementation has NaN; one empty: 0. A single slice has a
    contour, and lengths for areas.

    Args:
        pred: boolean (slices, rows, cols).
        ref: the same shape.
        spacing: mm between slices, rows, cols.
        tolerance: mm; a distance of the tolerance itself is within, to a millionth.
    """
    box = around(pred | ref)
    pred, ref = pred[box], ref[box]
    if np.array_equal(pred, ref):
        return 1.0
    if not (pred.any() and ref.any()):
        return 0.0
    areas = _areas(spacing, flat=len(pred) == 1)
    codes = _codes(pred), _codes(ref)
    corners = [(one > 0) & (one < len(areas) - 1) for one in codes]
    near = total = 0.0
    for here, there in ((0, 1), (1, 0)):
        distances = directed(corners[here], corners[there], spacing)
        weights = areas[codes[here][corners[here]]]
        near += float(weights[reaches(distances, tolerance)].sum())
        total += float(weights.sum())
    return near / total


def _codes(mask: Mask) -> Codes:
    """Of each corner of voxels, which of those around it are in the mask: one more on each axis.

    A single slice stays one, and its corners have 4 pixels.
    """
    axes = (1, 2) if len(mask) == 1 else (0, 1, 2)
    padded = np.pad(mask, [(1, 1) if axis in axes else (0, 0) for axis in range(3)])
    sizes = [size - 1 if axis in axes else size for axis, size in enumerate(padded.shape)]
    codes = np.zeros(sizes, np.uint8)
    for bit, steps in enumerate(product((0, 1), repeat=len(axes))):
        moved = dict(zip(axes, steps, strict=True))
        part = tuple(slice(moved.get(a, 0), moved.get(a, 0) + sizes[a]) for a in range(3))
        codes |= padded[part].astype(np.uint8) << bit
    return codes


def _areas(spacing: Spacing, *, flat: bool) -> Areas:
    """The area of the element of every code, mm2; of a contour its length, mm."""
    lengths = spacing[1:] if flat else spacing
    kinds = _SQUARE if flat else _CUBE
    count = len(lengths)
    faces = np.array([np.prod(lengths) / length for length in lengths])
    areas = np.zeros(1 << (1 << count))
    for kind, pieces in kinds.items():
        for order in permutations(range(count)):
            turned = np.array([[piece[axis] for axis in order] for piece in pieces])
            area = np.linalg.norm(turned / 8 * faces, axis=1).sum()
            for mirror in product((0, 1), repeat=count):
                code = _moved(kind, order, mirror)
                areas[[code, len(areas) - 1 - code]] = area
    return areas


def _moved(code: int, order: tuple[int, ...], mirror: tuple[int, ...]) -> int:
    """The code of the same voxels with their axes in another order, some of them mirrored."""
    moved = 0
    for bit, place in enumerate(product((0, 1), repeat=len(order))):
        if code >> bit & 1:
            new = [place[axis] ^ side for axis, side in zip(order, mirror, strict=True)]
            moved |= 1 << sum(one << (len(order) - 1 - at) for at, one in enumerate(new))
    return moved
