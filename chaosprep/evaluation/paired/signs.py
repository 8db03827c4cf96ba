"""Whether differences are more than chance: a sign-flip permutation test, and Holm's correction.

Were two predictions alike, each patient's difference could as well have the other sign (Fisher
1935). The p-value is the part of all assignments of signs whose mean is at least as far from 0.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

import numpy as np

from chaosprep.evaluation.intervals import AT_ONCE, RESAMPLES, Numbers, generator, portions

EXACT: Final = 14  # patients, of whom every assignment of signs is tried
_SAME: Final = 1e-9  # of the sum of sizes: what differs by less is as far


def p_value(differences: Sequence[float]) -> float:
    """The two-sided p-value of differences, one for each patient.

    Exact for up to 14 patients. For more, 10,000 assignments are drawn, always the same, and the
    one that was found counts as another of them (Phipson and Smyth 2010), so that p is never 0.
    Differences that are all 0 have 1.
    """
    return p_values([differences])[0]


def p_values(tests: Sequence[Sequence[float]]) -> list[float]:
    """The p-value of each test; those of equally many patients share their assignments."""
    found = [1.0] * len(tests)
    for count in {len(one) for one in tests}:
        places = [place for place, one in enumerate(tests) if len(one) == count]
        for start in range(0, len(places), AT_ONCE):
            some = places[start : start + AT_ONCE]
            values = np.array([tests[place] for place in some], np.float64).T
            for place, p in zip(some, _p_values(values), strict=True):
                found[place] = float(p)
    return found


def _p_values(values: Numbers) -> Numbers:
    """The p-value of each column of (patients, tests)."""
    count, tests = values.shape
    far = np.abs(values.sum(axis=0)) - _SAME * np.abs(values).sum(axis=0)
    hits, tried = np.zeros(tests), 0
    for signs in _signs(count):
        hits += np.count_nonzero(np.abs(signs @ values) >= far, axis=0)
        tried += len(signs)
    drawn = count > EXACT
    return np.asarray((hits + drawn) / (tried + drawn), np.float64)


def _signs(count: int) -> Iterator[Numbers]:
    """Assignments of -1 or 1 to so many patients: (assignments, patients), in portions."""
    if count <= EXACT:
        numbers = np.arange(1 << count)[:, None]
        yield np.where(numbers >> np.arange(count) & 1, -1.0, 1.0)
        return
    source = generator()
    for size in portions(RESAMPLES, count):
        yield np.where(source.integers(2, size=(size, count), dtype=np.int8), -1.0, 1.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values as adjusted for their number by Holm's step-down method (1979), in their order."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    scaled = (min((len(order) - rank) * p_values[place], 1) for rank, place in enumerate(order))
    adjusted = dict(zip(order, accumulate(scaled, max), strict=True))
    return [float(adjusted[place]) for place in range(len(p_values))]
