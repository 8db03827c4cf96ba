"""The group page as numbers for SVG: a strip for each value, a point for each case."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from chaosprep.quality.outliers.judging import Outlier
from chaosprep.quality.outliers.values import CaseValues

_LEFT, _RIGHT = 10.0, 610.0
_MIDDLE = 13.0
_ROWS = (0.0, -5.0, 5.0)  # points beside each other are told apart


@dataclass(frozen=True)
class Point:
    """A case on a strip, and whether it stands out there."""

    case: str
    text: str
    x: float
    y: float
    far: bool


@dataclass(frozen=True)
class Strip:
    """A value of all cases of a sequence, from the smallest to the largest."""

    name: str
    low: str
    high: str
    points: tuple[Point, ...]


def strips(
    values: Sequence[CaseValues], found: Collection[Outlier], organs: Sequence[str]
) -> list[Strip]:
    """A strip for each value that two cases have: volumes, then spacings, then intensities."""
    far = {(one.case, one.value) for one in found}
    groups: dict[tuple[str, str], list[tuple[str, float, str]]] = defaultdict(list)
    for case in values:
        for name, number, unit in _values(case, organs):
            groups[case.sequence, name].append((case.id, number, unit))
    several = len({case.sequence for case in values}) > 1
    order = {name: at for at, name in enumerate(_names(organs))}
    ordered = sorted(groups, key=lambda key: (order[key[1]], key[0]))
    return [
        _strip(f"{name}, {sequence}" if several else name, name, groups[sequence, name], far)
        for sequence, name in ordered
        if len(groups[sequence, name]) > 1
    ]


_SPACINGS = ("spacing of slices", "spacing of rows", "spacing of cols")
_INTENSITIES = ("intensity 1st percentile", "intensity median", "intensity 99th percentile")
"""As `outliers` calls them."""


def _names(organs: Sequence[str]) -> list[str]:
    return [*(f"{organ} volume" for organ in organs), *_SPACINGS, *_INTENSITIES]


def _values(case: CaseValues, organs: Sequence[str]) -> Iterator[tuple[str, float, str]]:
    for organ in organs:
        found = case.structures.get(organ)
        if found is not None and found.ml is not None:
            yield f"{organ} volume", found.ml, "ml"
    yield from ((name, mm, "mm") for name, mm in zip(_SPACINGS, case.spacing or (), strict=False))
    for name, number in zip(_INTENSITIES, case.percentiles or (), strict=False):
        yield name, number, ""


def _strip(
    title: str, name: str, cases: list[tuple[str, float, str]], far: set[tuple[str, str]]
) -> Strip:
    numbers = [number for _, number, _ in cases]
    low, high = min(numbers), max(numbers)
    place: Callable[[float], float] = lambda number: (  # noqa: E731
        (number - low) / (high - low) if high > low else 0.5
    )
    points = [
        Point(
            case,
            _text(number, unit),
            round(_LEFT + place(number) * (_RIGHT - _LEFT), 1),
            _MIDDLE + (0.0 if (case, name) in far else _ROWS[at % len(_ROWS)]),
            (case, name) in far,
        )
        for at, (case, number, unit) in enumerate(sorted(cases, key=lambda one: one[1]))
    ]
    unit = cases[0][2]
    return Strip(title, _text(low, unit), _text(high, unit), tuple(points))


def _text(number: float, unit: str) -> str:
    return f"{number:.4g} {unit}".strip()
