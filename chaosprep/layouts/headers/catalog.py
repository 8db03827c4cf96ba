"""What lies below a root, by patient, study, series and volume."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chaosprep.layouts.headers.dividing import divide
from chaosprep.layouts.headers.head import Entry, Head
from chaosprep.privacy.evidence import person_of


@dataclass(frozen=True, eq=False)
class Volume:
    """One stack of slices of one person.

    ``person`` tells people apart and is never shown, as ``study`` and ``series``, their UIDs.
    ``facts`` are what a volume can be chosen by: DICOM keyword -> text, and `slices`, `plane`,
    `rows`, `cols`, `spacing`. ``name`` is what its sequence is called where nobody calls it
    something else; two volumes of one study never have the same. ``left_out`` says why it is not
    taken (a localizer, a derived map); empty where it would be.
    """

    person: str
    study: str
    series: str
    heads: tuple[Head, ...]
    name: str
    facts: Mapping[str, str] = field(default_factory=dict)
    left_out: str = ""

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
    series: dict[tuple[str, str, str], list[Head]] = defaultdict(list)
    masks, others = list[Entry](), list[Entry]()
    for entry in entries:
        for head in entry.heads:
            said = head.evidence
            person = person_of(said)
            uids = (said.get("StudyInstanceUID", ""), said.get("SeriesInstanceUID", ""))
            series[(person, *uids)].append(head)
        if not entry.heads:
            (masks if entry.kind == "mask" else others).append(entry)
    volumes = [
        Volume(*place, part, f"series{at}-{number}")
        for at, (place, heads) in enumerate(sorted(series.items()))
        for number, part in enumerate(divide(heads))
    ]
    return Catalog(tuple(volumes), tuple(masks), tuple(others))
