"""Masks that are cropped to what they show, on a grid that has room for others too."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from chaosprep.imaging.limits import check_bytes
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.imaging.space.nearest import ENOUGH
from chaosprep.layouts.mask_set import CaseMasks


def widened(masks: CaseMasks, others: Iterable[CaseMasks]) -> CaseMasks:
    """The masks with as many empty voxels around them as it takes to reach around all others.

    Nothing is done where anybody's place is not known, or out of reach.

    Raises:
        FileError: `too-large`.
    """
    lattice, there = masks.lattice, [one.lattice for one in others]
    if lattice is None or lattice.is_flat or not all(there):
        return masks
    corners = np.hstack([one.corners() for one in there if one])
    with np.errstate(all="ignore"):
        places = np.linalg.solve(lattice.steps, corners - lattice.origin[:, None])
    if not np.isfinite(places).all():
        return masks
    before = np.maximum(0, -np.floor(places.min(axis=1) + ENOUGH))
    last = np.array(lattice.shape) - 1
    after = np.maximum(0, np.ceil(places.max(axis=1) - ENOUGH) - last)
    sizes = [int(size) for size in before + last + 1 + after]
    check_bytes(math.prod(sizes), 1)
    room = [(int(low), int(high)) for low, high in zip(before, after, strict=True)]
    wide = Lattice(
        (sizes[0], sizes[1], sizes[2]), lattice.origin - lattice.steps @ before, lattice.steps
    )
    return replace(masks, voxels=np.pad(masks.voxels, room), lattice=wide)
