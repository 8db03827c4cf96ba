"""Bias and limits of agreement, beside the numbers of the paper that brought them."""

import pytest

from chaosprep.evaluation.bland_altman import volume_limits

LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
"""Peak flow by two meters, l/min: table 1 of Bland and Altman 1986, first readings."""


def test_bias_and_limits_are_those_of_the_paper() -> None:
    found = volume_limits(LARGE, MINI)
    assert found is not None
    assert found.n == 17
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    # The paper takes 2 sd: -79.7 to 75.5. 1.96 of them is what is usual now.
    assert (found.low, found.high) == pytest.approx((-2.1 - 76.0, -2.1 + 76.0), abs=0.15)


def test_cases_without_a_volume_do_not_count_and_one_has_no_limits() -> None:
    found = volume_limits([10.0, None, 14.0], [9.0, 5.0, 11.0])
    assert found is not None
    assert (found.bias, found.n) == (2.0, 2)
    assert volume_limits([10.0, None], [9.0, 5.0]) is None
    assert volume_limits([], []) is None
