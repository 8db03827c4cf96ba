"""Whose each volume is: by what the headers say, or by its path where a user says so."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chaosprep.errors import Problem, plural
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.headers.texts import without_uids
from chaosprep.layouts.layout import Where
from chaosprep.layouts.patients import fields_pattern, name_pattern
from chaosprep.privacy.evidence import identity_of, whose
from chaosprep.privacy.identity import FIELDS, HeaderField, Identity, normalized
from chaosprep.privacy.persons import several_persons
from chaosprep.privacy.pseudonyms import Key

_FEWEST = 3  # persons: a PatientID that all of so many share is a constant, not a person's
_OPTION = "--patient-from-name"


@dataclass(frozen=True)
class People:
    """Who is who: ``volumes`` with their persons, in the same order; empty where nothing tells it.

    ``identities`` are what identifies in each person's volumes, every one once. ``notes`` say what
    was settled.
    """

    volumes: tuple[Volume, ...]
    identities: Mapping[str, tuple[Identity, ...]]
    notes: tuple[str, ...] = ()
    _told: dict[str, list[Identity]] = field(default_factory=dict)

    def told(self, person: str) -> Sequence[Identity]:
        """What identifies a person, without UIDs, each once."""
        if person not in self._told:
            some = map(without_uids, self.identities.get(person, ()))
            self._told[person] = list({tuple(one.items()): one for one in some}.values())
        return self._told[person]


def tell_people(volumes: Sequence[Volume], where: Where) -> People:
    """Tell whose volumes are: by PatientID, else by PatientName with PatientBirthDate.

    A PatientID that at least three persons have, and all volumes, is a constant.

    Args:
        volumes: as `owners` told their persons.
        where: what a user says.

    Raises:
        UsageError: `pattern`, `--patient-from-name` will not do.
    """
    said = [_identities(volume) for volume in volumes]
    notes = list[str]()
    if where.patient_from_name is not None:
        pattern = _parse(where.patient_from_name)
        persons = [_by_path(volume, pattern) for volume in volumes]
    else:
        sources = _sources(said, where)
        if sources != FIELDS:
            persons = [_by_header(identities, sources) for identities in said]
        else:
            persons = [volume.person for volume in volumes]
            notes += _joined(persons, said)
    found: dict[str, dict[tuple[tuple[str, str], ...], Identity]] = defaultdict(dict)
    for person, identities in zip(persons, said, strict=True):
        if person:
            found[person].update({tuple(one.items()): one for one in identities})
    told = (replace(one, person=who) for one, who in zip(volumes, persons, strict=True))
    each = {person: tuple(ones.values()) for person, ones in found.items()}
    return People(tuple(told), each, tuple(notes))


def untold_problem(volumes: Sequence[Volume], where: Where, key: Key) -> list[Problem]:
    """The problem of the volumes of which nothing tells whose they are; none where there are none.

    Args:
        volumes: as `tell_people` gives them.
        where: what a user says.
        key: what the path of the first of them is shown by.
    """
    wanted = [volume for volume in volumes if not volume.left_out]
    untold = [volume for volume in wanted if not volume.person]
    count, every = len(untold), plural(len(wanted), "volume")
    if not count:
        return []
    file = key.path(untold[0].paths[0])
    if where.patient_from_name is not None:
        problem = Problem(
            code="patient-missing",
            id="headers",
            file=file,
            reason=f"{count} of {every} do not fit {_OPTION} '{where.patient_from_name}'",
            remedy="Compare it with the path of one file below ROOT, or leave them out with "
            "--on-error skip.",
        )
    else:
        silent = "PatientID and PatientName are empty or placeholders"
        if where.patient_from != "folder":
            silent = f"{where.patient_from} is empty or a placeholder"
        problem = Problem(
            code="patient-missing",
            id="headers",
            file=file,
            reason=f"{count} of {every} do not say which patient they belong to: {silent}",
            remedy="Say which part of a path below ROOT is the patient, such as "
            "--patient-from-name '{patient}/{}', or leave them out with --on-error skip.",
        )
    return [problem]


def _identities(volume: Volume) -> list[Identity]:
    """What identifies in a volume, each once."""
    found: dict[tuple[str, ...], Identity] = {}
    for head in volume.heads:
        said = head.evidence
        key = tuple(said.get(keyword, "") for keyword in _TELLING)
        if key not in found:
            found[key] = identity_of(said)
    return list(found.values())


_TELLING = (
    *("PatientID", "PatientName", "PatientBirthDate", "SpecificCharacterSet"),
    *("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"),
)


def _sources(said: Sequence[Sequence[Identity]], where: Where) -> tuple[HeaderField, ...]:
    """What may tell a person; not a PatientID that is a constant."""
    if where.patient_from != "folder":
        return (where.patient_from,)
    every = [one for identities in said for one in identities]
    ids = {whose(one, ("PatientID",)) for one in every}
    if len(ids) == 1 and "" not in ids and len(several_persons(every, _FEWEST)) == _FEWEST:
        return ("PatientName",)
    return FIELDS


def _joined(persons: Sequence[str], said: Sequence[Sequence[Identity]]) -> list[str]:
    """Say in how many volumes it is the study that tells the person; see `owners`."""
    count = sum(
        bool(person) and any(whose(one) != person for one in identities)
        for person, identities in zip(persons, said, strict=True)
    )
    told = (
        f"in {plural(count, 'volume')} PatientID does not identify the person, but StudyInstanceUID"
    )
    return [f"{told} does: all others in it are of one person"] if count else []


def _by_header(identities: Iterable[Identity], sources: tuple[HeaderField, ...]) -> str:
    """The person of a volume; reading it refuses one that is of several."""
    return min((who for one in identities if (who := whose(one, sources))), default="")


def _parse(pattern: str) -> re.Pattern[str]:
    """The beginning of a path: `{patient}` is the patient, `{}` any text of one name.

    `{patient}` takes as much of a name as it can.
    """
    name_pattern(pattern)  # refuses what has not one patient
    return re.compile(fields_pattern(pattern.strip("/"), "[^/]") + "(?:/.*)?")


def _by_path(volume: Volume, pattern: re.Pattern[str]) -> str:
    """The person in the paths of a volume; empty where one does not fit, or they are several."""
    found = {
        normalized(match["patient"]) if (match := pattern.fullmatch(path)) else ""
        for path in volume.paths
    }
    return f"path {found.pop()}" if len(found) == 1 and "" not in found else ""
