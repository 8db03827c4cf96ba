"""What a report says, from the manifest, the verdict and the cases: plain data for the template."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from chaosprep.dataset.descriptor import DataSource, License, StageRecord
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import SPLITS, Split
from chaosprep.dataset.tiles import Colour, organ_colours
from chaosprep.errors import Problem
from chaosprep.quality.report.charts import Areas, Bars, area_chart, histogram_chart
from chaosprep.quality.report.pictures import CaseView, Values
from chaosprep.quality.verify import Verdict
from chaosprep.version import __version__

MAX_LISTED: Final = 500
"""Lines of the list of problems; `verify` says all of them."""


@dataclass(frozen=True)
class Entry:
    """A line of the list of problems; `count` slices of one case share it."""

    kind: str
    id: str
    case: str | None
    reason: str
    remedy: str
    file: str | None
    count: int = 1


@dataclass
class SplitCount:
    """One side of the split in numbers, and who is on it."""

    name: Split
    patients: set[str] = field(default_factory=set)
    cases: int = 0
    originals: int = 0
    labelled: int = 0
    copies: int = 0


@dataclass(frozen=True)
class StageView:
    """A stage as the page shows it: parameters that were set, as JSON."""

    name: str
    version: int
    seed: int | None
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CaseCard:
    """A case with its charts and how many problems it has."""

    view: CaseView
    areas: Areas | None
    bars: Bars | None
    window: str
    spacing: str
    faults: int
    warnings: int


@dataclass(frozen=True)
class Page:
    """Everything that the template needs."""

    key: str
    version: str
    title: str
    stages: tuple[StageView, ...]
    versions: tuple[tuple[str, str], ...]
    licenses: tuple[tuple[str, str | None], ...]
    sources: tuple[tuple[str, str | None], ...]
    sides: tuple[SplitCount, ...]
    leaks: int
    patients: int
    originals: int
    copies: int
    faults: int
    warnings: int
    problems: tuple[Entry, ...]
    unlisted: int
    organs: tuple[str, ...]
    colours: dict[str, str]
    cases: tuple[CaseCard, ...]


def make_page(dataset: Dataset, verdict: Verdict, views: Sequence[CaseView]) -> Page:
    """Put together what the page says; `views` are sorted by case id."""
    sides = _sides(dataset)
    entries = _entries(dataset, verdict)
    organs = _organs(views)
    colours = organ_colours(dataset.cases)
    return Page(
        key=dataset.descriptor_sha256[:16],
        version=__version__,
        title=dataset.descriptor.title,
        stages=tuple(_stage(record) for record in dataset.history),
        versions=tuple(sorted(dataset.made.versions.items())),
        licenses=tuple(_link(license) for license in dataset.licenses),
        sources=tuple(_link(source) for source in dataset.sources),
        sides=sides,
        leaks=sum(_tells_of_leakage(p) for p in (*verdict.faults, *verdict.warnings)),
        patients=len(dataset.patients),
        originals=sum(side.originals for side in sides),
        copies=sum(side.copies for side in sides),
        faults=len(verdict.faults),
        warnings=len(verdict.warnings),
        problems=tuple(entries[:MAX_LISTED]),
        unlisted=max(len(entries) - MAX_LISTED, 0),
        organs=organs,
        colours={organ: _hex(colours.get(organ, (230, 159, 0))) for organ in organs},
        cases=tuple(_card(view, entries) for view in views),
    )


def _sides(dataset: Dataset) -> tuple[SplitCount, ...]:
    sides = {name: SplitCount(name) for name in SPLITS}
    for case in dataset.cases:
        sides[case.split].cases += 1
        for row in case.slices:
            side = sides[row.split]
            side.patients.add(row.patient)
            side.copies += bool(row.copy)
            side.originals += not row.copy
            side.labelled += not row.copy and any(row.pixels.values())
    return tuple(side for side in sides.values() if side.patients)


def _tells_of_leakage(problem: Problem) -> bool:
    return problem.code == "leakage" or problem.code.startswith(("leakage-", "near-duplicate"))


def _organs(views: Iterable[CaseView]) -> tuple[str, ...]:
    """Every organ that is drawn or charted, in the order of appearance."""
    drawn = (
        line.organ
        for v in views
        for picture in (*v.originals, *v.copies)
        for line in picture.outlines
    )
    return tuple(dict.fromkeys([*(organ for v in views for organ in v.areas), *drawn]))


def _entries(dataset: Dataset, verdict: Verdict) -> list[Entry]:
    """Faults, then what was left out, then warnings; alike ones of a case on one line."""
    case_of = _case_of(dataset)
    found: dict[tuple[str, ...], Entry] = {}
    for kind, problem in _problems(dataset, verdict):
        case = case_of.get(problem.id)
        # A warning's file is the source in the dataset root, whose folders may name a person.
        file = problem.file if kind == "fault" and problem.file != problem.id else None
        alone = () if kind == "warning" else (problem.id, file or "")
        key = (kind, case or problem.id, problem.code, problem.reason, *alone)
        known = found.get(key)
        count = known.count + 1 if known else 1
        id = (case or problem.id) if count > 1 else problem.id
        found[key] = Entry(kind, id, case, problem.reason, problem.remedy, file, count)
    return list(found.values())


def _problems(dataset: Dataset, verdict: Verdict) -> Iterator[tuple[str, Problem]]:
    yield from (("fault", problem) for problem in verdict.faults)
    for stage in dataset.history:
        yield from (("left-out", problem) for problem in stage.skipped)
    yield from (("warning", problem) for problem in verdict.warnings)


def _case_of(dataset: Dataset) -> dict[str, str]:
    """Which case an id means: a slice's own, a patient's first."""
    found: dict[str, str] = {}
    for case in dataset.cases:
        found.setdefault(case.patient, case.id)
        found[case.id] = case.id
        found |= {row.id: case.id for row in case.slices}
    return found


def _stage(record: StageRecord) -> StageView:
    unset = (None, False, "")
    shown = {
        name: value
        for name, value in record.parameters.items()
        if value not in unset and value not in ([], {})
    }
    shown.pop("seed", None)
    return StageView(
        record.stage, record.version, record.seed, tuple((n, _short(v)) for n, v in shown.items())
    )


def _short(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _link(thing: License | DataSource) -> tuple[str, str | None]:
    """A text, and an address if it is one of the web: `javascript:` never becomes a link."""
    name = thing.name if isinstance(thing, License) else None
    path = thing.path if (thing.path or "").startswith(("https://", "http://")) else None
    return thing.title or name or thing.path or "unnamed", path


def _card(view: CaseView, entries: list[Entry]) -> CaseCard:
    def count(kind: str) -> int:
        return sum(entry.count for entry in entries if entry.case == view.id and entry.kind == kind)

    between, *inside = view.spacing or (None,)
    pixel = " x ".join(f"{mm:.4g}" for mm in dict.fromkeys(inside) if mm is not None)
    plane = f"{pixel} mm in plane" if pixel else ""
    return CaseCard(
        view,
        area_chart(view),
        histogram_chart(view),
        _window(view.values) if view.values else "",
        f"{plane}, slices {between:.4g} mm apart" if between is not None else plane,
        count("fault"),
        count("warning"),
    )


def _window(values: Values) -> str:
    low, high = values.window
    if values.made is not None:
        return f"0 to 255 were {values.made[0]:g} to {values.made[1]:g} stored ({values.source})"
    return f"shown {low:g} to {high:g}"


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
