"""Whether one person stands in two patients, or two persons in one: by what headers say of them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar

from chaosprep.privacy.identity import (
    FIELDS,
    HeaderField,
    Identity,
    birth_date,
    normalized,
    patient_key,
    tells_nobody,
)

People = Mapping[str, Sequence[Identity]]
"""Patient -> what identifies in each of its cases."""

_FEWEST = 3  # patients: a value that all of so many share is a constant, not a person's
_WELL_KNOWN = "1.2.840.10008."  # DICOM's own UIDs (PS3.6 A): frames of reference of atlases
_UIDS = ("StudyInstanceUID", "FrameOfReferenceUID")
_T = TypeVar("_T")
_Values = Mapping[str, set[str]]
_Bucket = tuple[str, set[str]]


@dataclass
class OnePerson:
    """Patients, sorted, that are one person; ``by`` are the keywords that tell it."""

    patients: tuple[str, ...]
    by: tuple[str, ...]


def one_person(people: People, *, doubting_ids: bool = False) -> list[OnePerson]:
    """The persons that stand in several patients, by the first patient of each.

    PatientID tells persons apart; where a patient has none, or a placeholder, PatientName with
    PatientBirthDate; where it has neither, StudyInstanceUID or FrameOfReferenceUID. A value that
    at least three patients and all of them share is a placeholder. UIDs are none of a person's
    where SeriesInstanceUID is the same in all: then they are constants.

    Where ids are doubted, what patients with different PatientIDs share counts as well: PatientName
    together with PatientBirthDate, and the UIDs.
    """
    ids, names = telling(people, "PatientID"), telling(people, "PatientName")
    told = [
        *_shared("PatientID", ids, people.keys()),
        *_shared_names(people, names, people.keys() - ids),
        *_shared_uids(people, people.keys() - ids.keys() - names.keys()),
    ]
    if doubting_ids:
        own = {one: people[one] for one in ids}
        of_own = {one: values for one, values in names.items() if one in own}
        dated = (by for by in _shared_names(own, of_own, own.keys()) if by[0] != "PatientName")
        uids = _shared_uids(own, own.keys())
        told += [*dated, *(by for by in uids if len(by[1]) < max(_FEWEST, len(own)))]
    found: dict[str, OnePerson] = {}
    for keyword, patients in told:
        known = {id(found[one]): found[one] for one in patients if one in found}
        joined = patients.union(*(one.patients for one in known.values()))
        if any(joined == set(one.patients) for one in known.values()):
            continue  # a stronger sign told it already
        by = dict.fromkeys((*(key for one in known.values() for key in one.by), keyword))
        found |= dict.fromkeys(joined, OnePerson(tuple(sorted(joined)), tuple(by)))
    persons = {id(person): person for person in found.values()}.values()
    return sorted(persons, key=lambda person: person.patients)


def mixed(people: People) -> list[str]:
    """The patients, sorted, whose cases have different PatientIDs, placeholders aside."""
    return sorted(one for one, values in telling(people, "PatientID").items() if len(values) > 1)


def untold(people: People) -> list[str]:
    """The patients, sorted, of whom neither PatientID nor PatientName says who they are."""
    ids, names = telling(people, "PatientID"), telling(people, "PatientName")
    return sorted(people.keys() - ids.keys() - names.keys())


def telling(people: People, keyword: HeaderField) -> dict[str, set[str]]:
    """Patient -> its values that tell a person, normalized; without the patients that have none."""
    keys = {
        patient: {key for one in cases if not tells_nobody(key := patient_key(one, keyword))}
        for patient, cases in people.items()
    }
    common = set.intersection(*keys.values()) if len(keys) >= _FEWEST else set()
    return {patient: values - common for patient, values in keys.items() if values - common}


def without_numbered(people: Sequence[Identity]) -> list[Identity]:
    """Without names that only number the cases of a set: `BRATS-001`, `BRATS-002`, `BRATS-003`.

    These are at least three, of the same letters, each with a number of its own, and of no more
    than one component with letters. A PatientID that is equal to such a name goes too.
    """
    names = [one.get("PatientName", "") for one in people]
    words = {re.sub(r"[\W\d_]+", " ", normalized(name)).strip() for name in names}
    numbers = {"".join(re.findall(r"\d+", name)) for name in names} - {""}
    components = re.findall(r"[^\^]*[^\W\d_][^\^]*", names[0]) if names else []
    is_one = len(words) == 1 and len(components) == 1
    if not (is_one and len(numbers) == len(set(names)) >= _FEWEST):
        return list(people)
    return [
        {key: text for key, text in one.items() if not (key in FIELDS and text == name)}
        for one, name in zip(people, names, strict=True)
    ]


def to_ask(images: Sequence[_T]) -> Sequence[_T]:
    """The first, the middle and the last of a case's images: any may lack what others tell."""
    middle = len(images) // 2
    return list(dict.fromkeys((*images[:1], *images[middle : middle + 1], *images[-1:])))


