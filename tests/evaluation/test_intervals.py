"""Intervals over patients: what they hold, what they never do, and what they are made of."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from benchmarks.coverage import POPULATIONS, Population, coverage, ours
from chaosprep.evaluation.intervals import RESAMPLES, Interval, intervals, quantile_of_t


def interval(values: Sequence[float | None], patients: Sequence[str] | None = None) -> Interval:
    names = patients or [f"p{place}" for place in range(len(values))]
    return cast(Interval, intervals({"dice": values}, names)["dice"])


SKEWED = list(np.random.default_rng(3).beta(18, 2, 20))


@pytest.mark.parametrize("population", POPULATIONS[:4], ids=lambda one: one.name)
def test_of_100_intervals_of_20_patients_93_to_97_hold_the_truth(population: Population) -> None:
    assert 0.93 <= coverage(ours, population, 20, 600) <= 0.97


def test_the_ends_are_those_of_bca_widened_for_few_patients() -> None:
    stats = pytest.importorskip("scipy.stats")
    level = 1 - 2 * stats.norm.cdf(-np.sqrt(20 / 19) * stats.t.ppf(0.975, 19))
    theirs = stats.bootstrap(
        (SKEWED,), np.mean, n_resamples=30_000, confidence_level=level, method="BCa", rng=1
    ).confidence_interval
    found = interval(SKEWED)
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=2e-3)


def test_rows_of_one_patient_are_drawn_together() -> None:
    """Ten equal rows of each patient say no more than one of each."""
    names = [f"p{place}" for place in range(20)]
    once = interval(SKEWED, names)
    assert interval(SKEWED * 10, names * 10).low == pytest.approx(once.low)
    assert interval(SKEWED * 10, names * 10).high == pytest.approx(once.high)
    assert interval(SKEWED * 10, names * 10).patients == 20
    alone = interval(SKEWED * 10)
    assert alone.high - alone.low < (once.high - once.low) / 2


def test_the_mean_is_over_rows_so_that_a_patient_with_more_of_them_weighs_more() -> None:
    values = [0.5] * 90 + [0.9, 0.91, 0.92, 0.93, 0.94]
    patients = ["much"] * 90 + list("abcde")
    found = interval(values, patients)
    assert found.patients == 6
    assert found.low <= np.mean(values) < 0.55 < found.high


def test_fewer_than_5_patients_have_none() -> None:
    assert interval([0.1, 0.2, 0.3, 0.4, 0.5]) is not None
    assert interval([0.1, 0.2, 0.3, 0.4]) is None
    assert interval([0.1, 0.2, 0.3, 0.4, 0.5], ["a", "b", "c", "d", "d"]) is None
    assert interval([0.1, 0.2, 0.3, 0.4, None]) is None


def test_equal_patients_have_none_as_nothing_tells_how_others_differ() -> None:
    assert interval([0.7] * 30) is None
    assert interval([0.1, 0.3] * 6, [name for name in "abcdef" for _ in range(2)]) is None


def test_patients_without_a_value_do_not_count() -> None:
    missing = [*SKEWED, None, None]
    assert interval(missing) == interval(SKEWED)


@pytest.mark.parametrize("worst", [0.0, 0.99])
def test_the_ends_of_a_bounded_metric_stay_within_its_values(worst: float) -> None:
    for count in (4, 9, 39):
        found = interval([1.0] * count + [worst])
        assert worst <= found.low < 1 - (1 - worst) / (count + 1) <= found.high <= 1


def test_the_same_rows_have_the_same_interval_and_other_columns_do_not_matter() -> None:
    names = [f"p{place}" for place in range(20)]
    both = intervals({"dice": SKEWED, "assd": [5 * value for value in SKEWED]}, names)
    assert both["dice"] is not None
    assert both["dice"].low == pytest.approx(interval(SKEWED).low)
    assert both["assd"] is not None
    assert both["assd"].low == pytest.approx(5 * interval(SKEWED).low)


def test_the_order_of_rows_does_not_matter() -> None:
    names = [f"p{place}" for place in range(20)]
    turned = interval(SKEWED[::-1], names[::-1])
    assert (turned.low, turned.high) == pytest.approx(
        (interval(SKEWED, names).low, interval(SKEWED, names).high), abs=1e-12
    )


def test_many_patients_are_drawn_in_portions() -> None:
    values = np.random.default_rng(5).normal(10, 2, 1000)
    found = interval(list(values))
    error = values.std(ddof=1) / np.sqrt(1000)
    assert RESAMPLES * 1000 > 1 << 22
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=error / 10)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=error / 10)


@pytest.mark.parametrize(("freedom", "quantile"), [(4, 2.7764), (9, 2.2622), (19, 2.0930)])
def test_the_quantile_of_t_is_that_of_the_tables(freedom: int, quantile: float) -> None:
    assert quantile_of_t(freedom) == pytest.approx(quantile, rel=4e-4)
