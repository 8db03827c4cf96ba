"""Organs and grey levels."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from msgspec.structs import replace
from numpy.typing import NDArray

from chaosprep.chaos import CHAOS
from chaosprep.errors import FileError
from chaosprep.facts import Levels, Organ
from chaosprep.imaging.levels import (
    areas,
    check_levels,
    describe_levels,
    label_map,
    level_histogram,
    level_table,
    relabel,
    select,
)
from chaosprep.imaging.png.filters import WHOLE

EYE = Organ("eye", 7, 7, 1)
NOW, FIRST = (table.organs for table in CHAOS.levels.values())


def refusal(levels: set[int], organs: tuple[Organ, ...] = NOW) -> FileError:
    with pytest.raises(FileError) as caught:
        check_levels(dict.fromkeys(levels, 10), organs, CHAOS)
    assert caught.value.code == "mask-levels"
    return caught.value


few = st.lists(st.integers(0, 255), min_size=1, max_size=3).map(st.sampled_from)
masks = st.one_of(st.just(st.integers(0, 255)), few).flatmap(
    lambda levels: hnp.arrays(st.sampled_from([np.uint8, np.uint16]), (5, 7), elements=levels)
)


@given(masks)
def test_a_histogram_counts_each_level(mask: NDArray[np.uint8]) -> None:
    values = mask.ravel().tolist()
    histogram = level_histogram(mask)
    assert histogram == {level: values.count(level) for level in values}
    assert list(histogram) == sorted(histogram)


def test_of_a_mask_that_is_0_outside_a_part_only_that_is_looked_at() -> None:
    mask = np.array([[0, 0, 0], [0, 63, 7], [9, 0, 7]], dtype=np.uint8)
    found = level_histogram(mask, (slice(1, 3), slice(1, 3)))  # the 9 is not looked at
    assert list(found.items()) == [(0, 6), (7, 2), (63, 1)]
    assert level_histogram(mask, (slice(1, 2), slice(1, 3))) == {0: 7, 7: 1, 63: 1}
    assert level_histogram(mask, (slice(0), slice(0))) == {0: 9}
    assert level_histogram(mask, WHOLE) == level_histogram(mask) == {0: 5, 7: 2, 9: 1, 63: 1}


def test_levels_are_described_in_order() -> None:
    assert describe_levels({0: 60000, 63: 5000, 126: 300}) == "0: 60000, 63: 5000, 126: 300"


def test_of_many_levels_the_most_frequent_are_shown() -> None:
    histogram = {0: 900, 1: 2, 2: 3, 63: 500}
    assert describe_levels(histogram, limit=2) == "0: 900, 63: 500, ... 2 more levels"
    assert describe_levels(histogram, limit=3) == "0: 900, 2: 3, 63: 500, ... 1 more level"


def test_levels_in_range_pass() -> None:
    check_levels({0: 5, 55: 1, 70: 1, 110: 1, 255: 1}, NOW, CHAOS)
    check_levels({0: 5}, NOW, CHAOS)
    check_levels({}, NOW, CHAOS)


@pytest.mark.parametrize("level", [1, 54, 71, 109, 136, 239])
def test_a_level_just_out_of_range_is_refused(level: int) -> None:
    assert f"{level}: 10" in refusal({0, 63, level}).reason


def test_refusals_speak_of_the_data_set_whose_levels_were_expected() -> None:
    green = Levels("second edition", (EYE,), frozenset({7}), frozenset({7}), EYE)
    other = replace(CHAOS, name="EYES", levels={"eyes": green, "eyes-2": green})
    with pytest.raises(FileError, match="a binary mask, not one of EYES's grey levels: 255: 3"):
        check_levels({255: 3}, (EYE,), other)
    with pytest.raises(FileError) as caught:
        check_levels({7: 3}, NOW, other)
    assert caught.value.remedy == "These are the levels of the second edition: use --levels eyes."


def test_of_a_binary_mask_it_is_asked_what_it_shows() -> None:
    for level in (1, 255):
        assert f"--labels {level}=" in refusal({0, level}, (EYE,)).remedy


@pytest.mark.parametrize("level", [2, 3, 100, 150])
def test_one_level_that_may_be_any_organs_is_nobodys(level: int) -> None:
    """A slice on which a label map shows but the kidney, 2, must not become liver."""
    assert f"{level} {level}" not in refusal({0, level}).remedy


@pytest.mark.parametrize("levels", [set(range(0, 64)), {0, 80, 81}, {0, 1, 63}])
def test_an_interpolated_mask_is_offered_lenience(levels: set[int]) -> None:
    assert "--lenient-masks" in refusal(levels).remedy


def blocks(*values: int) -> NDArray[np.uint8]:
    """A mask in which each value covers a block of 4 x 4 pixels, apart from the others."""
    mask = np.zeros((8 * len(values), 16), np.uint8)
    for place, value in enumerate(values):
        mask[8 * place + 2 : 8 * place + 6, 4:8] = value
    return mask


def remedy(mask: NDArray[np.uint8]) -> str:
    with pytest.raises(FileError) as caught:
        check_levels(level_histogram(mask), NOW, CHAOS, mask)
    return caught.value.remedy


def dotted() -> NDArray[np.uint8]:
    """A label map with a region of two pixels, alone in the background."""
    mask = blocks(1, 2)
    mask[0, 12:14] = 3
    return mask


@pytest.mark.parametrize(
    "mask",
    [blocks(1, 2, 3, 4), blocks(2), blocks(63, 126, 100), blocks(*range(1, 16)), dotted()],
    ids=["1 to 4", "2 alone", "one more", "15 organs", "two pixels"],
)
def test_an_exact_label_map_is_not_called_interpolated(mask: NDArray[np.uint8]) -> None:
    assert remedy(mask).startswith("It is a label map with numbers other than CHAOS's: say what")


@pytest.mark.parametrize("values", [(63,), (63, 126), (252, 189)])
def test_a_resampled_mask_is_called_interpolated(values: tuple[int, ...]) -> None:
    mask = blocks(*values)
    rows, cols = mask.shape
    blurred = np.asarray(cv2.resize(mask, (cols * 2 + 1, rows * 2 - 1)), np.uint8)
    assert remedy(blurred).startswith("The mask may have been interpolated")
    half = ((mask[:-1].astype(int) + mask[1:]) // 2).astype(np.uint8)  # moved by half a pixel
    assert remedy(half).startswith("The mask may have been interpolated")


def test_the_range_that_a_binary_mask_is_offered_accepts_it() -> None:
    check_levels({0: 1, 1: 1}, (Organ("liver", 1, 1, 1),), CHAOS)


def test_both_ends_of_a_range_are_selected() -> None:
    mask = np.array([[54, 55, 63, 70, 71]], dtype=np.uint8)
    selected = select(mask, 55, 70)
    assert selected.dtype == np.bool_
    np.testing.assert_array_equal(selected, [[False, True, True, True, False]])


@given(hnp.arrays(np.uint8, (6, 5)))
def test_areas_are_the_label_maps_pixels(mask: NDArray[np.uint8]) -> None:
    labels = label_map(mask, NOW)
    assert labels.dtype == np.uint8
    counted = {organ.name: int((labels == organ.label).sum()) for organ in NOW}
    found = areas(level_histogram(mask), NOW)
    assert found == {name: pixels for name, pixels in counted.items() if pixels}


def table(organs: tuple[Organ, ...] = NOW) -> bytes:
    return level_table(label_map(np.arange(256, dtype=np.uint8), organs), organs)


@pytest.mark.parametrize(
    ("organs", "levels"),
    [
        (NOW, [55, 70, 110, 135, 175, 200, 240, 254]),
        (FIRST, [70, 90, 150, 170, 230, 247, 248, 255]),
    ],
)
def test_a_table_gives_each_organ_its_label(organs: tuple[Organ, ...], levels: list[int]) -> None:
    made = relabel(np.array([[0, *levels]], dtype=np.uint8), table(organs), WHOLE)
    assert made is not None
    assert made.dtype == np.uint8
    assert made.tolist() == [[0, 1, 1, 2, 2, 3, 3, 4, 4]]


@given(st.sets(st.integers(0, 255), min_size=1, max_size=6), st.sampled_from([NOW, FIRST]))
def test_a_table_takes_no_mask_that_a_check_of_its_levels_refuses(
    levels: set[int], organs: tuple[Organ, ...]
) -> None:
    mask = np.array([sorted(levels)], dtype=np.uint8)
    made = relabel(mask, table(organs), WHOLE)
    try:
        check_levels(level_histogram(mask), organs, CHAOS)
    except FileError:
        assert made is None
    else:
        assert made is None or (made == label_map(mask, organs)).all()


@pytest.mark.parametrize("level", [54, 71, 255])
def test_a_level_to_look_into_stops_a_table(level: int) -> None:
    assert relabel(np.array([[0, 63, level]], dtype=np.uint8), table(), WHOLE) is None


def test_a_mask_of_16_bits_has_no_table() -> None:
    assert relabel(np.array([[0, 63]], dtype=np.uint16), table(), WHOLE) is None


def test_outside_its_part_a_mask_becomes_what_0_becomes() -> None:
    mask = np.array([[0, 0, 0], [0, 63, 0]], dtype=np.uint8)
    swapped = bytes([7, *table()[1:]])
    made = relabel(mask, swapped, (slice(1, 2), slice(1, 3)))
    assert made is not None
    assert made.tolist() == [[7, 7, 7], [7, 1, 7]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16])
def test_more_pixels_than_float32_counts_are_counted_one_by_one(dtype: type) -> None:
    mask: NDArray[np.integer] = np.zeros(2**24 + 2**20 + 3, dtype)
    mask[-5:] = 7
    mask[:2] = 3
    assert level_histogram(mask) == {0: 2**24 + 2**20 - 4, 3: 2, 7: 5}
