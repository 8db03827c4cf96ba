"""What identifies, and stands in several patients: an identifier, a series, an image."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from chaosprep.privacy.identity import FIELDS, Identity
from chaosprep.privacy.persons import OnePerson, People, one_person, tells, untold

COMPARED = (
    *(*FIELDS, "PatientBirthDate", "StudyInstanceUID", "SeriesInstanceUID"),
    *("FrameOfReferenceUID", "SOPInstanceUID"),
)
"""The keywords of what is compared."""

_FEWEST = 3  # patients: what all of so many share is a constant
_OWN = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")  # of one person alone


def compared(identities: Iterable[Identity]) -> list[Identity]:
    """What is compared of some images, each once: those of a series are one, but for their UIDs."""
    found: dict[tuple[str, ...], Identity] = {}
    for identity in identities:
        kept = {keyword: identity[keyword] for keyword in COMPARED if keyword in identity}
        found.setdefault(tuple(kept.get(keyword, "") for keyword in COMPARED), kept)
    return [one for one in found.values() if one]


def sharing(people: People) -> list[OnePerson]:
    """The patients that share what identifies; `by` are its keywords, what tells most first.

    Besides what `one_person` goes by, that is what patients with different PatientIDs or names
    share: PatientName together with PatientBirthDate, StudyInstanceUID, SeriesInstanceUID and
    SOPInstanceUID. A FrameOfReferenceUID is evidence only where nothing else tells a patient:
    scanners keep one for several people. What a script wrote into all patients is none.
    """
    found: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for person in (*one_person(people), *one_person(_without_frames(people), doubting_ids=True)):
        found[person.patients].update(dict.fromkeys(person.by))
    for keyword in _OWN:
        for patients in _together(people, keyword):
            found[patients].setdefault(keyword)
    return [OnePerson(patients, tuple(by)) for patients, by in sorted(found.items())]


def _without_frames(people: People) -> People:
    """The same without the frames of reference of images that tell who they are of."""
    return {
        patient: [
            {k: text for k, text in one.items() if k != "FrameOfReferenceUID" or not tells(one)}
            for one in some
        ]
        for patient, some in people.items()
    }


def _together(people: People, keyword: str) -> Set[tuple[str, ...]]:
    """The patients, sorted, of each value that several have; none of constants."""
    values = {patient: {one.get(keyword, "") for one in some} for patient, some in people.items()}
    if _are_constants(values, people):
        return set()
    patients: dict[str, list[str]] = defaultdict(list)
    for patient in sorted(values):
        for value in values[patient] - {""}:
            patients[value].append(patient)
    return {tuple(some) for some in patients.values() if len(some) > 1}


def _are_constants(values: Mapping[str, set[str]], people: People) -> bool:
    """Whether all patients share a value: of two, only where something else tells both."""
    common = set[str]().union(*values.values()).intersection(*values.values()) - {""}
    return bool(common) and (len(values) >= _FEWEST or not untold(people))
