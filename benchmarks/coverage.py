"""How often 95 % intervals hold the true mean: `python -m benchmarks.coverage [--cohorts N]`.

Cohorts are drawn from populations whose mean is known; each has an interval by every method, and
the table tells which part of them holds the mean. `ours` is `chaosprep.evaluation.intervals`.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import exp, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from chaosprep.evaluation.intervals import intervals, quantile_of_t

Numbers = NDArray[np.float64]
Ends = tuple[Numbers, Numbers]

_RESAMPLES = 4000
_PORTION = 500  # cohorts at a time


@dataclass(frozen=True)
class Population:
    """Values of patients: what draws them, and their true mean."""

    name: str
    draw: Callable[[np.random.Generator, tuple[int, int]], Numbers]
    mean: float


def _failing(source: np.random.Generator, shape: tuple[int, int]) -> Numbers:
    good, bad = source.beta(40, 3, shape), source.beta(2, 4, shape)
    return np.where(source.random(shape) < 0.05, bad, good)


POPULATIONS = (
    Population("Dice, Beta(18, 2)", lambda source, shape: source.beta(18, 2, shape), 0.9),
    Population("Dice, Beta(40, 3)", lambda source, shape: source.beta(40, 3, shape), 40 / 43),
    Population("normal", lambda source, shape: source.normal(0, 1, shape), 0.0),
    Population(
        "log-normal, sd 0.5", lambda source, shape: source.lognormal(0, 0.5, shape), exp(0.125)
    ),
    Population("log-normal, sd 1", lambda source, shape: source.lognormal(0, 1, shape), exp(0.5)),
    Population("Dice, 1 in 20 fails", _failing, 0.95 * 40 / 43 + 0.05 * 2 / 6),
)


def ours(cohorts: Numbers) -> Ends:
    """The intervals of `evaluate`: (cohorts, patients) -> low and high of each cohort."""
    columns = {str(place): list(values) for place, values in enumerate(cohorts)}
    found = intervals(columns, [str(place) for place in range(cohorts.shape[1])]).values()
    known = [one for one in found if one is not None]
    return np.array([one.low for one in known]), np.array([one.high for one in known])


def percentile(cohorts: Numbers) -> Ends:
    """The plain percentiles of the resamples' means."""
    low, high = np.quantile(_resampled(cohorts)[0], (0.025, 0.975), axis=0)
    return low, high


def expanded(cohorts: Numbers) -> Ends:
    """Percentiles that are widened for few patients (Hesterberg 2015)."""
    count = cohorts.shape[1]
    tail = NormalDist().cdf(-sqrt(count / (count - 1)) * quantile_of_t(count - 1))
    low, high = np.quantile(_resampled(cohorts)[0], (tail, 1 - tail), axis=0)
    return low, high


def studentised(cohorts: Numbers) -> Ends:
    """By the resamples' distances in standard errors of their own; it may leave the range."""
    means, deviations = _resampled(cohorts)
    mean, deviation = cohorts.mean(axis=1), cohorts.std(axis=1)
    distances = (means - mean) / deviations
    low, high = np.quantile(distances, (0.025, 0.975), axis=0)
    return mean - high * deviation, mean - low * deviation


METHODS: dict[str, Callable[[Numbers], Ends]] = {
    "percentile": percentile,
    "expanded": expanded,
    "studentised": studentised,
    "ours": ours,
}


def _resampled(cohorts: Numbers) -> tuple[Numbers, Numbers]:
    """Mean and standard deviation of every resample of every cohort: (resamples, cohorts)."""
    count = cohorts.shape[1]
    times = np.random.default_rng(1).multinomial(count, [1 / count] * count, _RESAMPLES)
    means = times @ cohorts.T / count
    squares = times @ (cohorts**2).T / count
    return means, np.sqrt(np.maximum(squares - means**2, 1e-30))


def coverage(
    method: Callable[[Numbers], Ends], of: Population, patients: int, cohorts: int
) -> float:
    """Which part of the cohorts of so many patients have an interval with the true mean in it."""
    source = np.random.default_rng(7)
    held = 0
    for start in range(0, cohorts, _PORTION):
        size = min(_PORTION, cohorts - start)
        low, high = method(of.draw(source, (size, patients)))
        held += int(np.count_nonzero((low <= of.mean) & (of.mean <= high)))
    return held / cohorts


def lines(cohorts: int, patients: int) -> Iterator[str]:
    """The table in Markdown: a row for each population, a column for each method."""
    yield f"| {patients} patients | {' | '.join(METHODS)} |"
    yield "|--" * (len(METHODS) + 1) + "|"
    for one in POPULATIONS:
        parts = (coverage(method, one, patients, cohorts) for method in METHODS.values())
        yield f"| {one.name} | {' | '.join(f'{100 * part:.1f} %' for part in parts)} |"


def main() -> None:
    """Print the table for cohorts of 20 patients, or of as many as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=10_000)
    parser.add_argument("--patients", type=int, default=20)
    asked = parser.parse_args()
    for line in lines(asked.cohorts, asked.patients):
        print(line, flush=True)


if __name__ == "__main__":
    main()
