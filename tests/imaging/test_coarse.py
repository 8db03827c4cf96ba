"""A coarse grid: how fine it is, and what its samples are the means of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.imaging.intensity.coarse import Axis, Coarse, coarse_axes

LENGTH = st.floats(1e-3, 1e3)


def test_thin_axes_get_the_grid_and_thick_slices_stay() -> None:
    slices, rows, cols = coarse_axes((30, 256, 320), (7.7, 1.5, 1.25), 4.0, 50.0, 3)
    assert (slices.step, rows.step, cols.step) == (7.7, 4.0, 4.0)


def test_the_grid_reaches_the_last_voxel_in_whole_spans_of_the_distance() -> None:
    for axis in coarse_axes((30, 256, 320), (7.7, 1.5, 1.25), 4.0, 50.0, 3):
        assert axis.length >= (axis.size - 1) * axis.spacing
        assert 200.0 <= axis.length / axis.spans < 200.0 + axis.step


def test_knots_are_four_samples_apart_or_more() -> None:
    slices, _, _ = coarse_axes((30, 256, 320), (20.0, 1.5, 1.25), 4.0, 50.0, 3)
    assert slices.length / (4 * slices.spans) >= 80.0


@given(
    shape=st.tuples(*[st.integers(1, 3000)] * 3),
    spacing=st.tuples(LENGTH, LENGTH, LENGTH),
    grid=st.floats(1, 20),
    distance=st.floats(10, 1000),
)
def test_a_grid_is_bounded_and_no_axis_has_one_sample_only(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], grid: float, distance: float
) -> None:
    axes = coarse_axes(shape, spacing, grid, distance, 3)
    assert np.prod([axis.count for axis in axes]) <= 2**20
    for axis, step in zip(axes, spacing, strict=True):
        assert axis.count > 4
        assert axis.step >= step
        assert axis.spans <= axis.count / 4


def test_samples_are_tent_weighted_means_of_what_is_seen() -> None:
    axes = tuple(
        Axis(size=n, spacing=s, step=g, count=c, spans=1)
        for n, s, g, c in ((5, 3.0, 4.0, 5), (9, 1.5, 4.0, 5), (8, 2.0, 2.0, 9))
    )
    rng = np.random.default_rng(0)
    voxels, mask = rng.random((5, 9, 8)), rng.random((5, 9, 8)) < 0.7
    coarse = Coarse((axes[0], axes[1], axes[2]))
    for index, plane in enumerate(voxels):
        coarse.add(index, plane, mask[index])
    means, seen = coarse.averages(share=0.6)
    grids = np.meshgrid(*(np.arange(a.size) * a.spacing for a in axes), indexing="ij")
    for place in np.ndindex(means.shape):
        tent = np.ones(voxels.shape)
        for axis, lattice, index in zip(axes, grids, place, strict=True):
            tent *= np.maximum(0, 1 - np.abs(lattice - index * axis.step) / axis.step)
        share = (tent * mask).sum() / tent.sum() if tent.any() else 0.0
        assert seen[place] == (share >= 0.6)
        if share:
            assert means[place] == pytest.approx((tent * voxels * mask).sum() / (tent * mask).sum())
        else:
            assert means[place] == 0


def test_a_pattern_of_one_voxel_is_averaged_away() -> None:
    axes = coarse_axes((1, 64, 64), (4.0, 1.0, 1.0), 4.0, 16.0, 1)
    board = (np.indices((64, 64)).sum(axis=0) % 2).astype(float)
    coarse = Coarse(axes)
    coarse.add(0, board, np.ones((64, 64), bool))
    means, seen = coarse.averages()
    assert means[0, 1:15, 1:15] == pytest.approx(0.5)
    assert seen[0, :16, :16].all()
    assert not seen[1:].any()
