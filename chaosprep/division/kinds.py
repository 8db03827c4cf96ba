"""What patients are to be balanced by, as kinds: numbers become bins."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from chaosprep.division.sides import Side
from chaosprep.layouts.root import Traits

UNKNOWN = "unknown"
"""The kind of those of whom nothing tells."""
OLDEST = 90
"""Years: who is older counts as this old, as so high an age can identify (45 CFR 164.514)."""

_BINS = 4
_DIGITS, _ALL = 4, 17  # of a number that is shown: usually, and as many as tell any two apart
_DISTINCT = 5  # values of a number that are kinds of their own

Kinds = Mapping[str, Mapping[str, str]]
"""What is to be balanced -> patient -> its kind."""


def kinds_of(traits: Traits, sides: Mapping[str, Side]) -> Kinds:
    """The kind of every patient of some sides, by all that is to be balanced.

    Up to five different numbers are kinds of their own, where each has as many patients as there
    are parts. All others are put into bins of about equally many patients, equal numbers into one:
    four, or as many as the smallest part has patients; each bin has as many patients as there are
    parts, or there is one bin only.
    """
    parts = Counter(sides.values())
    wishes = dict.fromkeys(wish for patient in sides for wish in traits.get(patient, ()))
    found: dict[str, dict[str, str]] = {}
    for wish in wishes:
        told = {patient: traits.get(patient, {}).get(wish) for patient in sorted(sides)}
        numbers = {patient: one for patient, one in told.items() if isinstance(one, float)}
        names = _numbered(wish, numbers.values(), parts)
        found[wish] = {
            patient: UNKNOWN if one is None else names[one] if isinstance(one, float) else one
            for patient, one in told.items()
        }
    return found


def _numbered(wish: str, numbers: Collection[float], parts: Mapping[Side, int]) -> dict[float, str]:
    """Number -> its kind."""
    counts = Counter(numbers)
    if len(counts) <= _DISTINCT and all(count >= len(parts) for count in counts.values()):
        bins = [[one] for one in sorted(counts)]
    else:
        bins = _bins(counts, max(1, min(_BINS, *parts.values())), len(parts))
    ends = [(several[0], several[-1]) for several in bins]
    digits = next((n for n in range(_DIGITS, _ALL) if _differ(wish, ends, n)), _ALL)
    return {
        one: _text(wish, *both, digits)
        for several, both in zip(bins, ends, strict=True)
        for one in several
    }


def _bins(counts: Mapping[float, int], most: int, least: int) -> list[list[float]]:
    """Numbers in ascending bins of so many patients at least; the last takes what is left."""
    full = max(least, sum(counts.values()) / most)
    bins: list[list[float]] = [[]]
    held = 0
    for number in sorted(counts):
        if held >= full:
            bins.append([])
            held = 0
        bins[-1].append(number)
        held += counts[number]
    if len(bins) > 1 and held < max(least, full / 2):
        last = bins.pop()
        bins[-1] += last
    return bins


def _differ(wish: str, ends: Sequence[tuple[float, float]], digits: int) -> bool:
    return len({_text(wish, *both, digits) for both in ends}) == len(ends)


def _text(wish: str, low: float, high: float, digits: int) -> str:
    """What a bin is called, by its ends."""
    ends = [
        f"{one:.{digits}g}{'+' if wish == 'age' and one >= OLDEST else ''}" for one in (low, high)
    ]
    return ends[0] if ends[0] == ends[1] else "..".join(ends)
