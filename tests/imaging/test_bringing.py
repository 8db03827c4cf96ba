"""Labels on another lattice: SimpleITK's nearest voxel, whatever the axes and directions are."""

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

from chaosprep.imaging.space.bringing import brought, reach, shown_beyond
from chaosprep.imaging.space.lattice import Lattice, Volume

Random = np.random.Generator


def turned(random: Random, mirrored: bool) -> NDArray[np.float64]:
    """Three unit axes at right angles, in any directions."""
    axes, _ = np.linalg.qr(random.normal(size=(3, 3)))
    axes[:, 0] *= np.sign(np.linalg.det(axes)) * (-1 if mirrored else 1)
    return np.asarray(axes)


def lattice(random: Random, axes: NDArray[np.float64], size: float) -> Lattice:
    """About `size` mm around a place near (30, -50, 70), with voxels of any three lengths.

    Never right around it: two lattices with one middle have middles between two voxels.
    """
    spacing = random.uniform(1.1, 6.0, 3)
    i, j, k = (int(n) for n in np.ceil(size / spacing))
    steps = axes * spacing
    origin = random.normal((30.0, -50, 70)) - steps @ (np.array((i, j, k)) - 1) / 2
    return Lattice((i, j, k), origin, steps)


def as_image(voxels: NDArray[np.uint8], place: Lattice) -> SimpleITK.Image:
    """ITK's axes run the other way round: the last of the array is x."""
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing(place.spacing[::-1])
    image.SetOrigin(place.origin.tolist())
    image.SetDirection((place.steps / place.spacing)[:, ::-1].ravel().tolist())
    return image


@pytest.mark.parametrize("seed", range(12))
def test_the_nearest_voxel_is_the_one_that_simpleitk_finds(seed: int) -> None:
    random = np.random.default_rng(seed)
    own = turned(random, mirrored=bool(seed % 2))
    if seed % 3 == 0:  # the same axes, exchanged and running backwards
        other = own[:, random.permutation(3)] * random.choice((-1, 1), 3)
    else:
        other = turned(random, mirrored=False)
    here, there = lattice(random, own, 60), lattice(random, other, 24)
    voxels = random.integers(1, 9, here.shape, dtype=np.uint8)
    empty = SimpleITK.Image(there.shape[::-1], SimpleITK.sitkUInt8)
    grid = as_image(SimpleITK.GetArrayFromImage(empty), there)
    image = as_image(voxels, here)
    expected = SimpleITK.Resample(image, grid, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor)
    assert reach(here, there) == 0
    found = brought(Volume(voxels, here), there)
    assert np.array_equal(found, SimpleITK.GetArrayFromImage(expected))


def straight(shape: tuple[int, int, int], spacing: float, origin: float = 0.0) -> Lattice:
    return Lattice(shape, np.full(3, origin), np.eye(3) * spacing)


def test_a_middle_on_the_outer_face_is_within_and_one_beyond_it_is_not() -> None:
    here = straight((4, 4, 4), 2.0, 1.0)  # faces at 0 and 8
    assert reach(here, straight((9, 9, 9), 1.0)) == 0
    assert reach(here, straight((9, 9, 9), 1.0, 0.5)) == pytest.approx(0.5)
    assert reach(here, straight((9, 9, 9), 1.0, -0.5)) == pytest.approx(0.5)


def test_a_crop_of_one_voxel_is_told_in_mm() -> None:
    full, crop = straight((6, 6, 6), 3.0), straight((5, 6, 6), 3.0)
    assert reach(crop, full) == pytest.approx(1.5)
    assert reach(full, crop) == 0


def test_between_two_voxels_the_further_one_counts_whatever_the_last_digits() -> None:
    here = Volume(np.arange(6, dtype=np.uint8).reshape(6, 1, 1), straight((6, 1, 1), 1.0))
    for noise in (-1e-9, 0.0, 1e-9):
        place = Lattice((5, 1, 1), np.array((0.5 + noise, 0, 0)), np.eye(3))
        assert brought(here, place).ravel().tolist() == [1, 2, 3, 4, 5]


def test_beyond_a_volume_that_shows_nothing_there_it_is_background() -> None:
    here = Volume(np.full((2, 2, 2), 7, np.uint8), straight((2, 2, 2), 1.0, 1.0))
    found = brought(here, straight((4, 4, 4), 1.0), beyond=0)
    expected = np.zeros((4, 4, 4), np.uint8)
    expected[1:3, 1:3, 1:3] = 7
    assert np.array_equal(found, expected)


def test_what_a_volume_shows_beyond_a_lattice_is_counted_in_its_voxels() -> None:
    voxels = np.zeros((5, 5, 5), np.uint8)
    voxels[4, 0, 0] = voxels[2, 2, 2] = voxels[0, 0, 4] = 3
    assert shown_beyond(Volume(voxels, straight((5, 5, 5), 1.0)), straight((4, 5, 5), 1.0)) == 1
    assert shown_beyond(Volume(voxels, straight((5, 5, 5), 1.0)), straight((9, 9, 9), 0.5)) == 0
