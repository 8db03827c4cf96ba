"""The challenge's scores: best, worst, and in between."""

import pytest

from chaosprep.evaluation.scores import scores


def test_a_perfect_case_scores_100() -> None:
    assert scores(1, 0, 0, 0, in_mm=True).mean == 100


def test_each_metric_scores_by_its_distance_from_the_threshold() -> None:
    found = scores(0.95, 1.0, 3.0, 24.0, in_mm=True)
    assert (found.dice, found.ravd) == pytest.approx((95, 80))
    assert (found.assd, found.mssd) == pytest.approx((80, 60))
    assert found.mean == pytest.approx((95 + 80 + 80 + 60) / 4)


def test_beyond_its_threshold_a_metric_scores_0() -> None:
    found = scores(0.7999, 5.01, 15.1, 61.0, in_mm=True)
    assert (found.dice, found.ravd, found.assd, found.mssd) == (0, 0, 0, 0)


def test_dice_scores_from_80_on() -> None:
    assert scores(0.8, 0, 0, 0, in_mm=True).dice == 80


def test_what_cannot_be_measured_scores_0() -> None:
    found = scores(0, None, None, None, in_mm=True)
    assert (found.ravd, found.assd, found.mssd, found.mean) == (0, 0, 0, 0)


def test_without_the_size_of_voxels_distances_have_no_score_nor_has_the_whole() -> None:
    found = scores(0.9, 2.5, None, None, in_mm=False)
    assert (found.dice, found.ravd) == (90, 50)
    assert (found.assd, found.mssd, found.mean) == (None, None, None)
