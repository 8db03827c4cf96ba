from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.augmentation import apply
from chaosprep.augmentation.transform import Transform
from tests.augmentation.truth import doing, op, source_points

part = st.floats(-0.3, 0.3)
degrees = st.floats(-45, 45)
factor = st.floats(0.5, 2.0)
unit = st.floats(0, 1)
side = st.floats(0.2, 1.0)
drawn = st.one_of(
    st.builds(op, st.just("rotation"), degrees=st.floats(-180, 180)),
    st.builds(op, st.just("scale"), factor=factor),
    st.builds(op, st.just("stretch"), ratio=factor),
    st.builds(op, st.just("shear"), degrees=degrees, along=st.sampled_from(["rows", "cols"])),
    st.builds(op, st.just("shift"), rows=part, cols=part),
    st.builds(
        op, st.just("shift_scale_rotate"), degrees=degrees, factor=factor, rows=part, cols=part
    ),
    st.builds(op, st.sampled_from(["flip", "flip_up_down", "transpose"])),
    st.builds(op, st.just("turn"), quarters=st.integers(1, 3)),
    st.builds(op, st.just("crop"), rows=side, cols=side, top=unit, left=unit),
)


@given(operations=st.lists(drawn, max_size=5), rows=st.integers(1, 40), cols=st.integers(1, 40))
def test_one_map_goes_where_the_operations_go_one_after_the_other(
    operations: list[dict[str, Any]], rows: int, cols: int
) -> None:
    parameters = doing(*operations)
    x, y = Transform(parameters, (rows, cols)).maps
    row, col = source_points(parameters, rows, cols)
    assert x.dtype == y.dtype == np.float32
    assert x.shape == y.shape == (rows, cols)
    # float32 keeps seven digits of what may lie some pictures away.
    assert np.allclose(x, col, rtol=1e-6, atol=1e-4)
    assert np.allclose(y, row, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize(("rows", "cols"), [(24, 24), (24, 25), (17, 30)])
@pytest.mark.parametrize("name", ["flip", "flip_up_down"])
def test_flips_are_numpys_exactly_on_any_shape(name: str, rows: int, cols: int) -> None:
    image = np.random.default_rng(1).integers(0, 65536, (rows, cols)).astype(np.uint16)
    expected = np.fliplr(image) if name == "flip" else np.flipud(image)
    for pixels in apply(doing(op(name)), image, image):
        assert pixels is not None
        assert np.array_equal(pixels, expected)


@pytest.mark.parametrize("size", [24, 25])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_of_a_square_are_rot90_exactly(quarters: int, size: int) -> None:
    image = np.random.default_rng(1).integers(0, 65536, (size, size)).astype(np.uint16)
    for pixels in apply(doing(op("turn", quarters=quarters)), image, image):
        assert pixels is not None
        assert np.array_equal(pixels, np.rot90(image, quarters))


def test_a_transposed_square_is_the_transposed_array_exactly() -> None:
    image = np.random.default_rng(1).integers(0, 65536, (25, 25)).astype(np.uint16)
    for pixels in apply(doing(op("transpose")), image, image):
        assert pixels is not None
        assert np.array_equal(pixels, image.T)


@pytest.mark.parametrize("operation", [op("transpose"), *(op("turn", quarters=n) for n in (1, 3))])
def test_no_pixel_is_mixed_where_rows_and_cols_differ_by_an_odd_number(
    operation: dict[str, Any],
) -> None:
    image = np.random.default_rng(1).integers(1, 65536, (9, 14)).astype(np.uint16)
    image[0, 0] = 0
    turned, _ = apply(doing(operation), image, None)
    assert set(np.unique(turned)) <= set(np.unique(image))


@pytest.mark.parametrize("operation", [op("transpose"), op("turn", quarters=1)])
def test_a_picture_that_is_not_square_keeps_its_shape_and_loses_its_ends(
    operation: dict[str, Any],
) -> None:
    image = np.random.default_rng(1).integers(1, 65536, (10, 16)).astype(np.uint16)
    image[0, 0] = 0
    turned = image.T if operation["operation"] == "transpose" else np.rot90(image)
    expected = np.zeros((10, 16), np.uint16)
    expected[:, 3:13] = turned[3:13]
    for pixels in apply(doing(operation), image, image):
        assert pixels is not None
        assert np.array_equal(pixels, expected)


def test_a_positive_shear_along_cols_moves_the_upper_part_right() -> None:
    mask = np.zeros((21, 21), np.uint8)
    mask[2, 10] = 1
    _, sheared = apply(doing(op("shear", degrees=45.0, along="cols")), mask, mask)
    assert sheared is not None
    assert np.argwhere(sheared).tolist() == [[2, 18]]


def test_a_shift_is_a_part_of_each_side() -> None:
    mask = np.zeros((20, 40), np.uint8)
    mask[10, 20] = 1
    _, shifted = apply(doing(op("shift", rows=0.1, cols=-0.1)), mask, mask)
    assert shifted is not None
    assert np.argwhere(shifted).tolist() == [[12, 16]]
