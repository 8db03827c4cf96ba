"""Where an image lies in the grid of a mask: exactly, or not at all."""

from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.imaging.space.placing import image_grid, locate
from tests.formats.samples import header

SHAPE = (5, 3, 4)  # slices, rows, cols
SPACING = (5.5, 1.25, 1.5)
SIGNS = list(product((False, True), repeat=3))

Cosines = NDArray[np.float64]


def turned(alpha: float, beta: float, gamma: float) -> Cosines:
    """Three directions at right angles, in columns: of the rows, of the columns, of the slices."""
    made = np.eye(3)
    for pair, angle in (((0, 1), alpha), ((0, 2), beta), ((1, 2), gamma)):
        step = np.eye(3)
        cos, sin = np.cos(angle), np.sin(angle)
        step[np.ix_(pair, pair)] = [[cos, -sin], [sin, cos]]
        made = made @ step
    return made


def image(place: int, axes: Cosines, **changes: object) -> Lattice:
    """Slice `place` of a series: rows run along the first axis, columns along the second."""
    right, down, normal = axes.T
    values: dict[str, Any] = {
        "rows": SHAPE[1],
        "cols": SHAPE[2],
        "pixel_spacing": SPACING[1:],
        "image_position_patient": tuple(np.array([-30.0, 12.5, 7.0]) + place * SPACING[0] * normal),
        "image_orientation_patient": (*right, *down),
    }
    return image_grid(header(**(values | changes)))


def mask(
    axes: Cosines, order: tuple[int, ...], flips: tuple[bool, ...]
) -> tuple[Lattice, NDArray[Any]]:
    """The same place as a volume whose axes are exchanged and flipped, and its voxels.

    The voxel at slice s, row r, column c holds 100 s + 10 r + c.
    """
    s, r, c = np.indices(SHAPE)
    voxels = 100 * s + 10 * r + c
    right, down, normal = axes.T
    steps = np.column_stack([normal * SPACING[0], down * SPACING[1], right * SPACING[2]])
    origin = np.array([-30.0, 12.5, 7.0])
    for axis, flip in enumerate(flips):
        if flip:
            voxels = np.flip(voxels, axis)
            origin = origin + steps[:, axis] * (SHAPE[axis] - 1)
            steps[:, axis] *= -1
    voxels = voxels.transpose(order)
    return Lattice(
        (voxels.shape[0], voxels.shape[1], voxels.shape[2]), origin, steps[:, order]
    ), voxels


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("flips", SIGNS)
def test_exchanged_and_flipped_axes_give_every_pixel_its_own_voxel(
    order: tuple[int, ...], flips: tuple[bool, ...]
) -> None:
    grid, voxels = mask(np.eye(3), order, flips)
    for place in range(SHAPE[0]):
        found = locate(image(place, np.eye(3)), grid).take(voxels, *SHAPE[1:])
        r, c = np.indices(SHAPE[1:])
        assert np.array_equal(found, 100 * place + 10 * r + c)


ANGLE = st.floats(-3, 3)


@given(ANGLE, ANGLE, ANGLE, st.permutations(range(3)), st.sampled_from(SIGNS))
def test_an_oblique_series_is_found_all_the_same(
    alpha: float, beta: float, gamma: float, order: list[int], flips: tuple[bool, ...]
) -> None:
    axes = turned(alpha, beta, gamma)
    grid, voxels = mask(axes, tuple(order), flips)
    found = locate(image(3, axes), grid).take(voxels, *SHAPE[1:])
    r, c = np.indices(SHAPE[1:])
    assert np.array_equal(found, 300 + 10 * r + c)


def shifted(**changes: object) -> str:
    grid, _ = mask(np.eye(3), (0, 1, 2), (False, False, False))
    with pytest.raises(FileError) as caught:
        locate(image(1, np.eye(3), **changes), grid)
    assert caught.value.code == "mask-grid"
    return caught.value.reason


def test_a_shift_within_the_plane_is_an_error() -> None:
    assert "off the pixels" in shifted(image_position_patient=(-30.08, 12.5, 12.5))
    assert "off the pixels" in shifted(image_position_patient=(-29.25, 12.5, 12.5))


def test_a_shift_across_the_planes_is_an_error() -> None:
    assert "off the pixels" in shifted(image_position_patient=(-30.0, 12.5, 12.9))


def test_the_rounding_of_headers_is_none() -> None:
    grid, _ = mask(np.eye(3), (0, 1, 2), (False, False, False))
    locate(image(1, np.eye(3), image_position_patient=(-30.07, 12.56, 12.75)), grid)


def test_another_spacing_is_an_error() -> None:
    assert "off the pixels" in shifted(pixel_spacing=(1.25, 1.53))
    assert "rows and columns" in shifted(pixel_spacing=(2.5, 3.0))


def test_another_direction_is_an_error() -> None:
    cosines = (np.cos(0.03), np.sin(0.03), 0, -np.sin(0.03), np.cos(0.03), 0)
    assert "off the pixels" in shifted(image_orientation_patient=cosines)
    half = (np.cos(0.8), np.sin(0.8), 0, -np.sin(0.8), np.cos(0.8), 0)
    assert "rows and columns" in shifted(image_orientation_patient=half)


def test_a_part_of_the_plane_is_not_the_plane() -> None:
    assert "area" in shifted(rows=2)
    assert "area" in shifted(cols=5)
    assert "area" in shifted(image_position_patient=(-28.5, 12.5, 12.5))


def test_an_image_without_geometry_is_an_error() -> None:
    for missing in ("image_position_patient", "image_orientation_patient", "pixel_spacing"):
        with pytest.raises(FileError) as caught:
            image(0, np.eye(3), **{missing: None})
        assert caught.value.code == "mask-grid"


@pytest.mark.parametrize("place", [-1, 5])
def test_an_image_beyond_the_mask_has_none(place: int) -> None:
    grid, _ = mask(np.eye(3), (0, 1, 2), (False, False, False))
    with pytest.raises(FileError) as caught:
        locate(image(place, np.eye(3)), grid)
    assert caught.value.code == "mask-missing"


@pytest.mark.parametrize("steps", [np.zeros((3, 3)), np.ones((3, 3)), np.full((3, 3), np.nan)])
def test_a_grid_that_spans_no_space_is_an_error(steps: NDArray[np.float64]) -> None:
    with pytest.raises(FileError) as caught:
        locate(image(0, np.eye(3)), Lattice((5, 3, 4), np.zeros(3), steps))
    assert caught.value.code == "mask-grid"
