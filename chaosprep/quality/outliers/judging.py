"""Which cases stand out: each value against the median of its dataset, by robust z."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from chaosprep.errors import Problem, plural
from chaosprep.quality.outliers.measures import Floats, Measure, measures
from chaosprep.quality.outliers.values import CaseValues

FEWEST = 8
"""Cases of a sequence below which nothing is judged: their median and spread tell too little."""
MOST = 99.0
"""The largest robust z that is told; what is missing has it."""
_LIMIT = 3.5  # of the modified z-score, Iglewicz and Hoaglin (1993)
_FEW = 6  # widens the limit for few cases, whose MAD varies more than that of many
_TO_SIGMA = 1.4826  # the MAD of a normal distribution, and its mean absolute deviation
_MEAN_TO_SIGMA = 1.2533
_SHOWN = 8  # sequences in a note
_TOLD = 3  # reasons that are said of one case
_RARE = 0.1  # of cases that differ where most are equal; more are a kind of their own
_NOW_AND_THEN = 0.02  # of cases with so high a count: it is no wonder
_MANY = 20  # a count above it is judged by its z alone
_USUAL = 0.9  # of the other cases show a structure: one that does not stands out


class Outlier(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a case that is far from the others': which, its robust z, and why in words."""

    case: str
    value: str
    z: float
    reason: str


def outliers(values: Sequence[CaseValues]) -> tuple[Outlier, ...]:
    """The outliers of a dataset, the farthest first; cases of one sequence are compared."""
    found: list[Outlier] = []
    for sequence in sorted({case.sequence for case in values}):
        group = [case for case in values if case.sequence == sequence]
        if len(group) >= FEWEST:
            found += _missing(group)
            told: set[tuple[str, str]] = set()
            for measure in measures(group):
                far = _far(measure)
                found += [one for one in far if not told & {(one.case, c) for c in measure.after}]
                told |= {(one.case, measure.name) for one in far}
    return tuple(sorted(found, key=lambda one: (-abs(one.z), one.case, one.value)))


def not_judged(values: Sequence[CaseValues]) -> tuple[str, ...]:
    """A note of the sequences with so few cases that none of them is judged, and how many."""
    count = Counter(case.sequence for case in values)
    names = [name for name in sorted(count) if count[name] < FEWEST]
    few = [f"{plural(count[name], 'case')} of {name}" for name in names]
    more = f" and {len(few) - _SHOWN} more sequences" if len(few) > _SHOWN else ""
    said = f"outliers are not looked for among fewer than {FEWEST} cases of a sequence: "
    return (f"{said}{', '.join(few[:_SHOWN])}{more}",) if few else ()


def by_case(found: Iterable[Outlier]) -> dict[str, tuple[Outlier, ...]]:
    """The outliers of each case, in their order."""
    cases: dict[str, tuple[Outlier, ...]] = {}
    for one in found:
        cases[one.case] = (*cases.get(one.case, ()), one)
    return cases


def reason_of(some: Sequence[Outlier]) -> str:
    """Why a case stands out, in one sentence: its three farthest values."""
    more = f"; and {len(some) - _TOLD} more" if len(some) > _TOLD else ""
    return "; ".join(one.reason for one in some[:_TOLD]) + more


def outlier_warnings(values: Sequence[CaseValues], found: Iterable[Outlier]) -> list[Problem]:
    """A warning for each case that stands out, with its three farthest values."""
    files = {case.id: case.file for case in values}
    warnings = []
    for case, some in by_case(found).items():
        reason = reason_of(some)
        remedy = "Look at this case before you trust it."
        warnings.append(
            Problem(code="outlier", id=case, file=files.get(case), reason=reason, remedy=remedy)
        )
    return warnings


def _far(measure: Measure) -> list[Outlier]:
    """The cases whose robust z passes the limit: (x - median) / (1.4826 MAD), never of 0."""
    ids = list(measure.values)
    if len(ids) < FEWEST:
        return []
    shown = np.array(list(measure.values.values()))
    limit = _LIMIT * (1 + _FEW / len(ids))
    scaled = measure.scale(shown)
    away = scaled - np.median(scaled)
    sizes = np.abs(away)
    spread = _TO_SIGMA * float(np.median(sizes))
    if np.count_nonzero(sizes > measure.least) > max(1, _RARE * len(ids)):
        spread = max(spread, _MEAN_TO_SIGMA * float(sizes.mean())) if spread == 0 else spread
    z = np.clip(away / max(spread, measure.least / limit), -MOST, MOST)
    found = []
    for place in np.flatnonzero(np.abs(z) > limit).tolist():
        if measure.counts and _happens(int(shown[place]), np.delete(shown, place)):
            continue
        if z[place] > 0 or not measure.upwards:
            reason = measure.reason(float(shown[place]), np.delete(shown, place))
            found.append(
                Outlier(case=ids[place], value=measure.name, z=float(z[place]), reason=reason)
            )
    return found


def _happens(count: int, others: Floats) -> bool:
    """Whether so high a count is no wonder: Poisson with the others' mean gives it now and then.

    A hole in one case of ten is as much a fault as in one of a hundred, but no case stands out.
    """
    mean, share = float(others.mean()), 1.0
    if count > _MANY:
        return False
    for number in range(count):
        share -= math.exp(-mean) * mean**number / math.factorial(number)
    return share > _NOW_AND_THEN


def _missing(group: Sequence[CaseValues]) -> list[Outlier]:
    """Structures that a case does not show and nearly all others of its side with masks do."""
    found = []
    for side in sorted({case.side for case in group}):
        cases = [case for case in group if case.side == side]
        if len(cases) < FEWEST:
            continue
        for name in dict.fromkeys(name for case in cases for name in case.structures):
            having = sum(name in case.structures for case in cases)
            if having < _USUAL * (len(cases) - 1):
                continue
            reason = f"{name} is missing; {having} of {len(cases)} cases show it"
            found += [
                Outlier(case=case.id, value=f"{name} missing", z=-MOST, reason=reason)
                for case in cases
                if name not in case.structures
            ]
    return found
