"""Laying a volume on a lattice: voxels go where they lie, or not at all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.errors import FileError
from chaosprep.imaging.space.lattice import Lattice, Volume, laid_on, stack_lattice

OBLIQUE = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)


def volume() -> Volume:
    lattice = stack_lattice((3, 4, 5), (1.5, -20.0, 33.5), OBLIQUE, (5.5, 1.9, 1.2))
    return Volume(np.arange(60).reshape(3, 4, 5), lattice)


def moved(found: Volume, mm: float) -> Volume:
    lattice = found.lattice
    origin = lattice.origin + np.array((mm, 0, 0))
    return Volume(found.voxels, Lattice(lattice.shape, origin, lattice.steps))


@given(st.permutations((0, 1, 2)), st.lists(st.booleans(), min_size=3, max_size=3))
def test_axes_are_swapped_and_flipped_back(order: list[int], flips: list[bool]) -> None:
    found = volume()
    steps = found.lattice.steps[:, order]
    voxels, origin = found.voxels.transpose(order), found.lattice.origin.copy()
    for axis in [axis for axis in range(3) if flips[axis]]:
        origin += steps[:, axis] * (voxels.shape[axis] - 1)
        steps[:, axis] = -steps[:, axis]
        voxels = np.flip(voxels, axis)
    i, j, k = voxels.shape
    other = Volume(voxels, Lattice((i, j, k), origin, steps))
    assert np.array_equal(laid_on(other, found.lattice), found.voxels)


def test_a_tenth_of_a_voxel_is_rounding_more_is_another_grid() -> None:
    found = volume()
    assert np.array_equal(laid_on(moved(found, 0.119), found.lattice), found.voxels)
    with pytest.raises(FileError, match=r"corners lie 0\.121 mm"):
        laid_on(moved(found, 0.121), found.lattice)


def test_another_size_spacing_or_direction_is_another_grid() -> None:
    found = volume()
    shorter = stack_lattice((3, 4, 4), (1.5, -20.0, 33.5), OBLIQUE, (5.5, 1.9, 1.2))
    with pytest.raises(FileError, match="they are 3x4x5, the reference's 3x4x4"):
        laid_on(found, shorter)
    for orientation, between in ((OBLIQUE, 2.7), ((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), 5.5)):
        other = stack_lattice((3, 4, 5), (1.5, -20.0, 33.5), orientation, (between, 1.9, 1.2))
        with pytest.raises(FileError) as error:
            laid_on(found, other)
        assert error.value.code == "grid-mismatch"
