import math
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.augmentation.geometry import Maps
from chaosprep.augmentation.sampling import (
    IMAGE_DTYPES,
    LARGEST_SIDE,
    MASK_DTYPES,
    Interpolation,
    MaskSampling,
    check_pixels,
    resample,
    sample_image,
    sample_mask,
)
from chaosprep.augmentation.transform import Transform
from chaosprep.errors import FileError
from tests.augmentation.truth import doing, op, source_points

SHAPES = [(24, 24), (17, 30), (31, 8)]
INTERPOLATIONS: tuple[Interpolation, ...] = ("cubic", "linear", "lanczos4")


def maps_of(rows: int, cols: int, *operations: dict[str, Any]) -> Maps:
    return Transform(doing(*operations), (rows, cols)).maps


def turn(degrees: float) -> dict[str, Any]:
    return op("rotation", degrees=degrees)


def zoom(side: float, top: float = 0.5, left: float = 0.5) -> dict[str, Any]:
    return op("crop", rows=side, cols=side, top=top, left=left)


def noise(dtype: str, rows: int, cols: int) -> NDArray[Any]:
    """Return noise over the whole range of the dtype, both ends included."""
    kind = np.dtype(dtype)
    values = np.random.default_rng(5).random((rows, cols))
    values[0, :2] = 0.0, 1.0
    if kind == np.float32:
        return (values * 2000.0 - 1000.0).astype(kind)
    if kind == np.bool_:
        return values > 0.5
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    return np.rint(low + values * (high - low)).astype(kind)


@pytest.mark.parametrize(("rows", "cols"), SHAPES)
@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_identity_returns_every_image_exactly(dtype: str, rows: int, cols: int) -> None:
    image = noise(dtype, rows, cols)
    resampled = resample(image, maps_of(rows, cols))
    assert resampled.dtype == image.dtype
    assert np.array_equal(resampled, image)


@pytest.mark.parametrize(("rows", "cols"), SHAPES)
@pytest.mark.parametrize("dtype", MASK_DTYPES)
def test_identity_returns_every_mask_exactly(dtype: str, rows: int, cols: int) -> None:
    mask = noise(dtype, rows, cols)
    resampled = sample_mask(mask, maps_of(rows, cols))
    assert resampled.dtype == mask.dtype
    assert np.array_equal(resampled, mask)


def test_identity_keeps_each_of_the_65536_grey_levels() -> None:
    image = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(resample(image, maps_of(256, 256)), image)


@pytest.mark.parametrize(("rows", "cols"), SHAPES)
@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_a_flip_is_the_reversed_columns_exactly(dtype: str, rows: int, cols: int) -> None:
    image = noise(dtype, rows, cols)
    assert np.array_equal(resample(image, maps_of(rows, cols, op("flip"))), image[:, ::-1])


@pytest.mark.parametrize("side", [24, 25])
@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (180, 2), (-90, 3)])
@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_a_quarter_turn_of_a_square_is_rot90_exactly(
    dtype: str, degrees: float, turns: int, side: int
) -> None:
    image = noise(dtype, side, side)
    resampled = resample(image, maps_of(side, side, turn(degrees)))
    assert np.array_equal(resampled, np.rot90(image, turns))


def test_a_quarter_turn_of_a_square_mask_is_rot90_exactly() -> None:
    mask = noise("uint8", 25, 25)
    resampled = sample_mask(mask, maps_of(25, 25, turn(90.0)))
    assert np.array_equal(resampled, np.rot90(mask))


def test_a_positive_rotation_is_counter_clockwise_on_screen() -> None:
    right_of_centre = np.zeros((21, 21), np.uint8)
    right_of_centre[10, 18] = 1
    turned = sample_mask(right_of_centre, maps_of(21, 21, turn(90.0)))
    assert np.argwhere(turned).tolist() == [[2, 10]]


def test_rotation_comes_before_flip() -> None:
    # Right of the centre, turned up-right by 45 degrees, then mirrored to up-left.
    right_of_centre = np.zeros((21, 21), np.uint8)
    right_of_centre[9:12, 17:20] = 1
    turned = sample_mask(right_of_centre, maps_of(21, 21, turn(45.0), op("flip")))
    place = 10 - 8 * math.sqrt(0.5)
    assert np.abs(np.argwhere(turned).mean(axis=0) - place).max() < 0.5


