"""How two predictions differ: for each metric of each organ, over patients."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

import msgspec

from chaosprep.evaluation.intervals import Interval, intervals
from chaosprep.evaluation.paired.signs import holm, p_values
from chaosprep.evaluation.results import OrganResult

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
    organs = {
        organ: [pair for pair in pairs if pair[0].organ == organ]
        for organ in dict.fromkeys(row.organ for row, _ in pairs)
    }
    sides = {
        (organ, name): found
        for organ, of in organs.items()
        for name in metrics
        if (found := by_patient(of, name))
    }
    patients = list(dict.fromkeys(row.patient for row, _ in pairs))
    apart = {test: {who: a - b for who, (a, b) in of.items()} for test, of in sides.items()}
    columns = {test: [of.get(who) for who in patients] for test, of in apart.items()}
    ends = intervals(columns, patients)
    p = p_values([list(of.values()) for of in apart.values()])
    tests = tuple(
        Difference(
            organ=organ,
            metric=name,
            cases=sum(has(pair, name) for pair in organs[organ]),
            patients=len(of),
            a=fmean(a for a, _ in of.values()),
            b=fmean(b for _, b in of.values()),
            difference=fmean(apart[organ, name].values()),
            interval=ends[organ, name],
            p=one,
            p_holm=adjusted,
        )
        for ((organ, name), of), one, adjusted in zip(sides.items(), p, holm(p), strict=True)
    )
    return tests, tuple(one for organ, of in organs.items() for one in _lost(organ, of, metrics))


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
