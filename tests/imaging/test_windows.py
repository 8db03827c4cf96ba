"""Windows: exact percentiles, and the mapping to 8 bit."""

import sys
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from chaosprep.imaging.windows import Histogram, apply_table, apply_window, window_table

SMALL = [np.uint8, np.int8, np.uint16, np.int16]
shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)
slices = st.lists(
    st.sampled_from([*SMALL, np.uint32, np.int32]).flatmap(lambda t: hnp.arrays(t, shapes)),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module", params=["by NumPy", "by OpenCV"], autouse=True)
def _both_ways(request: pytest.FixtureRequest) -> Iterator[None]:
    """A process that has loaded OpenCV, and one that has not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cv2", cv2 if request.param == "by OpenCV" else None)
        yield


def counted(arrays: list[NDArray[Any]]) -> Histogram:
    histogram = Histogram()
    for array in arrays:
        histogram.add(array)
    return histogram


def pooled(arrays: list[NDArray[Any]]) -> NDArray[np.float64]:
    return np.concatenate([array.ravel().astype(np.float64) for array in arrays])


@given(slices)
def test_the_window_is_numpys_percentiles_of_all_values(arrays: list[NDArray[Any]]) -> None:
    expected = np.percentile(pooled(arrays), [0.5, 99.5])
    assert counted(arrays).percentile_window() == tuple(expected.tolist())


@given(slices, st.floats(0, 100), st.floats(0, 100))
def test_any_percentile_is_numpys(arrays: list[NDArray[Any]], low: float, high: float) -> None:
    expected = np.percentile(pooled(arrays), [low, high])
    assert counted(arrays).percentile_window(low, high) == tuple(expected.tolist())


@given(slices)
def test_minmax_is_over_all_slices(arrays: list[NDArray[Any]]) -> None:
    values = pooled(arrays)
    assert counted(arrays).minmax() == (values.min(), values.max())


def test_floats_are_exact_too() -> None:
    values = np.array([[0.1, 0.2], [0.7, 1e9]])
    assert counted([values]).percentile_window() == tuple(np.percentile(values, [0.5, 99.5]))


def test_a_large_series_is_exact() -> None:
    generator = np.random.default_rng(1)
    arrays = [generator.integers(0, 1600, (64, 64)).astype(np.uint16) for _ in range(5)]
    expected = np.percentile(pooled(arrays), [0.5, 99.5])
    assert counted(arrays).percentile_window() == tuple(expected)


def test_memory_does_not_grow_with_the_slices() -> None:
    histogram = Histogram()
    before = histogram._table.nbytes
    for _ in range(20):
        histogram.add(np.full((8, 8), 40000, dtype=np.uint16))
    assert histogram._table.nbytes == before
    assert histogram._others == {}


def test_an_empty_histogram_has_no_window() -> None:
    with pytest.raises(ValueError, match="empty"):
        Histogram().minmax()
    with pytest.raises(ValueError, match="empty"):
        Histogram().percentile_window()


def by_hand(value: int, low: float, high: float) -> int:
    """Python's round is half to even, as rint is."""
    return min(255, max(0, round((value - low) * 255 / (high - low))))


@pytest.mark.parametrize("dtype", SMALL)
@pytest.mark.parametrize(("low", "high"), [(0, 510), (-20.5, 1000.25), (10, 11), (-900, 40000)])
def test_every_value_is_mapped_by_the_formula(
    dtype: type[np.integer], low: float, high: float
) -> None:
    info = np.iinfo(dtype)
    values = np.arange(info.min, info.max + 1).astype(dtype).reshape(16, -1)
    expected = [by_hand(int(value), low, high) for value in values.ravel()]
    for mapped in (
        apply_window(values, low, high),
        apply_window(values.astype(np.int32), low, high),
        apply_table(values, window_table(low, high, dtype)),
    ):
        assert mapped.dtype == np.uint8
        assert mapped.shape == values.shape
        assert mapped.ravel().tolist() == expected


def test_halves_go_to_the_even_neighbour() -> None:
    mapped = apply_window(np.array([[1, 3, 5, 7]], dtype=np.uint16), 0, 510)
    assert mapped.tolist() == [[0, 2, 2, 4]]  # 0.5, 1.5, 2.5, 3.5


def test_values_outside_are_clipped() -> None:
    mapped = apply_window(np.array([[-32768, 99, 100, 200, 32767]], dtype=np.int16), 100, 200)
    assert mapped.tolist() == [[0, 0, 0, 255, 255]]


@pytest.mark.parametrize(("low", "high"), [(5, 5), (9, 3), (0, float("nan"))])
def test_a_window_without_width_is_black(low: float, high: float) -> None:
    for dtype in (np.uint16, np.int32):
        assert not apply_window(np.array([[1, 5, 9]], dtype=dtype), low, high).any()


def test_byte_order_and_strides_do_not_matter() -> None:
    values = np.arange(24, dtype=np.uint16).reshape(4, 6)
    expected = apply_window(values, 2, 20)
    np.testing.assert_array_equal(apply_window(values.astype(">u2"), 2, 20), expected)
    np.testing.assert_array_equal(apply_window(values.T, 2, 20), expected.T)
    np.testing.assert_array_equal(apply_window(values[:, ::2], 2, 20), expected[:, ::2])


def test_a_table_for_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="256 entries"):
        apply_table(np.zeros((2, 2), np.uint16), window_table(0, 9, np.uint8))
    with pytest.raises(TypeError, match="int32"):
        window_table(0, 9, np.int32)


def test_a_window_as_wide_as_all_numbers_gives_a_picture_without_a_warning() -> None:
    array = np.array([[0, 255]], dtype=np.uint8)
    assert apply_window(array, -7e306, 7e306).dtype == np.uint8
