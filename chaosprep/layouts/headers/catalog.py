"""What lies below a root, by patient, study, series and volume."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chaosprep.layouts.headers.describing import describe
from chaosprep.layouts.headers.dividing import divide
from chaosprep.layouts.headers.head import Entry, Head
from chaosprep.layouts.headers.kinds import SINGLE, is_stack, why_left
from chaosprep.layouts.headers.moments import begun, seconds
from chaosprep.layouts.headers.naming import base_name, plain_name, tell_apart
from chaosprep.layouts.headers.owners import owners
from chaosprep.layouts.headers.rejoining import series_of, studies_of
from chaosprep.layouts.headers.texts import without_uids
from chaosprep.privacy.evidence import identity_of, text_of
from chaosprep.series.groups import number


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
    and time of the series, and of its first picture; it is never shown. ``described`` is what is
    shown of its description, where that is not all of it.
    """

    person: str
    study: str
    series: str
    heads: tuple[Head, ...]
    name: str
    facts: Mapping[str, str] = field(default_factory=dict)
    left_out: str = ""
    when: tuple[str | float, ...] = ()
    described: str | None = None

    @property
    def description(self) -> str:
        """What may be shown of SeriesDescription; empty where there is none."""
        told = self.facts.get("SeriesDescription", "")
        return told if self.described is None else self.described

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


def by_person(volumes: Iterable[Volume]) -> dict[str, list[Volume]]:
    """Person -> their volumes, in the order in which these come."""
    found: dict[str, list[Volume]] = defaultdict(list)
    for volume in volumes:
        found[volume.person].append(volume)
    return found


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
            (masks if entry.kind == "mask" else others).append(entry)
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
    groups: dict[tuple[bool, str, str], list[int]] = defaultdict(list)
    for index, volume in enumerate(volumes):
        other = bool(volume.left_out) and volume.left_out != SINGLE
        groups[other, volume.name, volume.facts.get("Modality", "")].append(index)
    found = list(volumes)
    for group in groups.values():
        same = [volumes[index] for index in group]
        told = tell_apart([one.heads for one in same], [one.series for one in same])
        for index, (added, time) in zip(group, told, strict=True):
            found[index] = _with_name(volumes[index], added, time)
    taken: dict[str, int] = {}
    for index in sorted(range(len(found)), key=lambda index: bool(found[index].left_out)):
        wanted = name = found[index].name
        while name in taken:
            taken[wanted] += 1
            name = f"{wanted}-{taken[wanted]}"
        taken[name] = 1
        found[index] = replace(found[index], name=name)
    return found


def _with_name(volume: Volume, added: str, time: int) -> Volume:
    facts = {**volume.facts, "time": str(time)}
    name = volume.name or plain_name(facts.get("Modality", ""), facts.get("plane", ""), added)
    return replace(volume, name=name + added, facts=facts)


def _series(person: str, study: str, series: str, heads: Sequence[Head]) -> list[Volume]:
    """The volumes of one series, called by its description alone."""
    parts = divide(heads)
    identity, first = without_uids(identity_of(heads[0].evidence)), begun(heads)
    found: list[Volume] = []
    for part in parts:
        facts = describe(part, identity) | {"volumes": str(len(parts))}
        texts = (facts.get("SeriesDescription", ""), facts.get("ProtocolName", ""))
        left = why_left(part, text_of(part[0].evidence, "SeriesDescription"))
        name, when = base_name(texts, identity), (*_when(part[0]), first)
        found.append(Volume(person, study, series, part, name, facts, left, when))
    return found


def _when(head: Head) -> tuple[str | float, ...]:
    said = head.evidence
    times = (seconds(said.get(keyword, "")) or 0.0 for keyword in ("StudyTime", "SeriesTime"))
    study, series = times
    return (said.get("StudyDate", ""), study, number(said.get("SeriesNumber", "")) or 0.0, series)