@pytest.mark.parametrize(
    ("down", "right", "top", "left"), [(0, 0, 0, 0), (1, 1, 12, 20), (0.5, 0.25, 6, 5)]
)
def test_a_zoom_of_one_half_is_the_crop_with_each_mask_pixel_doubled(
    down: float, right: float, top: int, left: int
) -> None:
    mask = noise("uint8", 24, 40)
    maps = maps_of(24, 40, zoom(0.5, down, right))
    crop = mask[top : top + 12, left : left + 20]
    assert np.array_equal(sample_mask(mask, maps), np.kron(crop, np.ones((2, 2), np.uint8)))


def test_a_zoomed_ramp_is_the_ramp_over_the_window() -> None:
    ramp = np.tile(np.arange(200, dtype=np.float32) * 100, (100, 1))
    maps = maps_of(100, 200, zoom(0.8))
    # The window starts 20 columns in; its first pixel centre is 0.8 / 2 from that edge.
    expected = (20 + 0.8 * (np.arange(200) + 0.5) - 0.5) * 100
    # 6 grey levels: 1/64 of a column for the sub-pixel steps, and what OpenCV's cubic bends a ramp.
    assert np.abs(resample(ramp, maps)[50] - expected).max() < 1.6 + 5.0


@pytest.mark.parametrize(("rows", "cols"), [(96, 96), (70, 120)])
def test_a_smooth_picture_looks_as_its_formula_does_after_the_transform(
    rows: int, cols: int
) -> None:
    def picture(row: NDArray[np.float64], col: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(-((row - rows * 0.4) ** 2) / 200 - (col - cols * 0.6) ** 2 / 400)

    parameters = doing(turn(25.0), op("flip"), zoom(0.8, 0.5, 0.3))
    image = picture(*np.mgrid[:rows, :cols].astype(np.float64)).astype(np.float32)
    resampled = resample(image, Transform(parameters, (rows, cols)).maps)
    row, col = source_points(parameters, rows, cols)
    inside = (row > 1) & (row < rows - 2) & (col > 1) & (col < cols - 2)
    assert np.abs(resampled - picture(row, col))[inside].max() < 0.005


@given(
    degrees=st.floats(-180, 180),
    dtype=st.sampled_from(IMAGE_DTYPES),
    low=st.integers(0, 40),
    seed=st.integers(0, 99),
)
def test_image_values_never_leave_the_range_of_the_source(
    degrees: float, dtype: str, low: int, seed: int
) -> None:
    # Hard steps between two levels are where a cubic curve overshoots, and a cast would wrap round.
    top = 255 if dtype == "uint8" else 32767
    image = np.random.default_rng(seed).choice([low, top], (20, 26)).astype(dtype)
    resampled = resample(image, maps_of(20, 26, turn(degrees), zoom(0.9)))
    assert image.min() <= resampled.min()
    assert resampled.max() <= image.max()


def test_outside_the_image_lies_its_minimum() -> None:
    image = np.full((30, 30), 700, np.int16)
    image[10:20, 10:20] = -300
    resampled = resample(image, maps_of(30, 30, turn(45.0)))
    assert resampled[0, 0] == resampled[-1, -1] == -300


def test_outside_the_mask_lies_0() -> None:
    mask = np.full((30, 30), 63, np.uint8)
    resampled = sample_mask(mask, maps_of(30, 30, turn(45.0)))
    assert resampled[0, 0] == resampled[-1, -1] == 0
    assert resampled[15, 15] == 63


@given(degrees=st.floats(-180, 180), side=st.floats(0.1, 1.0))
def test_a_mask_gets_no_label_that_it_did_not_have(degrees: float, side: float) -> None:
    mask = np.random.default_rng(0).choice([63, 126, 189, 252], (20, 26)).astype(np.uint8)
    resampled = sample_mask(mask, maps_of(20, 26, turn(degrees), zoom(side)))
    assert set(np.unique(resampled)) <= {0, 63, 126, 189, 252}


def test_a_16_bit_gradient_keeps_more_levels_than_8_bits_have() -> None:
    ramp = np.tile(np.linspace(0, 1600, 256), (256, 1)).astype(np.uint16)
    assert len(np.unique(resample(ramp, maps_of(256, 256, turn(7.0))))) > 1000


def test_integers_are_rounded_and_not_cut_off() -> None:
    # Half a pixel between equal neighbours of 0 and 3: cubic gives 1.5 in the middle of the step.
    image = np.array([[0, 0, 0, 3, 3, 3]] * 6, dtype=np.uint8)
    x, y = maps_of(6, 6)
    shifted = resample(image, (x - np.float32(0.5), y))
    assert shifted[3].tolist()[2:5] == [0, 2, 3]


def test_the_source_is_not_changed_and_may_be_a_view() -> None:
    image = noise("uint16", 30, 30)[::-1, ::2]
    before = image.copy()
    maps = maps_of(30, 15, turn(5.0))
    assert np.array_equal(resample(image, maps), resample(before, maps))
    assert np.array_equal(sample_mask(image, maps), sample_mask(before, maps))
    assert np.array_equal(image, before)


@pytest.mark.parametrize("dtype", ["int32", "uint32", "float64", ">u2", "bool", "complex64"])
def test_pixel_types_that_would_lose_digits_are_refused(dtype: str) -> None:
    with pytest.raises(FileError) as caught:
        resample(np.zeros((4, 4), dtype), maps_of(4, 4))
    assert caught.value.code == "pixel-type"
    assert "uint16" in caught.value.remedy


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_mask_types_that_remap_does_not_take_are_refused(dtype: str) -> None:
    with pytest.raises(FileError) as caught:
        sample_mask(np.zeros((4, 4), dtype), maps_of(4, 4))
    assert caught.value.code == "pixel-type"


@pytest.mark.parametrize("shape", [(0, 4), (4,), (4, 4, 3), (1, LARGEST_SIDE + 1)])
def test_what_is_not_one_slice_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(FileError) as caught:
        check_pixels(np.zeros(shape, np.uint8), IMAGE_DTYPES, "image")
    assert caught.value.code == "image-shape"


def test_the_largest_side_is_taken() -> None:
    row = np.arange(LARGEST_SIDE, dtype=np.uint16)[np.newaxis]
    assert np.array_equal(resample(row, maps_of(*row.shape, op("flip"))), row[:, ::-1])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_number_are_refused(value: float) -> None:
    image = np.zeros((4, 4), np.float32)
    image[1, 2] = value
    with pytest.raises(FileError) as caught:
        resample(image, maps_of(4, 4))
    assert caught.value.code == "pixel-values"


@pytest.mark.parametrize("whole", [False, True], ids=["interpolated", "known to be whole"])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_each_interpolation_returns_whole_places_exactly(
    dtype: str, interpolation: Interpolation, whole: bool
) -> None:
    image = noise(dtype, 19, 33)
    maps = maps_of(19, 33, op("flip"), op("shift", rows=3 / 19, cols=0.0))
    expected = np.full_like(image, image.min())
    expected[3:] = image[:-3, ::-1]
    assert np.array_equal(resample(image, maps, interpolation, whole=whole), expected)


@given(
    degrees=st.floats(-180, 180),
    side=st.floats(0.3, 1.0),
    method=st.sampled_from(INTERPOLATIONS),
    dtype=st.sampled_from(IMAGE_DTYPES),
)
def test_pixels_are_the_float32_values_rounded(
    degrees: float, side: float, method: Interpolation, dtype: str
) -> None:
    image, maps = noise(dtype, 40, 50), maps_of(40, 50, turn(degrees), zoom(side))
    values = sample_image(image, maps, method)
    expected = values if dtype == "float32" else np.rint(values)
    resampled = resample(image, maps, method)
    assert resampled.dtype == image.dtype
    assert np.array_equal(resampled, expected)


@given(
    degrees=st.floats(-180, 180),
    side=st.floats(0.3, 1.0),
    method=st.sampled_from(INTERPOLATIONS),
    dtype=st.sampled_from(["uint8", "uint16"]),
)
def test_pixels_are_those_that_opencv_rounds_to_uint16(
    degrees: float, side: float, method: Interpolation, dtype: str
) -> None:
    image, maps = noise(dtype, 40, 50), maps_of(40, 50, turn(degrees), zoom(side))
    image[0, 0] = 0  # so that OpenCV may fill up with its own border
    x, y = (np.rint(axis * 32) / 32 for axis in maps)
    moved = cv2.remap(
        image.astype(np.uint16),
        x,
        y,
        getattr(cv2, f"INTER_{method.upper()}"),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    assert np.array_equal(resample(image, maps, method), moved.clip(0, image.max()))


@given(degrees=st.floats(-180, 180), method=st.sampled_from(INTERPOLATIONS))
def test_no_interpolation_leaves_the_range_of_the_source(
    degrees: float, method: Interpolation
) -> None:
    image = np.random.default_rng(2).choice([10, 245], (20, 26)).astype(np.uint8)
    resampled = resample(image, maps_of(20, 26, turn(degrees)), method)
    assert resampled.min() >= 10
    assert resampled.max() <= 245


def test_linear_interpolation_is_the_mean_between_two_pixels() -> None:
    x, y = maps_of(6, 6)
    image = np.arange(36, dtype=np.float32).reshape(6, 6) ** 2
    between = resample(image, (x + np.float32(0.5), y), "linear")
    assert np.allclose(between[:, :5], (image[:, :5] + image[:, 1:]) / 2)


@pytest.mark.parametrize("dtype", MASK_DTYPES)
def test_label_sampling_returns_whole_places_exactly(dtype: str) -> None:
    mask = noise(dtype, 12, 15)
    assert np.array_equal(sample_mask(mask, maps_of(12, 15, op("flip")), "label"), mask[:, ::-1])


@pytest.mark.parametrize("method", ["nearest", "label"])
@pytest.mark.parametrize("dtype", MASK_DTYPES)
def test_an_empty_mask_stays_empty_in_the_shape_of_the_maps(
    dtype: str, method: MaskSampling
) -> None:
    sampled = sample_mask(np.zeros((5, 5), dtype), maps_of(12, 15), method)
    assert (sampled.shape, sampled.dtype) == ((12, 15), np.dtype(dtype))
    assert not sampled.any()


def test_label_sampling_makes_no_label_that_was_not_there() -> None:
    mask = np.random.default_rng(0).choice([0, 63, 126, 252], (20, 26)).astype(np.uint8)
    sampled = sample_mask(mask, maps_of(20, 26, turn(33.0), zoom(0.7)), "label")
    assert set(np.unique(sampled)) <= {0, 63, 126, 252}


def test_label_sampling_takes_the_label_with_the_greatest_share() -> None:
    # A quarter of a pixel to the right of 63 | 126: three quarters are 63; and the other way round.
    mask = np.array([[63, 63, 126, 126]] * 4, np.uint8)
    x, y = maps_of(4, 4)
    assert sample_mask(mask, (x + np.float32(0.25), y), "label")[1, 1] == 63
    assert sample_mask(mask, (x + np.float32(0.75), y), "label")[1, 1] == 126


def test_label_sampling_counts_what_lies_outside_as_no_label() -> None:
    full = np.full((4, 4), 63, np.uint8)
    x, y = maps_of(4, 4)
    # Three quarters of the first pixel's surroundings lie beside the picture, then one quarter.
    assert sample_mask(full, (x - np.float32(0.75), y), "label")[1].tolist() == [0, 63, 63, 63]
    assert sample_mask(full, (x - np.float32(0.25), y), "label")[1].tolist() == [63, 63, 63, 63]


def test_label_sampling_draws_an_enlarged_disc_rounder_than_nearest() -> None:
    row, col = np.mgrid[:64, :64] - 31.5
    disc = (np.hypot(row, col) < 9.0).astype(np.uint8)
    row, col = source_points(doing(zoom(0.25)), 64, 64)
    exact = np.hypot(row - 31.5, col - 31.5) < 9.0
    maps = maps_of(64, 64, zoom(0.25))
    wrong = {method: (sample_mask(disc, maps, method) != exact).sum() for method in METHODS}
    assert wrong["label"] < 0.75 * wrong["nearest"]


METHODS: tuple[MaskSampling, ...] = ("nearest", "label")
