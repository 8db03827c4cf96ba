"""How two predictions differ: for each metric of each organ, over patients."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

import msgspec

from chaosprep.evaluation.intervals import Interval, intervals
from chaosprep.evaluation.results import OrganResult
from chaosprep.evaluation.signs import holm, p_value

Pairs = Sequence[tuple[OrganResult, OrganResult]]
Lost = tuple[str, tuple[str, ...], tuple[str, ...]]
"""An organ, metrics that are not compared everywhere, and in which cases they are not."""
Sides = Mapping[str, tuple[float, float]]
"""Patient -> the mean over the patient's cases, in both predictions."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one organ in both predictions: means over patients, and `a` - `b`.

    A patient's value is the mean over the patient's cases. ``interval`` is that of the mean
    difference, None of fewer than 5 patients or where all differ by the same; ``p`` is that of the
    sign-flip test, and ``p_holm`` is adjusted for all tests of the comparison.
    """

    organ: str
    metric: str
    cases: int
    patients: int
    a: float
    b: float
    difference: float
    interval: Interval | None
    p: float
    p_holm: float


def differences(
    pairs: Pairs, metrics: Sequence[str]
) -> tuple[tuple[Difference, ...], tuple[Lost, ...]]:
    """The test of each metric of each organ, and which cases some of them could not take.

    A case counts where both predictions have the value.
    """
    tests: list[Difference] = []
    lost: list[Lost] = []
    for organ in dict.fromkeys(row.organ for row, _ in pairs):
        of = [pair for pair in pairs if pair[0].organ == organ]
        kept = {name: [pair for pair in of if has(pair, name)] for name in metrics}
        tests += (_difference(organ, name, pairs) for name, pairs in kept.items() if pairs)
        lost += _lost(organ, of, metrics)
    adjusted = holm([test.p for test in tests])
    found = zip(tests, adjusted, strict=True)
    return tuple(msgspec.structs.replace(test, p_holm=p) for test, p in found), tuple(lost)


def by_patient(pairs: Pairs, metric: str) -> Sides:
    """What each patient has in both predictions, of the cases where both have the value."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for pair in pairs:
        if has(pair, metric):
            values = getattr(pair[0], metric), getattr(pair[1], metric)
            rows.setdefault(pair[0].patient, []).append(values)
    return {
        patient: (fmean(a for a, _ in values), fmean(b for _, b in values))
        for patient, values in rows.items()
    }


def has(pair: tuple[OrganResult, OrganResult], metric: str) -> bool:
    """Whether both sides have the value."""
    return all(getattr(row, metric) is not None for row in pair)


def _difference(organ: str, metric: str, pairs: Pairs) -> Difference:
    sides = by_patient(pairs, metric)
    apart = [a - b for a, b in sides.values()]
    p = p_value(apart)
    return Difference(
        organ=organ,
        metric=metric,
        cases=len(pairs),
        patients=len(sides),
        a=fmean(a for a, _ in sides.values()),
        b=fmean(b for _, b in sides.values()),
        difference=fmean(apart),
        interval=intervals({metric: apart}, list(sides))[metric],
        p=p,
        p_holm=p,
    )


def _lost(organ: str, pairs: Pairs, metrics: Sequence[str]) -> Iterator[Lost]:
    """Metrics that lack the same cases are one; what no side has anywhere is not asked for here."""
    cases = {
        name: tuple(pair[0].case for pair in pairs if not has(pair, name))
        for name in metrics
        if any(getattr(row, name) is not None for pair in pairs for row in pair)
    }
    for some in dict.fromkeys(cases.values()):
        if some:
            yield organ, tuple(name for name in cases if cases[name] == some), some
