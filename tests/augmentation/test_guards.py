from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.augmentation import Recipe, apply, draw, draw_guarded, preset
from chaosprep.augmentation.guards import erased_labels, guarded
from chaosprep.augmentation.scanner import Noise
from chaosprep.augmentation.spatial import Crop, Scale, Shift
from chaosprep.errors import UsageError

CROP = Recipe(crop=Crop(side=(0.5, 0.5)), noise=Noise())


def corner_mask() -> NDArray[np.uint8]:
    mask = np.zeros((64, 64), np.uint8)
    mask[2:10, 2:10] = 63
    return mask


def test_a_label_with_too_little_left_is_named() -> None:
    were = {63: 10, 126: 10, 252: 10}
    after = np.zeros((10, 10), np.uint8)
    after[0, :3], after[5, :2], after[9] = 63, 126, 252
    assert erased_labels(were, after, 0.25, 1.0) == [126]
    assert erased_labels(were, after, 0.5, 1.0) == [63, 126]
    assert erased_labels(were, after, 0.1, 1.0) == []


def test_a_label_of_which_nothing_is_left_is_named_however_little_has_to_stay() -> None:
    assert erased_labels({7: 1}, np.zeros((1, 2), np.uint8), 0.0, 1.0) == [7]


def test_what_only_got_smaller_is_not_lost() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[20:44, 20:44] = 63
    recipe = Recipe(scale=Scale(factor=(0.4, 0.4)))
    parameters = draw_guarded(recipe, mask, seed=0, slice_id="s", copy=1)
    _, smaller = apply(parameters, mask, mask)
    assert smaller is not None
    assert (smaller == 63).sum() < 0.25 * (mask == 63).sum()
    assert parameters["guard"] is None


def test_what_was_enlarged_and_cut_off_is_measured_by_what_was_cut_off() -> None:
    # A quarter of the picture, doubled: one fifth of the label fills as many pixels as two thirds.
    after = np.zeros((40, 40), np.uint8)
    after[:8, :10] = 1
    assert erased_labels({1: 100}, after, 0.25, area=0.25) == [1]
    assert erased_labels({1: 100}, after, 0.25, area=1.0) == []


def test_a_draw_that_keeps_the_labels_is_the_plain_draw() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[28:36, 28:36] = 1
    for name in ("light", "mri"):
        guarded = draw_guarded(preset(name), mask, seed=0, slice_id="s", copy=1)
        assert guarded == draw(preset(name), seed=0, slice_id="s", copy=1)


def test_a_draw_that_would_erase_a_label_is_drawn_again_and_says_so() -> None:
    mask = corner_mask()
    found = [
        draw_guarded(CROP, mask, seed=0, slice_id=f"s{i}", copy=1, attempts=200) for i in range(50)
    ]
    assert {one["guard"] for one in found} == {None, "redrawn"}
    for i, one in enumerate(found):
        _, new_mask = apply(one, mask, mask)
        assert new_mask is not None
        assert (new_mask == 63).sum() / 4 >= 0.25 * 64
        assert (one["attempt"] > 0) == (one["guard"] == "redrawn")
        # It is the draw of that attempt, the first that keeps the label.
        plain = draw(CROP, seed=0, slice_id=f"s{i}", copy=1, attempt=one["attempt"])
        assert one == {**plain, "guard": one["guard"]}
        for attempt in range(one["attempt"]):
            earlier = draw(CROP, seed=0, slice_id=f"s{i}", copy=1, attempt=attempt)
            _, lost = apply(earlier, mask, mask)
            assert lost is not None
            assert (lost == 63).sum() / 4 < 0.25 * 64


def test_where_no_draw_keeps_the_labels_the_slice_stays_in_its_place_and_says_so() -> None:
    mask = np.full((64, 64), 63, np.uint8)
    far = Recipe(shift=Shift(part=0.5), noise=Noise())
    parameters = draw_guarded(far, mask, seed=0, slice_id="s", copy=1, keep_label=1.0, attempts=3)
    assert (parameters["guard"], parameters["attempt"]) == ("left", 3)
    assert [one["operation"] for one in parameters["operations"]] == ["noise"]
    _, new_mask = apply(parameters, mask, mask)
    assert new_mask is not None
    assert np.array_equal(new_mask, mask)


def test_augmentors_steps_are_taken_out_too() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[0, 0] = 1
    recipe = preset("tutorial", engine="augmentor", exact_probability=True)
    found = [
        draw_guarded(recipe, mask, seed=0, slice_id=f"s{i}", copy=1, attempts=1) for i in range(20)
    ]
    left = [one for one in found if one["guard"] == "left"]
    assert left
    for one in left:
        assert one["operations"] == []
        assert np.array_equal(apply(one, mask, mask)[0], mask)


@pytest.mark.parametrize("mask", [None, np.zeros((16, 16), np.uint8)])
def test_without_labels_there_is_nothing_to_guard(mask: NDArray[np.uint8] | None) -> None:
    guarded = draw_guarded(CROP, mask, seed=0, slice_id="s", copy=1)
    assert guarded == draw(CROP, seed=0, slice_id="s", copy=1)


def test_a_part_of_zero_switches_the_guard_off() -> None:
    for i in range(20):
        drawn = draw_guarded(CROP, corner_mask(), seed=0, slice_id=f"s{i}", copy=1, keep_label=0.0)
        assert drawn == draw(CROP, seed=0, slice_id=f"s{i}", copy=1)


@pytest.mark.parametrize("keep_label", [-0.1, 1.1, float("nan")])
def test_a_part_out_of_range_is_refused(keep_label: float) -> None:
    with pytest.raises(UsageError, match="keep_label"):
        draw_guarded(CROP, None, seed=0, slice_id="s", copy=1, keep_label=keep_label)


def test_the_guard_hands_on_the_mask_that_the_parameters_make() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[28:36, 20:36] = 1
    for i in range(20):
        found = guarded(
            partial(draw, CROP, seed=0, slice_id=f"s{i}", copy=1), mask, 0.25, "nearest"
        )
        _, made = apply(found.parameters, mask, mask)
        assert found.mask is not None
        assert made is not None
        assert np.array_equal(found.mask, made)


def test_geometry_left_as_it_was_comes_without_the_transform_that_lost_a_label() -> None:
    far = partial(draw, Recipe(crop=Crop(side=(0.05, 0.05))), seed=0, slice_id="s", copy=1)
    found = guarded(far, corner_mask(), 1.0, "nearest", attempts=3)
    assert found.parameters["guard"] == "left"
    assert (found.transform, found.mask) == (None, None)
