"""A dataset root without the cases that a person excludes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import msgspec

from chaosprep.choices.excluded import Excluded, read_excluded, strangers_note, wholes
from chaosprep.choices.tally import nothing_left, nothing_of
from chaosprep.dataset.descriptor import LeftOut
from chaosprep.errors import Problem
from chaosprep.layouts.root import Root
from chaosprep.series.source import SourceCase


def excluding(found: Root, wanted: Root, files: tuple[str, ...], patients: tuple[str, ...]) -> Root:
    """The wanted cases without those that tables exclude, and without their problems.

    A slice that is named is left out when its case is read.

    Args:
        found: all cases, whose names are none of strangers.
        wanted: those that were asked for.
        files: the tables.
        patients: of these alone it is told what went; empty means all.

    Raises:
        UsageError: what `read_excluded`, its `check` and `strangers_note` raise.
        NothingFoundError: `empty`, nothing is left.
    """
    tables = read_excluded(files)
    tables.check(_owners(found, tables))
    by_key = any(case.aliases for case in found.cases)
    notes = strangers_note(tables, _names(found, tables), files, by_key=by_key)
    reasons = {case.id: tables.of(case.patient, case.id) for case in wanted.cases}
    slices = _slices(tables)
    left = [_partly(case, slices) for case in wanted.cases if reasons[case.id] is None]
    problems = [one for one in wanted.problems if tables.of(*wholes(one.id)) is None]
    said = [case for case in wanted.cases if not patients or case.patient in patients]
    unread = [one.id for one in wanted.problems if _is_unread(one, wanted)]
    reasons |= {id: tables.of(*wholes(id)) for id in unread}
    left_out = tuple(_left_out(said, unread, reasons, tables))
    is_kept = any(not patients or case.patient in patients for case in left)
    if left_out and not problems and not is_kept:
        raise nothing_left(left_out)
    gone = {case.patient for case in said} - {case.patient for case in left}
    notes += (nothing_of(sorted(gone)),) if gone else ()
    return replace(
        wanted,
        cases=tuple(left),
        problems=tuple(problems),
        left_out=left_out,
        told=notes,
    )


def _slices(tables: Excluded) -> dict[str, tuple[str, ...]]:
    """Case -> its slices that are named."""
    found: dict[str, list[str]] = {}
    for name in tables.reasons:
        case, _, number = name.rpartition("_s")
        if number.isdecimal():
            found.setdefault(case, []).append(name)
    return {case: tuple(names) for case, names in found.items()}


def _partly(case: SourceCase, slices: dict[str, tuple[str, ...]]) -> SourceCase:
    named = slices.get(case.id)
    return msgspec.structs.replace(case, left_out=named) if named else case


def _is_unread(problem: Problem, wanted: Root) -> bool:
    """Whether a problem is of a case that is not among the cases: it could not become one."""
    is_id = re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]*_[A-Za-z0-9._-]+", problem.id) is not None
    return is_id and not any(f"{problem.id}_".startswith(f"{one.id}_") for one in wanted.cases)


def _left_out(
    cases: Iterable[SourceCase],
    unread: Iterable[str],
    reasons: dict[str, str | None],
    tables: Excluded,
) -> Iterator[LeftOut]:
    """What went, by reason; slices of a case that stays are counted."""
    whole: dict[str, list[str]] = {}
    slices: dict[str, int] = {}
    named = _slices(tables)
    for id in dict.fromkeys(unread):
        if (reason := reasons[id]) is not None:
            whole.setdefault(reason, []).append(id)
    for case in cases:
        reason = reasons[case.id]
        if reason is not None:
            whole.setdefault(reason, []).append(case.id)
            continue
        for name in named.get(case.id, ()):
            slices[tables.reasons[name]] = slices.get(tables.reasons[name], 0) + 1
    for reason in {**whole, **slices}:
        ids = tuple(sorted(whole.get(reason, ())))
        yield LeftOut(option="exclude", reason=reason, cases=ids, slices=slices.get(reason, 0))


def _names(found: Root, tables: Excluded) -> Iterator[str]:
    """The names that are of something here; a slice is of its case, until that is read."""
    ids = {case.id for case in found.cases} | {problem.id for problem in found.problems}
    yield from ids
    yield from found.patients
    yield from (id.partition("_")[0] for id in ids)
    for name in tables.lines:
        case, _, number = name.rpartition("_s")
        if number.isdecimal() and case in ids:
            yield name


def _owners(found: Root, tables: Excluded) -> Iterator[tuple[str, str]]:
    for case in found.cases:
        yield case.id, case.patient
    for name in tables.kept:
        whole, _, number = name.rpartition("_s")
        if number.isdecimal():
            yield name, whole
            yield name, whole.partition("_")[0]
