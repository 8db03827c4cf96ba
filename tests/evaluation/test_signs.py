"""The sign-flip test and Holm's correction, beside counts by hand and scipy's test."""

from itertools import product

import numpy as np
import pytest

from chaosprep.evaluation.paired.signs import holm, p_value, p_values


def test_a_small_test_is_the_count_of_all_signs() -> None:
    """Of 16 assignments, only the found one and its opposite are as far from 0."""
    assert p_value([0.1, 0.2, 0.3, 0.4]) == 2 / 16
    assert p_value([0.1, -0.2, 0.3, 0.4]) == 6 / 16  # 1, -.8, .6 and their opposites


def test_the_largest_exact_test_tries_them_all() -> None:
    values = np.random.default_rng(1).normal(0.4, 1, 14)
    sums = [abs(np.dot(signs, values)) for signs in product((-1, 1), repeat=14)]
    assert p_value(list(values)) == np.mean(np.array(sums) >= abs(values.sum()) - 1e-9)


def test_from_15_patients_on_it_is_scipys_but_for_chance() -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(2).normal(0.4, 1, 20)
    theirs = stats.permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=100_000, rng=1
    ).pvalue
    assert p_value(list(values)) == pytest.approx(theirs, abs=0.01)


def test_a_drawn_p_is_never_0_and_the_same_each_time() -> None:
    assert p_value([1.0] * 40) == 1 / 10_001
    values = list(np.random.default_rng(3).normal(0.1, 1, 3000))
    assert p_value(values) == p_value(values)


def test_differences_of_0_are_no_evidence_and_nothing_but_them_has_1() -> None:
    assert p_value([0.0] * 8) == 1
    assert p_value([0.0] * 40) == 1
    assert p_value([0.3]) == 1
    assert p_value([0.1, 0.2, 0.3, 0.4, 0.0]) == 2 / 16


def test_rounding_breaks_no_tie() -> None:
    """0.1 + 0.2 is not 0.3 in binary: every assignment of these reaches 0."""
    assert p_value([0.1, 0.2, -0.3]) == 1
    assert p_value([0.3, -0.1, -0.2] * 8) == 1


def test_many_tests_at_once_have_what_each_has_alone() -> None:
    source = np.random.default_rng(6)
    tests = [list(source.normal(0.2, 1, count)) for count in (3, 20, 7, 20, 20, 1)] * 100
    assert p_values(tests) == [p_value(one) for one in tests[:6]] * 100
    assert p_values([]) == []


def test_under_no_difference_a_test_at_5_percent_is_hardly_ever_wrong() -> None:
    cohorts = np.random.default_rng(4).normal(0, 1, (400, 9))
    assert np.mean([p_value(list(one)) <= 0.05 for one in cohorts]) <= 0.07


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1, 1]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []
