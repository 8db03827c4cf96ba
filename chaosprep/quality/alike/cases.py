"""Equal and similar slices, summed up to cases: which volume stands on two sides."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from chaosprep.errors import Problem
from chaosprep.quality.alike.fingerprints import Fingerprint
from chaosprep.quality.alike.leaks import SPLIT_AGAIN
from chaosprep.quality.findings import Seen

COMPARED = 12
"""Slices of a case that are looked for in the others, evenly spaced; all are looked among."""
_SHARE = 0.25  # of them that must be found in one other case, and two at least
_ALL = 0.5  # share of equal slices from which two cases on one side count as one


@dataclass
class _Case:
    """One volume: its id, patient, side and file, and its slices in their order."""

    id: str
    patient: str
    side: str
    file: str | None
    slices: list[Seen] = field(default_factory=list)

    @property
    def key(self) -> str:
        """What tells it from every other case, also from one of its name on another side."""
        return f"{self.side}/{self.id}"


def across_cases(seen: Sequence[Seen], *, jobs: int = 1) -> tuple[list[Problem], list[Problem]]:
    """The faults and warnings of cases that show one volume twice, a line for each pair of cases.

    Equal values on two sides are a fault (`leakage`), a volume that stands twice on one side is a
    warning (`duplicate`), and so is one that looks like another's (`near-duplicate`).

    Args:
        seen: every slice, those of a case in their order; with pictures where sides are compared.
        jobs: worker processes.

    Raises:
        ChaosprepError: `worker-died`.
    """
    cases = _cases(seen)
    faults, warnings = [], []
    told: set[tuple[str, str]] = set()
    again: set[str] = set()
    for (one, other), count in _equal(cases).items():
        case, twin = cases[one], cases[other]
        shared = f"{count} of its {len(case.slices)} slices"
        if case.side != twin.side:
            told.add((one, other))
            again |= {one} if count >= _ALL * len(case.slices) else set()
            reason = f"in {case.side}, {shared} have the values of {twin.id} in {twin.side}"
            faults.append(_problem("leakage", case, reason, SPLIT_AGAIN))
        elif case.id != twin.id and count >= _ALL * len(case.slices):
            reason = f"{shared} have the values of {twin.id}"
            warnings.append(_problem("duplicate", case, reason, "Keep one of them."))
    return faults, [*warnings, *_similar(cases, again, told, jobs)]


def _cases(seen: Sequence[Seen]) -> dict[str, _Case]:
    """The cases by side and id, those of the largest side first."""
    cases: dict[str, _Case] = {}
    for one in seen:
        new = _Case(one.case, one.patient, one.side, one.file)
        cases.setdefault(new.key, new).slices.append(one)
    order = _largest_first(cases.values())
    return dict(sorted(cases.items(), key=lambda one: (order.index(one[1].side), one[0])))


def _largest_first(cases: Iterable[_Case]) -> list[str]:
    """The sides, that with the most cases first: what the others share is told of the others."""
    count = Counter(case.side for case in cases)
    return sorted(count, key=lambda side: (-count[side], side))


def _equal(cases: dict[str, _Case]) -> Counter[tuple[str, str]]:
    """How many slices of a case have the values of slices of one before it, by their keys."""
    first: dict[str, list[str]] = defaultdict(list)
    count: Counter[tuple[str, str]] = Counter()
    for key, case in cases.items():
        mine = Counter(one.digest for one in case.slices if one.digest is not None)
        for digest, times in mine.items():
            for other in _one_for_each_side(first[digest], cases):
                count[key, other] += times
            first[digest].append(key)
    return count


def _one_for_each_side(keys: Sequence[str], cases: dict[str, _Case]) -> Iterator[str]:
    """The first case of each side: of a volume that stands on one side often, one is enough."""
    sides = set[str]()
    for key in keys:
        if cases[key].side not in sides:
            sides.add(cases[key].side)
            yield key


def _similar(
    cases: dict[str, _Case], again: set[str], told: set[tuple[str, str]], jobs: int
) -> Iterator[Problem]:
    """Yield `near-duplicate` for each case that shows a volume of another side once more."""
    from chaosprep.quality.alike.duplicates import near_duplicates

    sides: dict[str, list[_Case]] = defaultdict(list)
    for case in cases.values():
        sides[case.side].append(case)
    order = _largest_first(cases.values())
    for number, side in enumerate(order):
        others = _pictures([case for other in order[:number] for case in sides[other]])
        mine = [case for case in sides[side] if case.key not in again]
        queries = [one for case in mine for one in _evenly(_pictures([case]))]
        matches = near_duplicates(
            [picture for _, picture in queries],
            [picture for _, picture in others],
            jobs=jobs,
            quarters=True,
        )
        asked = Counter(case.key for case, _ in queries)
        pairs = Counter((queries[m.query][0].key, others[m.reference][0].key) for m in matches)
        for (one, other), count in sorted(pairs.items()):
            case, twin = cases[one], cases[other]
            # One patient on two sides is a fault of its own.
            same = case.patient and case.patient == twin.patient
            if same or (one, other) in told:
                continue
            if count >= max(min(2, asked[one]), _SHARE * asked[one]):
                yield _alike(case, twin, count, asked[one])


def _pictures(cases: Sequence[_Case]) -> list[tuple[_Case, Fingerprint]]:
    """Every slice that can be compared."""
    return [(case, one.picture) for case in cases for one in case.slices if one.picture is not None]


def _evenly(
    pictures: Sequence[tuple[_Case, Fingerprint]],
) -> list[tuple[_Case, Fingerprint]]:
    """At most `COMPARED` of them, without the ends, which show little."""
    if len(pictures) <= COMPARED:
        return list(pictures)
    places = np.linspace(0, len(pictures) - 1, COMPARED + 2)[1:-1]
    return [pictures[round(float(place))] for place in places]


def _alike(case: _Case, twin: _Case, count: int, compared: int) -> Problem:
    reason = (
        f"in {case.side}, {count} of its {compared} slices that were compared look like those of "
        f"{twin.id} in {twin.side} after a flip, turn, zoom or change of contrast"
    )
    return _problem("near-duplicate", case, reason, f"Look at both. {SPLIT_AGAIN}")


def _problem(code: str, case: _Case, reason: str, remedy: str) -> Problem:
    return Problem(code=code, id=case.id, file=case.file, reason=reason, remedy=remedy)
