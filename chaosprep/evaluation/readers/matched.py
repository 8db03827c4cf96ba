"""Several readers' masks: found alike, whichever comes first, and the cases that all have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from chaosprep.errors import (
    ChaosprepError,
    FileError,
    NothingFoundError,
    Problem,
    UsageError,
    plural,
)
from chaosprep.evaluation.matching import is_of, some
from chaosprep.evaluation.names import called_as_first
from chaosprep.evaluation.readers.consensus import MOST
from chaosprep.files import real
from chaosprep.layouts.mask_set import MaskCase, MaskSet, Organs, in_order, name_values
from chaosprep.layouts.table import find_masks
from chaosprep.words import there_are

_ONE = "mask"  # what `name_values` calls a single value
_BINARY = {1, 255}


@dataclass(frozen=True)
class Chosen:
    """The cases that are compared, by id: one of each reader; and what is wrong or left aside."""

    cases: Mapping[str, tuple[MaskCase, ...]]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def find_readers(paths: Sequence[Path], asked: Organs = ()) -> list[MaskSet]:
    """The masks of each reader, organs in one spelling; who comes first decides that alone.

    What some do not say, the names of their values, is taken from the first who does. Where nobody
    does, the values that any of them has are numbered alike for all.

    Raises:
        UsageError: `readers`, there are too few or too many, or one stands twice.
        ChaosprepError: what `find_masks` raises.
    """
    if not 2 <= len(paths) <= MOST:
        raise UsageError(
            f"agree: it takes 2 to {MOST} readers, not {len(paths)}",
            "Give the masks of each reader: chaosprep agree R1 R2.",
            code="readers",
        )
    places = [real(path) for path in paths]
    for path, place in zip(paths, places, strict=True):
        if places.count(place) > 1:
            raise UsageError(f"{path}: it is given twice", "Give each reader once.", code="readers")
    alone = [_alone(path) for path in paths]
    known = next((one for one in alone if isinstance(one, MaskSet) and not one.is_unnamed), None)
    known = known or _numbered([one for one in alone if isinstance(one, MaskSet)])
    if known is None:
        raise next(one for one in alone if not isinstance(one, MaskSet))
    sides = []
    for number, (one, path) in enumerate(zip(alone, paths, strict=True), start=1):
        try:
            sides.append(one if one is known else find_masks(path, known, asked))
        except FileError as error:
            reason = f"R{number} (PRED) against {known.path} (REF): {error.reason}"
            raise FileError(reason, error.remedy, error.code) from error
    return called_as_first(sides)


def _alone(path: Path) -> MaskSet | ChaosprepError:
    """The masks as they say themselves what they are, or why they do not."""
    try:
        return find_masks(path)
    except (NothingFoundError, FileError, UsageError) as error:
        return error


def _numbered(sides: Sequence[MaskSet]) -> MaskSet | None:
    """The first, as if it had the values of all; what is one structure to each is `mask` to all."""
    values = {value for side in sides for value in side.values}
    if not sides or (all(side.organs == (_ONE,) for side in sides) and values <= _BINARY):
        return sides[0] if sides else None
    named = name_values(values)
    return replace(sides[0], values=named, labels=named, organs=in_order(named))


def chosen_cases(
    sides: Sequence[MaskSet], names: Sequence[str], patients: tuple[str, ...] = ()
) -> Chosen:
    """The cases that every reader has.

    A case that some reader lacks is a problem, unless that reader has nothing of its split and
    series: then it is left aside.

    Raises:
        UsageError: an unknown patient.
        NothingFoundError: no case is left.
    """
    known = {case.patient for side in sides for case in side.members.values()}
    if unknown := sorted(set(patients) - known):
        raise UsageError(
            f"{unknown[0]}: no reader has such a patient",
            there_are(sorted(known), unknown),
            code="patient",
        )
    every = [(id, case) for side in sides for id, case in side.members.items()]
    ids = sorted({id for id, case in every if not patients or case.patient in patients})
    ids, notes = _in_common(sides, names, ids)
    problems = []
    for side, name in zip(sides, names, strict=True):
        own = [side.members[id] for id in ids if id in side.members]
        problems += [_lacks(name, id) for id in ids if id not in side.members]
        problems += [
            msgspec.structs.replace(problem, reason=f"{name}: {problem.reason}")
            for problem in side.problems
            if not patients or is_of(problem, own)
        ]
    broken = {problem.id for problem in problems}
    cases = {id: tuple(side.members[id] for side in sides) for id in ids if id not in broken}
    return Chosen(cases, tuple(problems), notes)


def _lacks(name: str, id: str) -> Problem:
    return Problem(
        code="case-missing",
        id=id,
        reason=f"{name} lacks this case",
        remedy="Let every reader have it, or leave it out with --on-error skip.",
    )


def _in_common(
    sides: Sequence[MaskSet], names: Sequence[str], ids: Sequence[str]
) -> tuple[list[str], tuple[str, ...]]:
    """The cases of those splits and series that every reader has some of; notes on the others."""
    groups = {id: _group([side.members[id] for side in sides if id in side.members]) for id in ids}
    kept, left = list(ids), []
    for side, name in zip(sides, names, strict=True):
        covered = {groups[id] for id in ids if id in side.members}
        if absent := [id for id in kept if groups[id] not in covered and any(groups[id])]:
            what = ", ".join(sorted({" ".join(filter(None, groups[id])) for id in absent}))
            cases = plural(len(absent), "case")
            left.append(f"{cases} left out: {name} has nothing of {what}")
            kept = [id for id in kept if groups[id] in covered or not any(groups[id])]
    if not any(all(id in side.members for side in sides) for id in kept):
        having = "; ".join(
            f"{name} has {some(id for id in ids if id in side.members)}"
            for side, name in zip(sides, names, strict=True)
        )
        raise NothingFoundError(
            f"no case is in the masks of every reader: {having}",
            "Cases are matched by case id, set or file name.",
            code="nothing",
        )
    return kept, tuple(left)


def _group(cases: Sequence[MaskCase]) -> tuple[str, str]:
    """The split and the series of a case, empty where no reader knows them."""
    splits = sorted(case.split for case in cases if case.split)
    series = sorted(case.sequence for case in cases if case.sequence)
    return "".join(splits[:1]), "".join(series[:1])


def chosen_organs(
    sides: Sequence[MaskSet], names: Sequence[str], chosen: Chosen, asked: Organs
) -> tuple[Organs, tuple[str, ...]]:
    """The organs to compare, in the first reader's order, and notes on what is not compared.

    Whoever names an organ and never shows it has drawn it nowhere, and so has who does not name it
    in some case where others do.

    Raises:
        UsageError: `organ`, the readers name different organs, or nobody shows what is asked for.
    """
    shown = {case.organs for cases in chosen.cases.values() for case in cases}
    drawn = {organ for organs in shown for organ in organs}
    everybodys = [organ for organ in sides[0].organs if all(organ in one.organs for one in sides)]
    having = "; ".join(
        f"{name} has {some(side.organs)}" for name, side in zip(names, sides, strict=True)
    )
    common = [organ for organ in everybodys if organ in drawn]
    remedy = (
        f"Choose with --organ. {there_are(common)}"
        if common
        else "Give them the same names, in a legend next to the masks (labels.json)."
    )
    if lacking := [organ for organ in asked if organ not in everybodys or organ not in drawn]:
        reason = f"{lacking[0]} is not in the masks of every reader: {having}"
        raise UsageError(reason, remedy, code="organ")
    if not asked and not drawn <= set(everybodys):
        raise UsageError(f"the readers have different organs: {having}", remedy, code="organ")
    organs = tuple(organ for organ in common if not asked or organ in asked)
    return organs, tuple(_not_named(organs, names, chosen))


def _not_named(organs: Organs, names: Sequence[str], chosen: Chosen) -> Iterator[str]:
    for organ in organs:
        there = [cases for cases in chosen.cases.values() if any(organ in c.organs for c in cases)]
        for place, name in enumerate(names):
            if count := sum(organ not in cases[place].organs for cases in there):
                of = plural(len(there), "case")
                yield (
                    f"{name} does not name {organ} in {count} of {of}: it counts as not drawn there"
                )
