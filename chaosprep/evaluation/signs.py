"""Whether differences are more than chance: a sign-flip permutation test, and Holm's correction.

Were two predictions alike, each patient's difference could as well have the other sign (Fisher
1935). The p-value is the part of all assignments of signs whose mean is at least as far from 0.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

import numpy as np

from chaosprep.evaluation.intervals import RESAMPLES, Numbers, generator, portions

EXACT: Final = 14  # patients, of whom every assignment of signs is tried
_SAME: Final = 1e-9  # of the sum of sizes: what differs by less is as far


def p_value(differences: Sequence[float]) -> float:
    """The two-sided p-value of differences, one for each patient.

    Exact for up to 14 patients. For more, 10,000 assignments are drawn, always the same, and the
    one that was found counts as another of them (Phipson and Smyth 2010), so that p is never 0.
    Differences that are all 0 have 1.
    """
    values = np.array(differences, np.float64)
    far = abs(values.sum()) - _SAME * np.abs(values).sum()
    reached = [np.abs(signs @ values) >= far for signs in _signs(len(values))]
    hits, tried = sum(map(np.count_nonzero, reached)), sum(map(len, reached))
    drawn = len(values) > EXACT
    return float((hits + drawn) / (tried + drawn))


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
