"""Each change of grey values against its formula, and all of them against their common laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.augmentation import apply
from tests.augmentation.truth import doing, op

BIAS = [0.4, -0.2, 0.1, 0.3, -0.1, 0.0, 0.2, 0.1, -0.3]
EACH = [
    op("gamma", exponent=1.7),
    op("contrast", contrast=1.6, brightness=0.2),
    op("bias", coefficients=BIAS),
    op("blur", sigma=1.2),
    op("ghosting", along="rows", amplitude=1.0, cycles=9.0, phase=0.1),
    op("noise", sigma=0.05, noise_seed=7),
    op("dropout", holes=[[0.1, 0.2, 0.3, 0.1]]),
]


def texture(dtype: str = "float32") -> NDArray[Any]:
    return np.random.default_rng(3).integers(0, 200, (48, 64)).astype(dtype)


def changed(image: NDArray[Any], *operations: dict[str, Any]) -> NDArray[Any]:
    return apply(doing(*operations), image, None)[0]


@pytest.mark.parametrize("operation", EACH, ids=lambda operation: str(operation["operation"]))
def test_grey_values_change_in_the_image_and_never_in_the_mask(operation: dict[str, Any]) -> None:
    image = texture("uint16")
    mask = (image > 100).astype(np.uint8)
    new_image, new_mask = apply(doing(operation), image, mask)
    assert new_mask is not None
    assert np.array_equal(new_mask, mask)
    assert not np.array_equal(new_image, image)
    assert new_image.dtype == image.dtype


@given(
    operations=st.lists(st.sampled_from(EACH), max_size=4),
    dtype=st.sampled_from(["uint8", "uint16", "int16", "float32"]),
    low=st.integers(0, 90),
    seed=st.integers(0, 99),
)
def test_no_value_leaves_the_range_of_the_source(
    operations: list[dict[str, Any]], dtype: str, low: int, seed: int
) -> None:
    image = np.random.default_rng(seed).integers(low, 120, (16, 20)).astype(dtype)
    new = changed(image, op("rotation", degrees=20.0), *operations)
    assert image.min() <= new.min()
    assert new.max() <= image.max()


@pytest.mark.parametrize("operation", EACH, ids=lambda operation: str(operation["operation"]))
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_a_picture_of_one_value_stays_it(dtype: str, operation: dict[str, Any]) -> None:
    flat = np.full((20, 20), 70, dtype)
    assert np.array_equal(changed(flat, operation), flat)


def test_changes_are_on_the_sources_own_range() -> None:
    # The same picture, at another place on another scale, changes in the same way.
    image = texture()
    for operation in EACH:
        other = changed(image * 20 - 500, operation)
        assert np.allclose(other, changed(image, operation) * 20 - 500, atol=0.02)


def test_gamma_is_a_power_of_the_range() -> None:
    image = texture()
    expected = 199 * (image / 199) ** 1.7
    assert np.allclose(changed(image, op("gamma", exponent=1.7)), expected, atol=1e-3)


def test_contrast_stretches_about_the_mean_and_brightness_adds_a_part_of_the_range() -> None:
    image = texture()
    new = changed(image, op("contrast", contrast=0.5, brightness=0.1))
    expected = (image - image.mean()) * 0.5 + image.mean() + 0.1 * 199
    assert np.allclose(new, np.clip(expected, 0, 199), atol=1e-2)


def test_blur_spreads_a_point_as_a_gaussian() -> None:
    point = np.zeros((41, 41), np.float32)
    point[20, 20] = 1000.0
    row, col = np.mgrid[-20:21, -20:21]
    expected = 1000 * np.exp(-(row**2 + col**2) / (2 * 1.5**2)) / (2 * np.pi * 1.5**2)
    assert np.allclose(changed(point, op("blur", sigma=1.5)), expected, atol=0.5)


def test_a_blur_of_no_width_changes_nothing() -> None:
    assert np.allclose(changed(texture(), op("blur", sigma=0.0)), texture(), atol=1e-4)


def test_holes_have_the_least_value_and_lie_where_they_were_drawn() -> None:
    image = texture("uint8") + np.uint8(1)
    new = changed(image, op("dropout", holes=[[0.25, 0.5, 0.5, 0.125]]))
    expected = image.copy()
    expected[12:36, 32:40] = image.min()
    assert np.array_equal(new, expected)


def test_changes_happen_after_the_geometry_in_the_order_of_the_parameters() -> None:
    image = texture()
    gamma, hole = op("gamma", exponent=2.0), op("dropout", holes=[[0.0, 0.0, 0.5, 0.5]])
    one_by_one = changed(changed(image[:, ::-1], gamma), hole)
    assert np.allclose(changed(image, op("flip"), gamma, hole), one_by_one, atol=1e-2)


@given(low=st.floats(-1000, 1000), span=st.floats(0.01, 1000))
def test_no_float_leaves_the_range_by_a_rounding(low: float, span: float) -> None:
    image = np.linspace(low, low + span, 64, dtype=np.float32).reshape(8, 8)
    new = changed(image, op("gamma", exponent=1.0))
    assert image.min() <= new.min()
    assert new.max() <= image.max()
