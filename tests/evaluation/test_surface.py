"""Distances between borders: against all pairs of points, spheres, and what must not matter."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.evaluation.surface import Spacing, Surface, border, surface
from tests.evaluation.truth import border_points, random_mask, surface_metrics

Mask = NDArray[np.bool_]
FLOAT32 = 1e-6  # of a distance: SimpleITK's maps have 24 bits


def some(seed: int) -> tuple[Mask, Mask, Spacing]:
    """Two masks of one small shape, and an anisotropic spacing."""
    random = np.random.default_rng(seed)
    i, j, k = (int(size) for size in random.integers(1, 11, 3))
    masks = random_mask(random, (i, j, k)), random_mask(random, (i, j, k))
    slices, rows, cols = (float(length) for length in random.uniform(0.4, 7.7, 3))
    return *masks, (slices, rows, cols)


def numbers(found: Surface) -> tuple[float, float, float]:
    assert found.assd is not None
    assert found.mssd is not None
    assert found.hd95 is not None
    return found.assd, found.mssd, found.hd95


def ball(radius: float, centre: Spacing, spacing: Spacing, side: float = 60.0) -> Mask:
    """The voxels whose centres lie in a ball, in a cube of `side` mm."""
    shape = [round(side / length) for length in spacing]
    mm = [(index + 0.5) * length for index, length in zip(np.indices(shape), spacing, strict=True)]
    away = sum((one - middle) ** 2 for one, middle in zip(mm, centre, strict=True))
    return np.asarray(away <= radius**2)


@pytest.mark.parametrize("decade", range(20))
def test_distances_are_those_of_all_pairs_of_border_voxels(decade: int) -> None:
    for seed in range(10 * decade, 10 * decade + 10):
        pred, ref, spacing = some(seed)
        if border(pred).any() and border(ref).any():
            expected = surface_metrics(pred, ref, spacing)
            assert numbers(surface(pred, ref, spacing)) == pytest.approx(expected, rel=FLOAT32)
        else:
            assert pred.all() or ref.all()


def test_border_voxels_are_those_of_the_definition() -> None:
    for seed in range(20):
        mask, _, spacing = some(seed)
        expected = border_points(mask, spacing)
        assert np.array_equal(np.argwhere(border(mask)) * spacing, expected)


def test_the_edge_of_the_volume_makes_no_border() -> None:
    mask = np.zeros((3, 3, 4), dtype=bool)
    mask[:, :, :2] = True
    assert set(np.argwhere(border(mask))[:, 2]) == {1}


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.5)])
def test_concentric_spheres_lie_the_difference_of_their_radii_apart(spacing: Spacing) -> None:
    pred, ref = (ball(radius, (30.0, 30.0, 30.0), spacing) for radius in (20, 14))
    assd, mssd, hd95 = numbers(surface(pred, ref, spacing))
    voxel = math.hypot(*spacing)  # each border lies within one voxel below its radius
    assert assd == pytest.approx(6, abs=voxel / 2)
    assert hd95 == pytest.approx(6, abs=voxel)
    assert mssd == pytest.approx(6, abs=voxel)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.5)])
def test_shifted_spheres_have_the_shift_as_hausdorff_distance(spacing: Spacing) -> None:
    """From the far pole of one, radius and shift from the other's centre. The mean over the sphere
    of its distance to the other, | |p + shift| - r |, is shift / 2 to the first order."""
    shift = 6.0
    pred = ball(15, (30.0, 30.0, 33.0), spacing)
    ref = ball(15, (30.0, 30.0, 27.0), spacing)
    assd, mssd, _ = numbers(surface(pred, ref, spacing))
    voxel = math.hypot(*spacing)
    assert mssd == pytest.approx(shift, abs=voxel)
    assert assd == pytest.approx(shift / 2, abs=voxel / 2)


def test_two_single_voxels_are_their_centres_apart() -> None:
    pred, ref = np.zeros((4, 5, 6), dtype=bool), np.zeros((4, 5, 6), dtype=bool)
    pred[0, 0, 0] = ref[3, 4, 5] = True
    apart = math.hypot(3 * 5.5, 4 * 1.9, 5 * 1.2)
    assert numbers(surface(pred, ref, (5.5, 1.9, 1.2))) == pytest.approx((apart,) * 3, rel=FLOAT32)


def test_hd95_is_the_larger_of_the_two_directions() -> None:
    """10 voxels agree, one is 21 mm off; of the 21 distances of both directions pooled, rank 19
    would be 0."""
    pred, ref = np.zeros((1, 3, 40), dtype=bool), np.zeros((1, 3, 40), dtype=bool)
    ref[0, 1, :10] = True
    pred[0, 1, :10] = pred[0, 1, 30] = True
    rank_9_and_a_half = (0 + 21) / 2  # of ten times 0 and once 21
    assert surface(pred, ref, (1.0, 1.0, 1.0)).hd95 == pytest.approx(rank_9_and_a_half)


def test_equal_masks_are_0_apart_empty_and_full_ones_too() -> None:
    nothing = np.zeros((2, 3, 4), dtype=bool)
    blob = nothing.copy()
    blob[1, 1, 1:3] = True
    for mask in (nothing, ~nothing, blob):
        assert surface(mask, mask, (1.0, 1.0, 1.0)) == Surface(0, 0, 0)


def test_a_mask_without_a_border_has_no_distance() -> None:
    nothing = np.zeros((2, 3, 4), dtype=bool)
    blob = nothing.copy()
    blob[1, 1, 1:3] = True
    for pred, ref in ((nothing, blob), (blob, nothing), (~nothing, blob), (nothing, ~nothing)):
        assert surface(pred, ref, (1.0, 1.0, 1.0)) == Surface(None, None, None)


@given(st.integers(0, 10_000))
def test_the_sides_do_not_matter(seed: int) -> None:
    pred, ref, spacing = some(seed)
    assert surface(pred, ref, spacing) == surface(ref, pred, spacing)


@given(st.integers(0, 10_000), st.permutations((0, 1, 2)), st.sets(st.integers(0, 2)))
def test_axes_may_be_swapped_and_flipped_with_their_spacing(
    seed: int, order: list[int], flips: set[int]
) -> None:
    pred, ref, spacing = some(seed)
    here, there = (np.flip(mask, tuple(flips)).transpose(order) for mask in (pred, ref))
    slices, rows, cols = (spacing[axis] for axis in order)
    expected, found = surface(pred, ref, spacing), surface(here, there, (slices, rows, cols))
    if expected.assd is None:
        assert found == expected
    else:
        assert numbers(found) == pytest.approx(numbers(expected), rel=FLOAT32)


@given(st.integers(0, 10_000))
def test_empty_space_around_does_not_matter(seed: int) -> None:
    """Beyond the edge lies nothing; a mask that touches no edge does not see how far it goes."""
    pred, ref, spacing = some(seed)
    tight, wide = (surface(np.pad(pred, w), np.pad(ref, w), spacing) for w in (1, 4))
    assert wide == tight
