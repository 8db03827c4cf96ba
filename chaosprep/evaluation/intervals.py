"""95 % intervals of a mean over patients, by a cluster bootstrap.

Patients are drawn again with replacement, each with all its rows: rows of one patient are no
independent evidence. Ends are those of BCa (Efron 1987, doi:10.1080/01621459.1987.10478410),
widened for few patients as Hesterberg has it (2015, doi:10.1080/00031305.2015.1089789). They
never leave the range of the patients' means, so that a Dice stays within 0 and 1.
`python -m benchmarks.coverage` tells how often they hold the truth, beside other methods.
"""

from collections.abc import Hashable, Mapping, Sequence
from math import fsum, sqrt
from statistics import NormalDist
from typing import Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

Name = TypeVar("Name", bound=Hashable)
Numbers = NDArray[np.float64]

FEWEST: Final = 5  # patients
RESAMPLES: Final = 10_000
_SEED: Final = 20
AT_ONCE: Final = 256  # columns
_DRAWS: Final = 1 << 22  # held in memory
_TAIL: Final = 0.025
_SAME: Final = 1e-12  # of the largest value: what differs by less is rounding


class Interval(msgspec.Struct, frozen=True):
    """A 95 % interval of a mean over so many patients."""

    low: float
    high: float
    patients: int


def intervals(
    columns: Mapping[Name, Sequence[float | None]], patients: Sequence[str]
) -> dict[Name, Interval | None]:
    """The interval of the mean of each column over its rows that have a value.

    None for fewer than 5 patients, and where all have the same mean: there is nothing to draw from.

    Args:
        columns: values by name, a row each.
        patients: whose row it is.
    """
    names = sorted({*patients})  # in one order, whatever that of the rows is
    places = {name: place for place, name in enumerate(names)}
    rows = np.array([places[one] for one in patients], np.intp)
    found: dict[Name, Interval | None] = dict.fromkeys(columns)
    alike: dict[bytes, list[tuple[Name, Numbers, Numbers]]] = {}
    for name, values in columns.items():
        known = np.array([value is not None for value in values], np.float64)
        numbers = np.array([0.0 if value is None else value for value in values], np.float64)
        counts = summed(rows, known, len(names))
        has = counts > 0
        if has.sum() >= FEWEST:
            sums = summed(rows, numbers, len(names))[has]
            alike.setdefault(has.tobytes(), []).append((name, sums, counts[has]))
    for group in alike.values():  # of the same patients, who are drawn once
        for start in range(0, len(group), AT_ONCE):
            some = group[start : start + AT_ONCE]
            sums = np.stack([one for _, one, _ in some], axis=1)
            counts = np.stack([one for _, _, one in some], axis=1)
            for (name, *_), interval in zip(some, _ends(sums, counts), strict=True):
                found[name] = interval
    return found


def summed(places: NDArray[np.intp], values: Numbers, count: int) -> Numbers:
    """The sum of the values at each of so many places."""
    return np.bincount(places, values, count).astype(np.float64)


def _ends(sums: Numbers, counts: Numbers) -> list[Interval | None]:
    """The interval of sums / counts of each column; both are (patients, columns)."""
    means = sums / counts
    whole = sums.sum(axis=0) / counts.sum(axis=0)
    drawn = _resampled(sums, counts)
    without = (sums.sum(axis=0) - sums) / (counts.sum(axis=0) - counts)
    away = without.mean(axis=0) - without
    same = _SAME * np.abs(means).max(axis=0)
    found: list[Interval | None] = []
    for place in range(len(whole)):
        if np.ptp(means[:, place]) <= same[place]:
            found.append(None)
            continue
        ends = np.quantile(
            drawn[:, place],
            _levels(drawn[:, place] - whole[place], away[:, place], same[place]),
        )
        low, high = np.clip(ends, means[:, place].min(), means[:, place].max())
        found.append(Interval(float(low), float(high), len(means)))
    return found


def _resampled(sums: Numbers, counts: Numbers) -> Numbers:
    """The mean of each column in every resample: (resamples, columns)."""
    count = len(sums)
    source = generator()
    parts = []
    for size in portions(RESAMPLES, count):
        drawn = source.integers(count, size=(size, count))
        drawn += np.arange(size)[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        times = times.astype(np.float64)
        parts.append((times @ sums) / (times @ counts))
    return np.concatenate(parts)


def _levels(off: Numbers, away: Numbers, same: float) -> tuple[float, float]:
    """At which parts of the resamples the ends lie.

    Args:
        off: by how much each resample is off the mean.
        away: by how much the mean without each patient is off their mean.
        same: what is rounding.
    """
    count, normal = len(away), NormalDist()
    below = np.mean(off < -same) + np.mean(np.abs(off) <= same) / 2
    bias = normal.inv_cdf(float(np.clip(below, 1 / RESAMPLES, 1 - 1 / RESAMPLES)))
    skew = float((away**3).sum() / (6 * (away**2).sum() ** 1.5))
    wide = sqrt(count / (count - 1)) * quantile_of_t(count - 1)

    def level(end: float) -> float:
        return normal.cdf(bias + (bias + end) / (1 - skew * (bias + end)))

    return level(-wide), level(wide)


def quantile_of_t(freedom: int) -> float:
    """The 97.5 % quantile of Student's t, to 4e-4 of itself from 4 degrees of freedom on.

    Abramowitz and Stegun 26.7.5.
    """
    z = NormalDist().inv_cdf(1 - _TAIL)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + fsum(term / float(freedom) ** power for power, term in enumerate(terms, start=1))


def generator() -> np.random.Generator:
    """Random numbers that are the same each time, from Philox, a counter-based generator."""
    return np.random.Generator(np.random.Philox(key=_SEED))


def portions(resamples: int, patients: int) -> list[int]:
    """How many resamples of so many patients are made at a time, so that memory holds them."""
    size = max(_DRAWS // patients, 1)
    return [min(size, resamples - start) for start in range(0, resamples, size)]
