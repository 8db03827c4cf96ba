"""What `inspect` gives of a root that headers tell: its volumes, and as few lines the kinds."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from chaosprep.errors import plural
from chaosprep.html import shown_by
from chaosprep.layouts.headers.catalog import Catalog
from chaosprep.layouts.headers.head import Entry
from chaosprep.quality.inspected import Inspection

MASKS = {"segmentation": "SEG", "RT structure set": "RTSTRUCT"}
"""What a DICOM object that refers to images is -> how it is called."""

UNKNOWN = "unknown"
"""The patient of a volume whose patient is not known."""


class VolumeView(msgspec.Struct, frozen=True, kw_only=True):
    """One volume as its headers tell it.

    `study` counts those of its patient by date, `series` those of the study by number, from 1.
    `spacing` (slice, row, col) is in mm, `echo_time` in ms, `b_value` in s/mm2; `time` counts the
    volumes of a series that follow each other. `refers` are the kinds of masks that lie on it.
    `case` is what it is taken as, empty where it is not taken; `why` says then why not. `left_out`
    is what it is, where that is not taken unless somebody asks for it.
    """

    patient: str
    study: int
    series: int
    name: str
    description: str
    modality: str
    plane: str
    slices: int
    matrix: str
    spacing: tuple[float | None, float | None, float | None]
    echo_time: float | None = None
    b_value: float | None = None
    time: int | None = None
    refers: tuple[str, ...] = ()
    case: str = ""
    why: str = ""
    left_out: str = ""


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """What is no volume to take, of one kind: how many series of how many pictures, or files."""

    what: str
    count: int
    pictures: tuple[int, int]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """Volumes of one name, modality and plane, over all patients.

    `slices`, `between` (mm between slices) and `pixel` (mm) are the smallest and the largest. Of
    `echo_time` and `b_value` it is what the first says. `refers` and `why` count volumes: by the
    kind of a mask on them, and by the reason for which they are not taken.
    """

    name: str
    description: str
    modality: str
    plane: str
    patients: int
    volumes: int
    taken: int
    slices: tuple[int, int]
    matrices: tuple[str, ...]
    between: tuple[float, float] | None
    pixel: tuple[float, float] | None
    echo_time: float | None
    b_value: float | None
    time: int | None
    refers: dict[str, int]
    why: dict[str, int]


class Archive(Inspection, frozen=True, kw_only=True):
    """Everything below a root that headers tell: volume by volume, and folded over patients.

    `others` are what is no volume to take, by what it is; only some patients' are not counted.
    """

    volumes: tuple[VolumeView, ...]
    kinds: tuple[Kind, ...]
    others: tuple[Other, ...]
    _repr_html_ = shown_by("chaosprep.quality.shown", "archive")

    @property
    def told(self) -> str:
        """What it comes to, in a line."""
        patients = len({view.patient for view in self.volumes})
        return (
            f"inspect: {plural(patients, 'patient')}, {plural(len(self.volumes), 'volume')}, "
            f"{len(self.cases)} taken, {plural(len(self.problems), 'problem')}"
        )


def kinds_of(volumes: Sequence[VolumeView]) -> tuple[Kind, ...]:
    """The kinds of what is taken or might be, those of most patients first."""
    kinds: dict[tuple[str, str, str], list[VolumeView]] = defaultdict(list)
    for view in volumes:
        if view.case or not view.left_out:
            kinds[(view.name, view.modality, view.plane)].append(view)
    found = [_kind(some) for some in kinds.values()]
    return tuple(sorted(found, key=lambda kind: (-kind.patients, kind.name, kind.plane)))


def _kind(some: Sequence[VolumeView]) -> Kind:
    first = some[0]
    descriptions = Counter(view.description for view in some)
    pixels = [mm for view in some for mm in view.spacing[1:]]
    return Kind(
        name=first.name,
        description=descriptions.most_common(1)[0][0],
        modality=first.modality,
        plane=first.plane,
        patients=len({view.patient for view in some}),
        volumes=len(some),
        taken=sum(bool(view.case) for view in some),
        slices=(min(view.slices for view in some), max(view.slices for view in some)),
        matrices=tuple(sorted({view.matrix for view in some})),
        between=_ends(view.spacing[0] for view in some),
        pixel=_ends(pixels),
        echo_time=first.echo_time,
        b_value=first.b_value,
        time=first.time,
        refers=dict(sorted(Counter(kind for view in some for kind in view.refers).items())),
        why=dict(Counter(view.why for view in some if view.why).most_common()),
    )


def _ends(values: Iterable[float | None]) -> tuple[float, float] | None:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else None


def others_of(catalog: Catalog, volumes: Sequence[VolumeView]) -> tuple[Other, ...]:
    """What is no volume to take: what is left out and pictures by their series, the rest alone."""
    series: dict[str, Counter[object]] = defaultdict(Counter)
    for view in volumes:
        if view.left_out and not view.case:
            series[view.left_out][view.patient, view.study, view.series] += view.slices
    for entry in catalog.others:
        uid = entry.evidence.get("SeriesInstanceUID", "") if entry.kind == "beside" else ""
        series[_what(entry)][uid or entry.path] += 1
    for entry in catalog.masks:
        series[MASKS.get(entry.what, entry.what)][entry.path] += 1
    return tuple(
        Other(what=what, count=len(some), pictures=(min(some.values()), max(some.values())))
        for what, some in sorted(series.items())
    )


def _what(entry: Entry) -> str:
    if entry.kind == "unreadable":
        return f"damaged file ({entry.what})"
    return entry.what if entry.kind == "beside" else "file that is not DICOM"
