"""Whether folders are people: the headers of a root's cases are asked."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from chaosprep.errors import Problem, plural
from chaosprep.layouts.root import Root
from chaosprep.privacy.identity import FIELDS, HeaderField, Identity, identity_at
from chaosprep.privacy.persons import (
    OnePerson,
    People,
    first_told,
    mixed,
    one_person,
    several_persons,
    telling,
    to_ask,
    untold,
)
from chaosprep.series.source import SourceCase

ACCEPT = "accept the folders as they are: --trust-folders"
_BY_ID = "Take the patients from PatientID (--patient-from PatientID)"
_BY_NAME = "Take the patients from PatientName (--patient-from PatientName)"
_ACCEPT_IDS = "accept the patients as they are: --trust-folders"
_ONE_ID = (
    "Leave all but one of them out (--patient takes the others), write one PatientID into both, "
    f"or {_ACCEPT_IDS}."
)
_SHOWN = 3  # names of a person's folders


def check_persons(
    root: Root,
    wanted: Root,
    patients: Collection[str],
    images: str | None,
    patient_from: Literal["folder"] | HeaderField,
) -> Root:
    """Let headers object to what folders say of people: `person-twice`, `patient-mixed`.

    Where the layout did not read them, a few images of each case are asked until one tells, of
    these the headers only.

    Args:
        root: all that was found: what all share tells nobody.
        wanted: the part of it to give back; its cases that are objected to are `refused`.
        patients: of these alone, where there are any.
        images: the pattern, where the layout has one.
        patient_from: what patients were told apart by.
    """
    read = root.people is not None
    found = root.people if root.people is not None else _ask(root)
    asked = set(wanted.patients) & set(patients or wanted.patients)
    first = {case.patient: case for case in reversed(root.cases)}
    in_all = {keyword for keyword in FIELDS if telling(found, keyword).keys() == found.keys()}
    problems, refused = list[Problem](), set[str]()
    asking = _without_ids(found) if read and patient_from == "PatientName" else found
    for person in one_person(asking, doubting_ids=read):
        here = tuple(one for one in person.patients if one in asked)
        if len(here) > 1:
            reason = same_person(person, _names([first[one] for one in here]))
            remedy = _ONE_ID if read else _ways_out(person, in_all, images)
            problems.append(Problem(code="person-twice", id=here[0], reason=reason, remedy=remedy))
            refused.update(here)
    several = _of_several(found, patient_from, read=read)
    for problem in (one for one in several if one.id in asked):
        problems.append(problem)
        refused.add(problem.id)
    cases = tuple(_refused(case) if case.patient in refused else case for case in wanted.cases)
    notes = (*wanted.notes, *note_of(untold(found), len(found)))
    return replace(wanted, cases=cases, problems=(*wanted.problems, *problems), notes=notes)


def _without_ids(people: People) -> People:
    """The same where PatientName was to tell the patients: an equal PatientID is no evidence."""
    return {
        patient: [{k: text for k, text in one.items() if k != "PatientID"} for one in some]
        for patient, some in people.items()
    }


def _ask(root: Root) -> dict[str, list[Identity]]:
    """Patient -> what a few images of each of its cases say."""
    found: dict[str, list[Identity]] = defaultdict(list)
    for case in root.cases:
        if identity := _asked(case):
            found[case.patient].append(identity)
    return found


def _of_several(
    found: People, patient_from: Literal["folder"] | HeaderField, *, read: bool
) -> list[Problem]:
    """The problems of patients that are several persons; ``read`` where headers told the patients.

    Those have one PatientID by their making: the names and birth dates beside it are compared.
    """
    accept = _ACCEPT_IDS if read else ACCEPT
    apart = _BY_ID if patient_from == "PatientName" else "Give each person a folder"
    problems = [patient_mixed(one, f"{apart}, or {accept}.") for one in mixed(found)]
    told = {problem.id for problem in problems}
    for patient in sorted(found.keys() - told) if read else ():
        if len(several_persons(found[patient])) > 1:
            reason = "its series have one PatientID, but names and birth dates of different people"
            remedy = f"{_BY_NAME}, or {accept}."
            problems.append(Problem(code="patient-mixed", id=patient, reason=reason, remedy=remedy))
    return problems


def same_person(person: OnePerson, names: Sequence[str]) -> str:
    """Says that patients, named by folders or ids, are one person."""
    shown = list(names[:_SHOWN])
    if more := len(names) - len(shown):
        shown.append(f"{more} more")
    *first, last = shown
    several, by = ", ".join(first), " and ".join(person.by)
    return f"{several} and {last} are one person: the headers have the same {by}"


def patient_mixed(patient: str, remedy: str) -> Problem:
    """The problem of several persons in one patient."""
    return Problem(
        code="patient-mixed",
        id=patient,
        reason="its series are of different people: their PatientIDs differ",
        remedy=remedy,
    )


def note_of(patients: Sequence[str], count: int) -> tuple[str, ...]:
    """What to say of patients, of so many, whose headers leave open who they are."""
    if len(patients) < 2:
        return ()
    return (
        f"in {len(patients)} of {plural(count, 'patient')} neither PatientID nor PatientName "
        "identifies the person (empty, a placeholder, or the same in all): folders are taken for "
        "different people",
    )


def _asked(case: SourceCase) -> Identity:
    """What a few images of a case say; where none of them can be read, the first that can."""
    root = Path(case.root)
    first = to_ask(case.images)
    rest = (path for path in case.images if path not in first)
    asked = first_told(identity_at(root, path) for path in first)
    return asked or next(filter(None, (identity_at(root, path) for path in rest)), {})


def _refused(case: SourceCase) -> SourceCase:
    return msgspec.structs.replace(case, refused=True)


def _names(cases: Sequence[SourceCase]) -> list[str]:
    """The folders of these patients; ids where one holds several, or must not be said.

    Args:
        cases: one of each patient.
    """
    folders = [PurePosixPath(case.images[0]).parent.as_posix() for case in cases]
    if any(case.aliases for case in cases) or len(set(folders)) < len(folders):
        return [case.patient for case in cases]
    return [folder.encode("utf-8", "backslashreplace").decode() for folder in folders]


def _ways_out(person: OnePerson, in_all: Collection[HeaderField], images: str | None) -> str:
    """What can be done; headers may only tell the patients where all have that value."""
    choices = "Keep one of them"
    keyword: HeaderField = "PatientID" if "PatientID" in person.by else "PatientName"
    if images and not ("{patient}" in images and "{sequence}" in images) and keyword in in_all:
        choices = (
            f"Take the patients from the headers (--patient-from {keyword} --pseudonymize "
            "KEYFILE, with {sequence} for the folder of an examination in --images and "
            "--masks), keep one of them"
        )
    return f"{choices}, or {ACCEPT}."
