"""The paragraphs of the text: what a manifest knows, and what it does not know marked as a gap."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from chaosprep.dataset.descriptor import UNKNOWN_LICENSES, UNKNOWN_SOURCES, DataSource, License
from chaosprep.dataset.left_out import how_many, why
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organs import listed as label_lines
from chaosprep.errors import plural
from chaosprep.markdown import address, inline
from chaosprep.paper.counted import Counted, Range
from chaosprep.paper.sentences import sentences
from chaosprep.paper.settings import gap, have, listed

T = TypeVar("T", License, DataSource)
_STRUCTURES = 60  # names in a sentence


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _STRUCTURES
    return listed([*every[:_STRUCTURES], *([f"{more} more"] if more > 0 else [])])


def _with_cases(counts: Mapping[str, int]) -> list[str]:
    return [f"{inline(name)} ({plural(n, 'case')})" for name, n in sorted(counts.items())]


def sources(dataset: Dataset) -> str:
    """Where the data come from, and under which licence."""
    told = _known(dataset.sources, UNKNOWN_SOURCES)
    terms = _known(dataset.licenses, UNKNOWN_LICENSES)
    source = "; ".join(told) or gap("the source of the data and its citation")
    licence = "; ".join(terms) or gap("the licence of the data")
    return f"Source of the data: {source}. Licence: {licence}."


def _known(some: Iterable[T], unknown: tuple[T, ...]) -> list[str]:
    """What is told of a source or licence; of one that stands for none there is nothing to tell."""
    return [found for one in some if one not in unknown and (found := _named(one))]


def _named(one: License | DataSource) -> str:
    name = one.title or getattr(one, "name", None)
    told = [inline(name)] if name else []
    return ", ".join([*told, *([address(one.path)] if one.path else [])])


def numbers(found: Counted) -> Iterator[str]:
    """How much there is, and of which kind."""
    yield (
        f"The dataset has {plural(found.slices, 'slice')} of {plural(found.cases, 'case')} (one "
        f"series each) of {plural(found.patients, 'patient')}."
    )
    yield f"Series: {_some(_with_cases(found.sequences))}."
    sizes = [f"{size} ({plural(n, 'slice')})" for size, n in sorted(found.sizes.items())]
    yield f"Rows x columns: {_some(sizes)}."
    between, rows, cols = found.spacings
    inside = [one for one in (rows, cols) if one]
    if inside:
        low, high = min(one[0] for one in inside), max(one[1] for one in inside)
        yield f"Pixels are {_range((low, high))} mm apart."
    else:
        yield f"{gap('the spacing of the pixels')}."
    if between:
        yield f"Slices are {_range(between)} mm apart."
    else:
        yield f"{gap('the distance between slices')}."
    if found.masked:
        yield f"{found.masked} of {plural(found.slices, 'slice')} {have(found.masked)} a mask."
    if found.structures:
        yield f"Structures that masks show: {_some(_with_cases(found.structures))}."
    if never := sorted(found.named - found.structures.keys()):
        yield f"Named, and shown by no mask: {_some(map(inline, never))}."


def _range(ends: Range) -> str:
    low, high = (f"{end:.4g}" for end in ends)
    return low if low == high else f"{low} to {high}"


def values(dataset: Dataset) -> Iterator[str]:
    """What the values of masks stand for."""
    lines = label_lines(dataset.label_map)
    if lines:
        told = [" ".join(filter(None, map(inline, one))) for one in lines]
        yield f"Mask values: {'; '.join(told)}."


def sides(found: Counted) -> Iterator[str]:
    """Who is where."""
    told = [
        f"{split} {plural(len(side.patients), 'patient')}, {plural(side.cases, 'case')}, "
        f"{plural(side.slices, 'slice')}"
        for split, side in found.sides.items()
    ]
    yield f"Sides: {'; '.join(told)}."
    if found.folds:
        folds = [f"{fold}: {len(who)}" for fold, who in sorted(found.folds.items())]
        yield f"Patients by fold: {', '.join(folds)}."


def balance(dataset: Dataset) -> Iterator[str]:
    """How near the sides come to what they should have alike."""
    shares = dataset.descriptor.tool.division
    asked = any(one.parameters.get("stratify") for one in dataset.history)
    if asked and not shares:
        yield gap("how near the sides come to that balance; the directory that split made has it")
    if shares:
        worst = max(shares, key=lambda one: abs(one.patients - one.ideal))
        yield (
            f"Of {plural(len(shares), 'share')} to be balanced, the farthest from its ideal is "
            f"{inline(worst.kind)} in {inline(worst.part)}: "
            f"{plural(worst.patients, 'patient')}, ideally {worst.ideal:.3g}."
        )


def left_out(dataset: Dataset) -> Iterator[str]:
    """What is not there, and why: by a person's choice, and for a fault."""
    for stage in dataset.history:
        for one in stage.left_out:
            yield f"{inline(stage.stage)} left out {how_many(one)} by choice ({inline(why(one))})."
        for code, count in sorted(Counter(problem.code for problem in stage.skipped).items()):
            many = f"{count} slices or cases" if count > 1 else "a slice or case"
            yield f"{inline(stage.stage)} left out {many} for a fault ({code})."


def steps(dataset: Dataset) -> Iterator[tuple[str, list[str]]]:
    """Every stage with its sentences."""
    for stage in dataset.history:
        yield stage.stage, sentences(stage)


def software(dataset: Dataset) -> str:
    """Which releases made it."""
    found: dict[str, dict[str, None]] = {}
    for stage in dataset.history:
        for name, version in stage.versions.items():
            found.setdefault(name, {})[version] = None
    own = " and ".join(found.pop("chaosprep", {}))
    others = ", ".join(f"{name} {' and '.join(some)}" for name, some in sorted(found.items()))
    return f"Made with chaosprep {own} ({others})."
