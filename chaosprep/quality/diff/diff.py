"""diff: two directories side by side, whoever laid them out."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from chaosprep.errors import NothingFoundError, ProblemsError, plural
from chaosprep.layouts.find import LayoutParams
from chaosprep.params import make_params
from chaosprep.quality.diff.comparing import Task, compare_case
from chaosprep.quality.diff.found import CaseDiff, Changed, Diff, Set
from chaosprep.quality.diff.sides import Side, open_side
from chaosprep.running.mapping import OnCase, ignore, map_cases
from chaosprep.series.pairing import natural_key


def diff(
    a: str | Path, b: str | Path, *, jobs: int = 1, on_case: OnCase = ignore, **where: object
) -> Diff:
    """Compare two directories: what came, went or changed from A to B.

    Each can be a stage directory, a dataset root of any layout, or masks alone. Cases are matched
    by case id, slices by slice id. What only one of them can tell is not compared, and noted.

    Args:
        a: what was.
        b: what is.
        jobs: worker processes.
        on_case: called for each case that is done.
        where: `layout`, `images`, `masks`, `pseudonymize` and so on, as for `split`, of both.

    Raises:
        UsageError: there is no such folder, or a parameter will not do.
        NothingFoundError: one is not understood, or they have no case in common.
        ProblemsError: a case cannot be read, or none of a root can be taken.
    """
    params = make_params(LayoutParams, where)
    sides = open_side(Path(a), params), open_side(Path(b), params)
    before, after = sides
    common = sorted(before.members.keys() & after.members.keys())
    if not common:
        raise NothingFoundError(
            f"no case is in both: A has {_some(before.members)}; B {_some(after.members)}",
            "Cases are matched by case id: give two of the same data. Pseudonyms need the key that "
            "made them: --pseudonymize KEYFILE.",
            code="nothing",
        )
    with_rows = before.has_table and after.has_table
    with_images = before.has_images and after.has_images
    tasks = [Task(before.members[id], after.members[id], with_rows, with_images) for id in common]
    found, problems = map_cases(compare_case, tasks, lambda task: task.a.id, jobs, on_case)
    if problems:
        raise ProblemsError(
            f"diff: {plural(len(problems), 'problem')}",
            "Settle them, so that all can be compared.",
            tuple(problems),
        )
    return Diff(
        kinds=(before.kind, after.kind),
        patients=Set.of(_patients(before), _patients(after)),
        case_ids=Set.of({*before.members}, {*after.members}),
        sides=tuple(_moved(before, after)),
        labels=tuple(_changed(before.labels, after.labels)) if _named(sides) else (),
        stages=tuple(_stages(before, after)) if with_rows else (),
        left_out=tuple(_changed(before.left_out, after.left_out)) if with_rows else (),
        cases=tuple(one for one in found if _has_changed(one)),
        same=sum(one.same for one in found),
        rewritten=sum(one.rewritten for one in found),
        notes=tuple(_notes(sides)),
    )


def _patients(side: Side) -> set[str]:
    return {member.patient for member in side.members.values()}


def _named(sides: tuple[Side, Side]) -> bool:
    return all(side.labels for side in sides)


def _moved(before: Side, after: Side) -> list[Changed]:
    """The patients on another side or in another fold, where both say one of them."""
    places = [
        {member.patient: member.side for member in side.members.values() if member.side}
        for side in (before, after)
    ]
    shared = sorted(places[0].keys() & places[1].keys())
    return [
        Changed(who, places[0][who], places[1][who])
        for who in shared
        if places[0][who] != places[1][who]
    ]


def _changed(a: Mapping[str, str], b: Mapping[str, str]) -> list[Changed]:
    names = sorted(a.keys() | b.keys(), key=natural_key)
    differ = (name for name in names if a.get(name) != b.get(name))
    return [Changed(name, a.get(name, ""), b.get(name, "")) for name in differ]


def _stages(before: Side, after: Side) -> list[Changed]:
    """The stages that one alone went through, then the parameters that differ in the others."""
    a, b = before.stages, after.stages
    found = _changed(dict.fromkeys(a.keys() - b, "run"), dict.fromkeys(b.keys() - a, "run"))
    for stage in a:
        changes = _changed(a[stage], b.get(stage, a[stage]))
        found += [Changed(f"{stage} {one.name}", one.a, one.b) for one in changes]
    return found


def _has_changed(one: CaseDiff) -> bool:
    same = ("id", "same", "rewritten")
    return any(value for name, value in msgspec.structs.asdict(one).items() if name not in same)


def _notes(sides: tuple[Side, Side]) -> list[str]:
    notes = [note for side in sides for note in side.notes]
    if not all(side.has_images for side in sides):
        notes.append("one side has no images: only masks are compared")
    if not all(side.has_table for side in sides):
        notes.append("one side has no table: rows and stages are not compared")
    elif not _named(sides):
        notes.append("one side has no label map: what mask values stand for is not compared")
    return notes


def _some(names: Mapping[str, object]) -> str:
    found = sorted(names)
    return ", ".join(found[:3]) + (f", ... ({len(found)})" if len(found) > 3 else "") or "nothing"