def first_told(identities: Iterable[Identity]) -> Identity:
    """The first that tells who somebody is; where none does, the first that says anything."""
    first: Identity = {}
    for identity in identities:
        if tells(identity):
            return identity
        first = first or identity
    return first


def tells(identity: Identity) -> bool:
    """Whether PatientID or PatientName tells somebody."""
    return any(not tells_nobody(patient_key(identity, keyword)) for keyword in FIELDS)


def _buckets(values: _Values) -> dict[str, set[str]]:
    """Value -> the patients that have it."""
    found: dict[str, set[str]] = defaultdict(set)
    for patient, several in values.items():
        for value in several:
            found[value].add(patient)
    return found


def _shared(keyword: str, values: _Values, asking: Set[str]) -> Iterator[_Bucket]:
    """The patients of each value that several have, where one of them needs it to be told."""
    for patients in _buckets(values).values():
        if len(patients) > 1 and patients & asking:
            yield keyword, patients


def _shared_names(people: People, names: _Values, asking: Set[str]) -> Iterator[_Bucket]:
    """As `_shared`; equal names with different birth dates are different persons'."""
    for name, patients in _buckets(names).items():
        dates = {patient: _births(people[patient], name) for patient in patients}
        differ = len(set().union(*dates.values())) > 1
        by_date = _buckets({one: found or {""} for one, found in dates.items()})
        for part in by_date.values() if differ else [patients]:
            if len(part) > 1 and part & asking:
                dated = all(dates[patient] for patient in part)
                yield "PatientName" + " and PatientBirthDate" * dated, part


def _births(cases: Sequence[Identity], name: str) -> set[str]:
    """The birth dates that stand beside a name."""
    of_name = (one for one in cases if patient_key(one, "PatientName") == name)
    return set(map(birth_date, of_name)) - {""}


def _shared_uids(people: People, asking: Set[str]) -> Iterator[_Bucket]:
    def uids(keyword: str) -> _Values:
        found = {one: {case.get(keyword, "") for case in cases} for one, cases in people.items()}
        return {
            one: {uid for uid in values if uid and not uid.startswith(_WELL_KNOWN)}
            for one, values in found.items()
        }

    series = uids("SeriesInstanceUID")
    if len(series) > 1 and set.intersection(*series.values()):
        return  # the same series in everybody: a script wrote constants
    for keyword in _UIDS:
        yield from _shared(keyword, uids(keyword), asking)


def several_persons(identities: Iterable[Identity], most: int = 2) -> list[Identity]:
    """One identity of each of the persons, up to so many, that share a PatientID.

    Two are different persons where their birth dates differ and neither name has all words of the
    other; or, where a birth date is missing, where the names have no word in common or the same
    words with other numbers (`CASE 1`, `CASE 2`). Names change, and are written in several ways.
    """
    found: list[Identity] = []
    for one in sorted(identities, key=lambda one: (-len(_words(one)), not birth_date(one))):
        if len(found) < most and all(_are_two(one, other) for other in found):
            found.append(one)
    return found


def _are_two(one: Identity, other: Identity) -> bool:
    births = birth_date(one), birth_date(other)
    words, others = _words(one), _words(other)
    if not words or not others or (all(births) and births[0] == births[1]):
        return False
    if all(births):
        return not (words <= others or others <= words)
    return words.isdisjoint(others) or (
        words != others and _without_numbers(words) == _without_numbers(others)
    )


def _words(identity: Identity) -> frozenset[str]:
    """The words of a name in all its representations, and its numbers; none of a placeholder."""
    if tells_nobody(patient_key(identity, "PatientName")):
        return frozenset()
    text = normalized(identity["PatientName"].replace("=", " "))
    return frozenset(re.findall(r"[^\W\d_]+|\d+", text))


def _without_numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if not word.isdecimal())
