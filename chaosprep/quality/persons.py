"""Whether the patients of a stage directory are people, by the headers of its DICOM images."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile

from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import Dataset
from chaosprep.errors import FileError, Problem
from chaosprep.layouts.persons import note_of, patient_mixed, same_person
from chaosprep.privacy.identity import Identity, read_identity
from chaosprep.privacy.persons import (
    OnePerson,
    first_told,
    mixed,
    one_person,
    to_ask,
    untold,
)

_APART = "Split again with all folders of a person as one patient (--patient-from), or one of them."
_SAME = "Look at both: as one patient they would stay on one side of every split."
_MIXED = "Split again with each of them as one patient."
_TRUSTED = "It was accepted with --trust-folders."


@dataclass(frozen=True)
class Told:
    """What headers say of one case: its patient and side, and what identifies in an image."""

    patient: str
    side: str
    identity: Identity


@dataclass(frozen=True)
class Persons:
    """What is wrong (one person on two sides), what to know, and what nothing could tell."""

    faults: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def check_sides(told: Sequence[Told], *, trusted: bool) -> Persons:
    """Find one person in two patients: across sides `leakage`, within one `person-twice`.

    Where `split` was told to trust folders, or a patient is several persons, it is a warning.
    """
    people: dict[str, list[Identity]] = {}
    for one in told:
        if one.identity:
            people.setdefault(one.patient, []).append(one.identity)
    sides = {one.patient: one.side for one in told}
    of_mixed = _TRUSTED if trusted else _MIXED
    warnings = [patient_mixed(patient, of_mixed) for patient in mixed(people)]
    faults, twice = judged(one_person(people), sides, trusted=trusted)
    notes = note_of(untold(people), len(people))
    return Persons(tuple(faults), (*warnings, *twice), notes)


def judged(
    persons: Iterable[OnePerson], sides: Mapping[str, str], *, trusted: bool
) -> tuple[list[Problem], list[Problem]]:
    """The faults and the warnings of persons that stand in several patients.

    Args:
        persons: the persons.
        sides: patient -> its side.
        trusted: whether `split` was told to trust folders.
    """
    faults, warnings = list[Problem](), list[Problem]()
    for person in persons:
        names = [f"{patient} in {sides[patient]}" for patient in person.patients]
        apart = len({sides[patient] for patient in person.patients}) > 1
        id, reason = person.patients[0], same_person(person, names)
        if apart and not trusted:
            faults.append(Problem(code="leakage", id=id, reason=reason, remedy=_APART))
        else:
            remedy = _TRUSTED if trusted else _SAME
            warnings.append(Problem(code="person-twice", id=id, reason=reason, remedy=remedy))
    return faults, warnings


def trusts_folders(dataset: Dataset) -> bool:
    """Whether the data were split with --trust-folders."""
    return any(record.parameters.get("trust_folders") is True for record in dataset.history)


def told_by(case: Case) -> Told:
    """What a few images of a case say, as far as they are DICOM and can be read."""
    asked = takewhile(bool, _identities(case))  # the others are no DICOM either
    return Told(case.patient, case.split, first_told(asked))


def _identities(case: Case) -> Iterator[Identity]:
    for file in to_ask([row.image_file for row in case.slices]):
        with suppress(FileError):
            yield read_identity(case.read(file))
