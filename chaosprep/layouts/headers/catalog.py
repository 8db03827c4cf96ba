"""What lies below a root, by patient, study, series and volume."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from chaosprep.layouts.headers.describing import describe
from chaosprep.layouts.headers.dividing import divide
from chaosprep.layouts.headers.head import Entry, Head
from chaosprep.layouts.headers.kinds import SINGLE, is_stack, why_left
from chaosprep.layouts.headers.moments import seconds
from chaosprep.layouts.headers.naming import base_name, plain_name, tell_apart
from chaosprep.layouts.headers.owners import owners
from chaosprep.layouts.headers.rejoining import series_of, studies_of
from chaosprep.layouts.headers.texts import identity_of
from chaosprep.privacy.evidence import text_of
from chaosprep.series.groups import number

_COLOURED = "not-grey"


@dataclass(frozen=True, eq=False)
class Volume:
    """One stack of slices of one person.

    ``person`` tells people apart and is never shown, as ``study`` and ``series``, their UIDs; of
    several that an anonymiser gave the slices of one, the least.
    ``facts`` are what a volume can be chosen by: DICOM keyword -> text, and `slices`, `plane`,
    `rows`, `cols`, `spacing` (`describing.describe`), `time`, its place among the volumes of its
    series that nothing but time tells apart, and `volumes`, how many the series has. ``name`` is
    what its sequence is called where nobody calls it something else; two volumes of one study never
    have the same. ``left_out`` says why it is not taken (a localizer, a derived map); empty where
    it would be. ``when`` puts the volumes of a person in order: date and time of the study, number
    and time of the series; it is never shown.
    """

    person: str
    study: str
    series: str
    heads: tuple[Head, ...]
    name: str
    facts: Mapping[str, str] = field(default_factory=dict)
    left_out: str = ""
    when: tuple[str | float, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Its files."""
        return tuple(dict.fromkeys(head.path for head in self.heads))


@dataclass(frozen=True)
class Catalog:
    """The volumes below a root, by person, study and series, and the entries that are none."""

    volumes: tuple[Volume, ...]
    masks: tuple[Entry, ...]
    others: tuple[Entry, ...]


def make_catalog(entries: Iterable[Entry]) -> Catalog:
    """Group the entries of an index."""
    people: dict[str, list[Head]] = defaultdict(list)
    masks, others = list[Entry](), list[Entry]()
    ordered = sorted(entries, key=lambda entry: entry.path)
    owner = owners(head.evidence for entry in ordered for head in entry.heads)
    for entry in ordered:
        for head in entry.heads:
            people[owner(head.evidence)].append(head)
        if not entry.heads:
            (masks if entry.kind == "mask" else others).append(_coloured(entry))
    studies = [
        _study(person, study, own)
        for person, heads in sorted(people.items())
        for study, own in sorted(studies_of(heads))
    ]
    stacked = {
        one.facts.get("Modality") for study in studies for one in study if is_stack(one.facts)
    }
    volumes = [
        volume
        for study in studies
        for volume in _named([_single_left(volume, stacked) for volume in study])
    ]
    return Catalog(tuple(volumes), tuple(masks), tuple(others))


def _coloured(entry: Entry) -> Entry:
    """A colour picture is not damaged: it is no slice."""
    if entry.kind != "unreadable" or entry.what != _COLOURED:
        return entry
    return msgspec.structs.replace(entry, kind="beside", what="colour image")


def _study(person: str, study: str, heads: Sequence[Head]) -> list[Volume]:
    """The volumes of one study, in the order of its series."""
    found = [
        volume for series, own in series_of(heads) for volume in _series(person, study, series, own)
    ]
    return sorted(found, key=lambda one: (*one.when, one.series))


def _single_left(volume: Volume, stacked: Container[str | None]) -> Volume:
    """Without a single slice of a modality that has stacks."""
    if volume.left_out or volume.facts["slices"] != "1":
        return volume
    is_left = volume.facts.get("Modality") in stacked
    return replace(volume, left_out=SINGLE) if is_left else volume


def _named(volumes: Sequence[Volume]) -> list[Volume]:
    """The volumes of one study, none called as another is; those that are taken choose first."""
    names: dict[int, str] = {}
    taken: dict[str, int] = {}
    for index, volume in sorted(enumerate(volumes), key=lambda one: bool(one[1].left_out)):
        name = volume.name
        while name in taken:
            taken[volume.name] += 1
            name = f"{volume.name}-{taken[volume.name]}"
        taken[name] = 1
        names[index] = name
    return [replace(volume, name=names[index]) for index, volume in enumerate(volumes)]


def _series(person: str, study: str, series: str, heads: Sequence[Head]) -> list[Volume]:
    parts = divide(heads)
    identity = identity_of(heads[0].evidence)
    found: list[Volume] = []
    for part, (added, time) in zip(parts, tell_apart(parts), strict=True):
        facts = describe(part, identity)
        facts |= {"time": str(time), "volumes": str(len(parts))}
        description = facts.get("SeriesDescription", "")
        texts = (description, facts.get("ProtocolName", ""))
        named = base_name(texts, identity)
        named = named or plain_name(facts.get("Modality", ""), facts.get("plane", ""), added)
        left = why_left(part, text_of(part[0].evidence, "SeriesDescription"))
        when = _when(part[0])
        found.append(Volume(person, study, series, part, named + added, facts, left, when))
    return found


def _when(head: Head) -> tuple[str | float, ...]:
    said = head.evidence
    times = (seconds(said.get(keyword, "")) or 0.0 for keyword in ("StudyTime", "SeriesTime"))
    study, series = times
    return (said.get("StudyDate", ""), study, number(said.get("SeriesNumber", "")) or 0.0, series)
