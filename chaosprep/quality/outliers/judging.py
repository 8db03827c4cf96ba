"""Which cases stand out: each value against the median of its dataset, by robust z.

z = 0.6745 (x - median) / MAD, MAD the median of |x - median|: the modified z-score of Iglewicz and
Hoaglin, How to Detect and Handle Outliers, 1993. Sizes, volumes and intensities are compared as
logarithms where all are above 0, so that half and double are equally far.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.quality.outliers.values import CaseValues, StructureValues

LEAST = 8
"""Cases of a sequence below which nothing is judged: the MAD of fewer is often far too small."""

_SCALE = 0.6745  # the MAD of a normal distribution with standard deviation 1
_ONE_CASE = 3  # reasons that are said of one case


class Outlier(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a case that is far from the others': which, its robust z, and why in words."""

    case: str
    value: str
    z: float
    reason: str


@dataclass(frozen=True)
class _Kind:
    """A value of cases: how it is said, and the robust z beyond which it stands out.

    The spread of the others counts as no less than `floor`, so that what is equal in all does not
    make everything far: a part of 1 for shares and counts, of the median for other values.
    `in_ratios` values are compared as logarithms. docs/quality.md has the rate of false alarms.
    """

    say: Callable[[float], str]
    floor: float
    far: float = 6.0
    in_ratios: bool = False


def _mm(value: float) -> str:
    return f"{value:.3g} mm"


def _ml(value: float) -> str:
    return f"{value:,.3g} ml" if value < 1000 else f"{value:,.0f} ml"


def _share(value: float) -> str:
    return f"{value:.0%}"


_RATIO = _Kind(lambda value: f"{value:.4g}", 0.05, in_ratios=True)
_KINDS = {
    "distance between slices": _Kind(_mm, 0.05, in_ratios=True),
    "distance between rows": _Kind(_mm, 0.05, in_ratios=True),
    "distance between columns": _Kind(_mm, 0.05, in_ratios=True),
    "1st percentile of the pixels": _Kind(lambda value: f"{value:.4g}", 0.1),
    "median of the pixels": _Kind(lambda value: f"{value:.4g}", 0.1),
    "99th percentile of the pixels": _RATIO,
    "volume": _Kind(_ml, 0.08, 4.5, in_ratios=True),
    "largest jump of area between slices": _Kind(_share, 0.05),
    "holes": _Kind(lambda value: f"{value:.0f}", 0.5, 10),
    "islands": _Kind(lambda value: f"{value:.0f}", 0.5, 10),
    "position along the slices": _Kind(_share, 0.03),
    "position along the rows": _Kind(_share, 0.03),
    "position along the columns": _Kind(_share, 0.03),
}
"""The values in the order in which they are said; one line for each kind."""


def outliers(values: Sequence[CaseValues]) -> tuple[Outlier, ...]:
    """The outliers of a dataset, the farthest first.

    Cases are compared within their sequence, structures by name, where at least eight have them.
    """
    found = [one for some in _measured(values).values() for one in _far(*some)]
    return tuple(sorted(found, key=lambda one: (-abs(one.z), one.case, one.value)))


def of_cases(found: Sequence[Outlier]) -> dict[str, tuple[Outlier, ...]]:
    """Case id -> its outliers, the farthest first."""
    cases: defaultdict[str, list[Outlier]] = defaultdict(list)
    for one in found:
        cases[one.case].append(one)
    return {case: tuple(some) for case, some in cases.items()}


def reason_of(some: Sequence[Outlier]) -> str:
    """Why a case stands out, in one sentence: its three farthest values."""
    more = len(some) - _ONE_CASE
    told = [one.reason for one in some[:_ONE_CASE]]
    return "; ".join([*told, *([f"and {more} more"] if more > 0 else [])])


_Numbers = dict[str, float]


_Group = tuple[str, str, _Numbers]


def _measured(
    values: Sequence[CaseValues],
) -> dict[tuple[str, str, str], tuple[str, str, _Numbers]]:
    """Sequence, structure and value -> the structure, the value, and its number in each case."""
    groups: dict[tuple[str, str, str], _Group] = {}
    for case in values:
        for structure, name, number in _numbers(case):
            key = case.sequence, structure, name
            groups.setdefault(key, (structure, name, {}))[2][case.id] = number
    return groups


def _numbers(case: CaseValues) -> Iterator[tuple[str, str, float]]:
    names = iter(_KINDS)
    for number in case.spacing or (None, None, None):
        name = next(names)
        if number is not None:
            yield "", name, number
    for number in case.percentiles or (None, None, None):
        name = next(names)
        if number is not None:
            yield "", name, number
    for structure, found in case.structures.items():
        yield from ((structure, name, number) for name, number in _of_structure(found))


def _of_structure(found: StructureValues) -> Iterator[tuple[str, float]]:
    """The values of a structure; where it is not shown it has no volume, and no place."""
    if found.ml is not None:
        yield "volume", found.ml
    if not found.voxels:
        return
    yield "largest jump of area between slices", found.jump
    for name, count in (("holes", found.holes), ("islands", found.islands)):
        if count is not None:
            yield name, count
    for axis, at in zip(("slices", "rows", "columns"), found.centre or (), strict=False):
        yield f"position along the {axis}", at


def _far(structure: str, name: str, numbers: _Numbers) -> Iterator[Outlier]:
    kind = _KINDS[name]
    if len(numbers) < LEAST:
        return
    given = np.array(list(numbers.values()))
    in_ratios = kind.in_ratios and bool((given > 0).all())
    scaled = np.log(given) if in_ratios else given
    middle = float(np.median(scaled))
    spread = float(np.median(np.abs(scaled - middle)))
    floor = kind.floor * (1.0 if in_ratios else _size(kind, given))
    for case, number, at in zip(numbers, given, scaled, strict=True):
        z = _SCALE * (float(at) - middle) / max(spread, _SCALE * floor)
        if abs(z) > kind.far:
            reason = _words(structure, name, kind, float(number), given)
            yield Outlier(case=case, value=f"{structure} {name}".strip(), z=z, reason=reason)


def _size(kind: _Kind, given: NDArray[np.float64]) -> float:
    """What the least spread is a part of: 1 for shares and counts, for intensities their median."""
    if kind.say is _share or kind.floor >= 0.5:
        return 1.0
    return max(float(np.median(np.abs(given))), 1e-12)


def _words(
    structure: str, name: str, kind: _Kind, number: float, given: NDArray[np.float64]
) -> str:
    first, _, third = quantiles(given.tolist(), n=4, method="inclusive")
    of = f"{structure} " if structure else ""
    return (
        f"{of}{name} {kind.say(number)}; the median of {len(given)} cases is "
        f"{kind.say(median(given.tolist()))}, half of them {kind.say(first)} to {kind.say(third)}"
    )
