"""Lesions are matched by overlap, and ratios of nothing are None."""

import math
from typing import Any

import numpy as np
import pytest

from chaosprep.errors import UsageError
from chaosprep.evaluation.asked import Asked, asked_for, parse_tolerance
from chaosprep.evaluation.elements import within_elements
from chaosprep.evaluation.lesions import lesions
from chaosprep.evaluation.metric import Pair
from chaosprep.evaluation.overlap import Mask
from chaosprep.evaluation.surface import Spacing, border, gaps, within
from tests.evaluation.truth import distances, random_mask


def row(*runs: tuple[int, int]) -> Mask:
    """Runs of voxels in one row."""
    mask = np.zeros((3, 3, 30), dtype=bool)
    for start, end in runs:
        mask[1, 1, start:end] = True
    return mask


def test_two_of_three_lesions_are_found_and_one_too_many() -> None:
    found = lesions(row((0, 4), (6, 9), (25, 28)), row((0, 4), (6, 10), (15, 18)))
    assert (found.tp, found.fp, found.fn) == (2, 1, 1)
    assert [found.precision, found.recall, found.f1] == [2 / 3] * 3
    assert found.sq == (1 + 3 / 4) / 2
    assert found.pq == pytest.approx(2 / 3 * 7 / 8)
    assert [one.dice for one in found.lesions] == [1, 6 / 7, 0, 0]


def test_an_iou_of_the_threshold_itself_is_no_match() -> None:
    assert lesions(row((0, 2)), row((0, 4))).tp == 0
    assert lesions(row((0, 2)), row((0, 4)), iou=0.4).tp == 1


def test_where_neither_side_has_a_lesion_there_is_no_ratio() -> None:
    found = lesions(row(), row())
    assert [found.precision, found.recall, found.f1, found.sq, found.pq] == [None] * 5
    missed = lesions(row(), row((0, 3)))
    assert [missed.precision, missed.recall, missed.f1, missed.pq] == [None, 0, 0, 0]


def test_corners_hold_a_lesion_together_by_26_neighbours_alone() -> None:
    mask = np.zeros((2, 2, 2), dtype=bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    assert lesions(mask, mask).tp == 1
    assert lesions(mask, mask, neighbours=6).tp == 2


def test_surface_dice_is_that_of_all_pairs_of_border_voxels() -> None:
    random = np.random.default_rng(5)
    for _ in range(30):
        pred, ref = random_mask(random, (5, 7, 8)), random_mask(random, (5, 7, 8))
        spacing: Spacing = (3.0, 0.7, 1.1)
        if not (border(pred).any() and border(ref).any()):
            continue
        both = np.concatenate(distances(pred, ref, spacing))
        assert within(gaps(pred, ref, spacing), 2.1) == np.mean(both <= 2.1 + 1e-9)


def test_the_cube_s_corners_edges_and_faces_make_its_area() -> None:
    """6 faces of 2 x 2, 12 edges of 2 and 8 corners; one step aside is within."""
    ref, pred = np.zeros((6, 6, 7), dtype=bool), np.zeros((6, 6, 7), dtype=bool)
    ref[1:4, 1:4, 1:4] = pred[1:4, 1:4, 2:5] = True
    assert within_elements(pred, ref, (1, 1, 1), 1) == 1
    face, edge, corner = 1.0, 0.5**0.5, 3**0.5 / 8
    total = 24 * face + 24 * edge + 8 * corner
    # 1 away: the 4 x 4 corners of the far end, and of the near one the 2 x 2 inside of the other.
    end = 8 * face + 8 * edge + 4 * corner
    assert within_elements(pred, ref, (1, 1, 1), 0.5) == pytest.approx(1 - end / total)


def test_surface_dice_of_empty_masks() -> None:
    asked = Asked({"liver": 1.0}), Asked({"liver": 1.0}, "elements")
    for one in asked:
        assert Pair(row(), row(), (1, 1, 1), "liver", one).nsd == 1
        assert Pair(row(), row((0, 3)), (1, 1, 1), "liver", one).nsd == 0
        assert Pair(row(), row(), None, "liver", one).nsd is None
        assert Pair(row(), row(), (1, 1, 1), "spleen", one).nsd is None


def test_only_organs_of_the_challenge_are_scored() -> None:
    assert Pair(row((0, 3)), row((0, 3)), (1, 1, 1), "Right Kidney").scores.mean == 100
    assert Pair(row((0, 3)), row((0, 3)), (1, 1, 1), "kidneys").scores.mean is None


def test_tolerances_are_for_all_or_by_organ() -> None:
    assert parse_tolerance(("2",)) == 2
    assert parse_tolerance(("liver=3,spleen=2", "a=1")) == {"liver": 3, "spleen": 2, "a": 1}


@pytest.mark.parametrize("given", [{"lesion_iou": 0.3}, {"lesion_neighbours": 6}])
def test_what_is_said_of_lesions_that_are_not_asked_for_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="needs lesions=True"):
        asked_for(None, ["liver"], **given)
    assert asked_for(None, ["liver"], lesions=True, **given).lesions


@pytest.mark.parametrize("given", [{"lesion_iou": one} for one in (-0.1, 1.0, math.nan, "half")])
def test_an_iou_is_a_number_from_0_to_below_1(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="at least 0 and below 1"):
        asked_for(None, ["liver"], lesions=True, **given)


def test_an_organ_has_one_tolerance_however_it_is_spelled() -> None:
    with pytest.raises(UsageError, match="twice"):
        asked_for({"Left Kidney": 1, "left-kidney": 2}, ["left-kidney"])
