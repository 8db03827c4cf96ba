"""Overlap: by hand on four voxels, and the rules for empty masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from chaosprep.evaluation.overlap import Mask, Overlap, overlap

MASKS = arrays(bool, (2, 3, 4))


def test_every_ratio_of_four_voxels() -> None:
    found = overlap(np.array([1, 1, 1, 0]) == 1, np.array([0, 1, 1, 0]) == 1)
    assert (found.pred, found.ref, found.both) == (3, 2, 2)
    assert found.dice == pytest.approx(4 / 5)
    assert found.jaccard == pytest.approx(2 / 3)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == 1
    assert found.volume_difference == pytest.approx(50)


def test_too_small_a_prediction_has_a_negative_volume_difference() -> None:
    assert Overlap(pred=3, ref=4, both=3).volume_difference == -25


def test_two_empty_masks_agree() -> None:
    nothing = Overlap(0, 0, 0)
    ratios = nothing.dice, nothing.jaccard, nothing.precision, nothing.recall
    assert ratios == (1, 1, 1, 1)
    assert nothing.volume_difference == 0


@pytest.mark.parametrize(("pred", "ref"), [(5, 0), (0, 5)])
def test_one_empty_mask_overlaps_nothing(pred: int, ref: int) -> None:
    found = Overlap(pred, ref, 0)
    assert (found.dice, found.jaccard, found.precision, found.recall) == (0, 0, 0, 0)


def test_an_empty_reference_gives_no_volume_difference_an_empty_prediction_all() -> None:
    assert Overlap(5, 0, 0).volume_difference is None
    assert Overlap(0, 5, 0).volume_difference == -100


@given(MASKS, MASKS)
def test_dice_and_jaccard_are_one_law(pred: Mask, ref: Mask) -> None:
    found = overlap(pred, ref)
    assert found.dice == pytest.approx(2 * found.jaccard / (1 + found.jaccard))


@given(MASKS, MASKS)
def test_sides_change_precision_with_recall(pred: Mask, ref: Mask) -> None:
    here, there = overlap(pred, ref), overlap(ref, pred)
    assert here.dice == there.dice
    assert here.precision == there.recall
