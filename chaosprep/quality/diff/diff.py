"""diff: two directories side by side, whoever laid them out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from chaosprep.errors import NothingFoundError, ProblemsError, UsageError, plural
from chaosprep.layouts.find import LayoutParams
from chaosprep.params import make_params
from chaosprep.quality.diff.comparing import Task, compare_case
from chaosprep.quality.diff.found import CaseDiff, Changed, Diff, Set
from chaosprep.quality.diff.opening import open_sides
from chaosprep.quality.diff.sides import Member, Side
from chaosprep.running.mapping import OnCase, ignore, map_cases
from chaosprep.series.pairing import natural_key
from chaosprep.words import there_are


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
    sides = before, after = _of(params.patient, *open_sides(Path(a), Path(b), params))
    common = sorted(before.members.keys() & after.members.keys())
    if not common:
        raise NothingFoundError(
            f"no case is in both: A has {_some(before.members)}; B {_some(after.members)}",
            "Cases are matched by case id: give two of the same data. Pseudonyms need the key that "
            "made them: --pseudonymize KEYFILE.",
            code="nothing",
        )
    with_tables = before.has_table and after.has_table
    with_images = before.has_images and after.has_images
    tasks = [Task(before.members[id], after.members[id], with_images) for id in common]
    found, problems = map_cases(compare_case, tasks, lambda task: task.a.id, jobs, on_case)
    if problems:
        raise ProblemsError(
            f"diff: {plural(len(problems), 'problem')}",
            "Resolve them, so that everything can be compared.",
            tuple(problems),
        )
    return Diff(
        kinds=(before.kind, after.kind),
        patients=Set.of(_patients(before, after), _patients(after, before)),
        case_ids=Set.of({*before.members}, {*after.members}),
        owners=tuple(_owners(before, after, common)),
        sides=tuple(_moved(before, after)),
        labels=tuple(_changed(before.labels, after.labels)) if _named(sides) else (),
        stages=tuple(_stages(before, after)) if with_tables else (),
        left_out=tuple(_changed(before.left_out, after.left_out)) if with_tables else (),
        cases=tuple(one for one in found if _has_changed(one)),
        same=sum(one.same for one in found),
        rewritten=sum(one.rewritten for one in found),
        notes=(*_notes(sides), *_unread(found)),
    )


def _of(patients: Sequence[str], before: Side, after: Side) -> tuple[Side, Side]:
    """Both sides with the cases of some patients, of all where none is named."""
    if not patients:
        return before, after
    whose = [
        {id: _who(member, other) for id, member in side.members.items()}
        for side, other in ((before, after), (after, before))
    ]
    known = {*whose[0].values(), *whose[1].values()} - {""}
    unknown = sorted({*patients} - known)
    if unknown:
        reason = f"no patient is called {', '.join(unknown)}"
        raise UsageError(reason, there_are(sorted(known), unknown), code="patient")
    first, second = (
        replace(side, members={id: side.members[id] for id, who in of.items() if who in patients})
        for side, of in zip((before, after), whose, strict=True)
    )
    return first, second


def _who(member: Member, other: Side) -> str:
    """Whose a case is; where its own side does not tell, what the other one says of it is meant."""
    beside = other.members.get(member.id)
    return member.patient or (beside.patient if beside else "")


def _patients(side: Side, other: Side) -> set[str]:
    return {_who(member, other) for member in side.members.values()} - {""}


def _owners(before: Side, after: Side, common: Sequence[str]) -> Iterator[Changed]:
    """The cases of another patient, where both tell whose they are."""
    for id in common:
        a, b = before.members[id].patient, after.members[id].patient
        if a and b and a != b:
            yield Changed(id, a, b)


def _named(sides: tuple[Side, Side]) -> bool:
    return all(side.labels for side in sides)


def _moved(before: Side, after: Side) -> list[Changed]:
    """The patients, or cases of nobody, on another side or in another fold.

    Between two of a kind all is compared; else what both tell, as a root that is still to be split
    has no sides.
    """
    alike = (before.has_table, before.has_images) == (after.has_table, after.has_images)
    kinds = [kind for kind in ("side", "fold") if alike or _tells(before, after, kind)]
    places = [_places(side, other, kinds) for side, other in ((before, after), (after, before))]
    return [
        Changed(who, place, now)
        for who, place in sorted(places[0].items())
        if (now := places[1].get(who, place)) != place and (alike or (now and place))
    ]


def _places(side: Side, other: Side, kinds: Sequence[str]) -> dict[str, str]:
    """Where each patient, or case of nobody, is; the cases of a patient may be in several places.

    What is nowhere counts only where the patient has nothing elsewhere.
    """
    found: dict[str, set[str]] = {}
    for member in side.members.values():
        found.setdefault(_who(member, other) or member.id, set()).add(_place(member, kinds))
    return {who: " and ".join(sorted(some - {""})) for who, some in found.items()}


def _tells(before: Side, after: Side, kind: str) -> bool:
    return all(any(getattr(m, kind) for m in side.members.values()) for side in (before, after))


def _place(member: Member, kinds: Sequence[str]) -> str:
    fold = f"fold {member.fold}" if member.fold and "fold" in kinds else ""
    return " ".join(filter(None, (member.side if "side" in kinds else "", fold)))


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
    same = ("id", "same", "rewritten", "problems")
    return any(value for name, value in msgspec.structs.asdict(one).items() if name not in same)


def _notes(sides: tuple[Side, Side]) -> list[str]:
    notes = list(dict.fromkeys(note for side in sides for note in side.notes))
    if not all(side.has_images for side in sides):
        notes.append("of one side only masks are read, so only masks are compared")
    if not all(side.has_table for side in sides):
        notes.append(
            "one side has no table: rows and stages are not compared, except for places in space"
        )
    if not _named(sides):
        notes.append("one side has no label map: what mask values stand for is not compared")
    if not all(any(m.patient for m in side.members.values()) for side in sides):
        notes.append("one side does not name patients: its cases have those of the other side")
    return notes


def _unread(found: Sequence[CaseDiff]) -> Iterator[str]:
    count = sum(one.problems for one in found)
    if count:
        cases = plural(sum(one.problems > 0 for one in found), "case")
        yield (
            f"{plural(count, 'problem')} of {cases}, which inspect lists: not all slices of these "
            "cases are compared"
        )


def _some(names: Mapping[str, object]) -> str:
    found = sorted(names)
    return ", ".join(found[:3]) + (f", ... ({len(found)})" if len(found) > 3 else "") or "nothing"
