"""A volume on another lattice, beside SimpleITK and by definition: values, labels, no aliasing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.imaging.space.grids import plan_grid, sample_image
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.imaging.space.passage import Passage
from chaosprep.imaging.space.resampling import (
    Kernels,
    image_slice,
    labels_slice,
)

LINEAR: Kernels = ("linear", "linear", "linear")


def turned(degrees: Sequence[float]) -> NDArray[np.float64]:
    """Unit vectors of slices, rows, cols in LPS, turned about x, then about z."""
    x, z = np.deg2rad(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    plain = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], float)
    return np.asarray(about_z @ about_x @ plain)


def lattice(
    shape: tuple[int, int, int],
    origin: Sequence[float] | NDArray[np.float64],
    spacing: Sequence[float],
    degrees: Sequence[float] = (0, 0),
) -> Lattice:
    return Lattice(shape, np.array(origin, float), turned(degrees) * np.array(spacing))


def as_itk(voxels: NDArray[np.float64], where: Lattice) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetOrigin(where.origin.tolist())
    image.SetSpacing(where.spacing[::-1])
    image.SetDirection((where.steps / where.spacing)[:, ::-1].ravel().tolist())
    return image


def resampled_by_itk(voxels: NDArray[np.float64], here: Lattice, there: Lattice) -> NDArray[Any]:
    grid = as_itk(np.zeros(there.shape), there)
    made = SimpleITK.Resample(
        as_itk(voxels, here), grid, SimpleITK.Transform(), SimpleITK.sitkLinear, np.nan
    )
    found: NDArray[Any] = SimpleITK.GetArrayFromImage(made)
    return found


HERE = lattice((7, 12, 14), (-10, 4, 30), (5, 1.5, 2))


@pytest.mark.parametrize(
    "there",
    [
        lattice((12, 14, 15), (-9, 5, 31), (2.5, 1.25, 1.75)),
        lattice((9, 11, 10), (-7, 6, 33), (2, 1.2, 1.3), (25, 0)),
        lattice((9, 10, 8), (-4, 9, 36), (1.4, 1.1, 1.0), (20, 33)),
        lattice((9, 8, 9), (-8, 6, 52), (1.4, 1.4, 1.4), (90, 0)),
    ],
    ids=["along", "tilted", "oblique", "coronal"],
)
def test_finer_voxels_have_the_values_of_simpleitk(there: Lattice) -> None:
    voxels = np.random.default_rng(1).normal(size=HERE.shape)
    passage = Passage.between(HERE, there)
    ends = (-9.0, 9.0)
    made = np.stack([image_slice(voxels, ends, passage, k, LINEAR) for k in range(there.shape[0])])
    expected = resampled_by_itk(voxels, HERE, there)
    within = ~np.isnan(expected)
    assert within.mean() > 0.2
    assert np.abs(made - expected)[within].max() < 1e-4  # places are rounded to 1e-5 of a voxel


def test_beyond_is_what_simpleitk_leaves_out() -> None:
    there = lattice((9, 12, 15), (-16, 0, 22), (6, 2, 2.2), (20, 33))
    passage = Passage.between(HERE, there)
    expected = np.isnan(resampled_by_itk(np.zeros(HERE.shape), HERE, there))
    nothing = np.zeros(there.shape[1:], bool)
    found = [passage.beyond(k) for k in range(there.shape[0])]
    assert np.array_equal([nothing if one is None else one for one in found], expected)
    assert 0 < expected.sum() < expected.size


def test_in_its_plane_a_slice_is_resampled_as_slices_that_stay() -> None:
    image = np.random.default_rng(2).integers(0, 4000, (12, 14)).astype(np.uint16)
    grid = plan_grid((12, 14), (1.5, 2.0), spacing=2.75, size=None, fit="both")
    rows, cols = grid.shape
    origin = HERE.origin + HERE.steps @ (0, grid.rows.offset, grid.cols.offset)
    there = Lattice((1, rows, cols), origin, HERE.steps * (1, grid.rows.step, grid.cols.step))
    passage = Passage.between(lattice((1, 12, 14), HERE.origin, (5, 1.5, 2)), there)
    ends = float(image.min()), float(image.max())
    found = image_slice(image[None], ends, passage, 0, ("linear", "cubic", "cubic"))
    assert np.abs(found.astype(int) - sample_image(grid, image)).max() <= 1


@pytest.mark.parametrize("kernel", ["linear", "cubic"])
@pytest.mark.parametrize("degrees", [(0, 0), (0, 30)])
def test_thicker_slices_show_the_mean_of_what_alternates(
    kernel: str, degrees: tuple[float, float]
) -> None:
    """A sample at every other slice would be all bright or all dark."""
    voxels = np.zeros((24, 9, 9))
    voxels[::2] = 100.0
    here = lattice(voxels.shape, (0, 0, 0), (2, 1, 1))
    there = lattice((5, 4, 4), (3, 3, 8), (6, 1, 1), degrees)
    passage = Passage.between(here, there)
    kernels: Kernels = (kernel, "linear", "linear")  # type: ignore[assignment]
    middle = image_slice(voxels, (0.0, 100.0), passage, 2, kernels)
    assert middle == pytest.approx(50, abs=12)


def test_integers_are_rounded_once_and_keep_their_type() -> None:
    voxels = np.array([[[0]], [[1]], [[1]]], np.int16) * np.ones((1, 4, 4), np.int16)
    here = lattice(voxels.shape, (0, 0, 0), (4, 1, 1))
    passage = Passage.between(here, lattice((2, 4, 4), (0, 0, 2.4), (1, 1, 1)))
    found = image_slice(voxels, (0.0, 1.0), passage, 0, ("linear", "cubic", "cubic"))
    assert found.dtype == np.int16
    assert (found == 1).all()  # 0.6 between the first two


def shares(voxels: NDArray[Any], here: Lattice, there: Lattice) -> NDArray[np.float64]:
    """Label -> its trilinear share of each voxel, by SimpleITK: (labels, slices, rows, cols)."""
    labels = np.unique(voxels)
    return np.stack(
        [resampled_by_itk((voxels == one).astype(float), here, there) for one in labels]
    )


@given(
    seed=st.integers(0, 2**32 - 1),
    degrees=st.tuples(st.floats(-60, 60), st.floats(-180, 180)),
    spacing=st.tuples(*[st.floats(0.8, 6)] * 3),
)
@settings(max_examples=25)
def test_labels_go_by_the_largest_share_and_none_is_made_up(
    seed: int, degrees: tuple[float, float], spacing: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(seed)
    voxels = np.kron(rng.choice([0, 63, 252], (4, 4, 5)), np.ones((2, 3, 3))).astype(np.uint8)
    here = lattice(voxels.shape, (0, 0, 0), (5, 1.5, 2))
    middle = here.origin + here.steps @ (3.5, 5.5, 7.0)
    offset = turned(degrees) * np.array(spacing) @ (2.0, 3.0, 3.0)
    there = lattice((5, 7, 7), middle - offset, spacing, degrees)
    passage = Passage.between(here, there)
    labels = np.unique(voxels).tolist()
    made = np.stack([labels_slice(voxels, labels, passage, k) for k in range(5)])
    assert set(np.unique(made)) <= set(labels)
    found = shares(voxels, here, there)
    own = np.take_along_axis(found, np.searchsorted(labels, made)[None], axis=0)[0]
    within = ~np.isnan(own)
    assert within.any()
    assert (own >= found.max(axis=0) - 1e-4)[within].all()


def test_of_equal_shares_the_nearest_voxel_has_it() -> None:
    voxels = np.array([1, 2, 2], np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    here = lattice(voxels.shape, (0, 0, 0), (4, 1, 1))
    passage = Passage.between(here, lattice((1, 2, 2), (0, 0, 2.0), (1, 1, 1)))
    assert (labels_slice(voxels, [1, 2], passage, 0) == 2).all()  # the one further on
    assert (labels_slice(voxels, [1, 2], passage, 0, "nearest") == 2).all()
