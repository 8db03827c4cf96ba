"""What cases are compared by: each value, the scale it is natural on, and how it reads."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import plural
from chaosprep.quality.outliers.values import CaseValues, StructureValues

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Measure:
    """A value of every case that has it, by case id.

    `scale` is what is compared, `least` the smallest difference on it that matters. A case that
    stands out by one of `after` is not told again; `upwards`: small values are never odd; `counts`:
    they are numbers of something that happens now and then.
    """

    name: str
    values: dict[str, float]
    scale: Callable[[Floats], Floats]
    least: float
    reason: Callable[[float, Floats], str]
    after: tuple[str, ...] = ()
    upwards: bool = False
    counts: bool = False


_AXES: Final = (("slices", "slices are"), ("rows", "rows are"), ("cols", "columns are"))
_SPACINGS: Final = tuple(f"spacing of {axis}" for axis, _ in _AXES)
_PLACES: Final = (
    ("slices", "from the first slice to the last", 0.25),
    ("rows", "from the top to the bottom", 0.15),
    ("cols", "from the left to the right", 0.15),
)
"""Where a scan begins and ends varies more than what it shows of a slice."""


def measures(group: Sequence[CaseValues]) -> Iterator[Measure]:
    """What the cases of one sequence are compared by, causes before what follows from them."""
    sized = [(case.id, case.spacing, case.shape[0]) for case in group if case.spacing]
    for axis, (name, (_, verb)) in enumerate(zip(_SPACINGS, _AXES, strict=True)):
        apart = {id: spacing[axis] for id, spacing, _ in sized}
        after = _SPACINGS[1:axis]  # columns as rows
        yield Measure(name, apart, np.log, 0.1, _compared(f"{verb} {{}} apart", "mm"), after)
    if len(sized) == len(group):
        extents = {id: spacing[0] * slices for id, spacing, slices in sized}
        told = _compared("its slices extend over {}", "mm")
        yield Measure("extent", extents, np.log, 0.4, told, _SPACINGS[:1])
    yield from _intensities(group)
    for name in dict.fromkeys(name for case in group for name in case.structures):
        some = {case.id: case.structures[name] for case in group if name in case.structures}
        yield from _structure(name, some)


def _intensities(group: Sequence[CaseValues]) -> Iterator[Measure]:
    """Percentiles, linear near 0 and logarithmic beyond: Hounsfield units and MR alike."""
    shown = {case.id: case.percentiles for case in group if case.percentiles}
    if not shown:
        return
    unit = float(np.median([high - low for low, _, high in shown.values()])) / 10 or 1.0

    def scale(values: Floats) -> Floats:
        scaled: Floats = np.arcsinh(values / unit)
        return scaled

    names = ("99th percentile", "median", "1st percentile")
    for index, name in enumerate(names):
        values = {id: some[2 - index] for id, some in shown.items()}
        told = _compared(f"the {name} of its pixels is {{}}", "")
        yield Measure(f"intensity {name}", values, scale, 0.4, told, _intensity(names[:index]))


def _intensity(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"intensity {name}" for name in names)


def _structure(name: str, some: dict[str, StructureValues]) -> Iterator[Measure]:
    if all(one.ml is not None for one in some.values()):
        size = {id: one.ml or 0.0 for id, one in some.items()}
        told, after = _compared(f"{name} has {{}}", "ml"), _SPACINGS
    else:
        size, after = {id: float(one.voxels) for id, one in some.items()}, ()
        told = _compared(f"{name} has {{}}", "voxels")
    yield Measure(f"{name} volume", size, np.log, 0.4, told, after)
    gaps = {id: float(one.gaps) for id, one in some.items()}
    jumps = {id: one.jump for id, one in some.items()}
    counts: tuple[tuple[str, str, Callable[[StructureValues], int]], ...] = (
        ("holes", "hole", lambda one: one.holes),
        ("islands", "island", lambda one: one.islands),
    )
    gap, island = f"{name} gaps", f"{name} islands"
    for kind, noun, count in counts:
        values = {id: float(count(one)) for id, one in some.items()}
        told = _counted(f"{name} has", noun)
        yield Measure(f"{name} {kind}", values, np.sqrt, 0.5, told, upwards=True, counts=True)
    told, after = _counted(f"{name} is missing in", "slice"), (island,)
    yield Measure(gap, gaps, np.sqrt, 0.5, told, after, upwards=True, counts=True)
    told = _compared(f"{name} jumps by {{}} of its area between two slices", "%")
    yield Measure(f"{name} jump", jumps, _same, 0.2, told, (gap, island), upwards=True)
    for axis, (kind, way, least) in enumerate(_PLACES):
        values = {id: one.centre[axis] for id, one in some.items()}
        told = _compared(f"the centre of {name} lies at {{}} of the way {way}", "%")
        after = (gap, island, f"{name} volume")
        yield Measure(f"{name} place in {kind}", values, _same, least, told, after)


def _same(values: Floats) -> Floats:
    return values


def _compared(text: str, unit: str) -> Callable[[float, Floats], str]:
    """A sentence of a value, with what the others have."""

    def say(value: float, others: Floats) -> str:
        low, middle, high = (_text(one, unit) for one in np.percentile(others, [25, 50, 75]))
        least, most = _text(float(others.min()), unit), _text(float(others.max()), unit)
        end = f" {unit}" if unit and unit != "%" else unit and " %"
        shown = text.format(_text(value, unit) + end)
        if least == most:
            return f"{shown}; all {len(others)} others {least}{end}"
        if low == high:
            return f"{shown}; the median of {len(others)} others is {middle}{end}"
        return (
            f"{shown}; the median of {len(others)} others is {middle}{end}, "
            f"half of them lie within {low} to {high}{end}"
        )

    return say


def _counted(text: str, noun: str) -> Callable[[float, Floats], str]:
    def say(value: float, others: Floats) -> str:
        middle = f"{float(np.median(others)):g}"
        return f"{text} {plural(int(value), noun)}; the median of {len(others)} others is {middle}"

    return say


def _text(value: float, unit: str) -> str:
    """Three digits, or all before the point; of what nobody would count with a power of ten."""
    value = value * 100 if unit == "%" else value
    if abs(value) >= 1e9:
        return f"{value:.3g}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.0f}" if unit == "%" else f"{value:.3g}"
