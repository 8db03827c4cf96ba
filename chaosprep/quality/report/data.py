"""What a report says, from the manifest, the verdict and the cases: plain data for the template."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from chaosprep.dataset.descriptor import DataSource, License, Share, StageRecord
from chaosprep.dataset.left_out import how_many, why
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organs import Listed, listed, meanings
from chaosprep.dataset.records import SPLITS, Split
from chaosprep.dataset.tiles import organ_colours
from chaosprep.quality.left_out import every
from chaosprep.quality.outliers.judging import Outlier, by_case, reason_of
from chaosprep.quality.report.charts import Areas, Bars, area_chart, histogram_chart
from chaosprep.quality.report.group import Strip, strips
from chaosprep.quality.report.index import IndexRow, columns, index_rows
from chaosprep.quality.report.pictures import CaseView, Values, in_order
from chaosprep.quality.report.predictions import Judged
from chaosprep.quality.report.readers import Reader
from chaosprep.quality.verify import Verdict

_KINDS: Final = ("fault", "left-out", "warning")
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
class CaseCard:
    """A case with its charts and how many problems it has."""

    view: CaseView
    areas: Areas | None
    bars: Bars | None
    window: str
    spacing: str
    faults: int
    warnings: int
    stands_out: str


@dataclass(frozen=True)
class Page:
    """Everything that the template needs; each stage stands with its parameters as JSON."""

    dataset: Dataset
    verdict: Verdict
    stages: list[tuple[StageRecord, dict[str, str]]]
    licenses: list[tuple[str, str | None]]
    sources: list[tuple[str, str | None]]
    sides: list[SplitCount]
    labels: list[Listed]
    leaks: int
    alike: int
    problems: list[Entry]
    unlisted: int
    organs: list[str]
    colours: dict[str, str]
    cases: list[CaseCard]
    columns: list[tuple[str, str]]
    index: list[IndexRow]
    strips: list[Strip]
    division: tuple[Share, ...]
    judged: Judged | None = None
    readers: tuple[Reader, ...] = ()

    @property
    def key(self) -> str:
        """Under what ratings are kept."""
        return page_key(self.dataset, self.judged)

    @property
    def read(self) -> str:
        """What the readers said, as JSON: name, and case -> verdict and note."""
        return msgspec.json.encode([(one.name, one.ratings) for one in self.readers]).decode()

    @property
    def predicted(self) -> bool:
        """Whether a network made the masks."""
        return any(stage.stage == "predict" for stage, _ in self.stages)


def page_key(dataset: Dataset, judged: Judged | None) -> str:
    """What tells one page's ratings from another's: the manifest, and what was predicted."""
    digest = dataset.descriptor_sha256[:16]
    return digest if judged is None else f"{digest}-{judged.digest}"


def make_page(
    dataset: Dataset,
    verdict: Verdict,
    views: Sequence[CaseView],
    judged: Judged | None = None,
    readers: tuple[Reader, ...] = (),
) -> Page:
    """Put together what the page says; `views` are sorted by case id, or the worst comes first."""
    entries = _entries(dataset, verdict)
    colours = organ_colours(dataset.cases)
    order = list(colours)
    views = [in_order(view, order) for view in views]
    spoken = {organ for view in views for organ in _organs(view)}
    spoken |= set() if judged is None else set(judged.organs)
    organs = [organ for organ in order if organ in spoken]
    if judged is not None:
        worst = {case: at for at, case in enumerate(judged.cases)}
        views = sorted(views, key=lambda view: worst[view.first.case])
    found = verdict.outliers
    far = by_case(found)
    cases = [_card(view, entries, far) for view in views]
    counts = {card.view.first.case: (card.faults, card.warnings) for card in cases}
    codes = [problem.code for problem in (*verdict.faults, *verdict.warnings)]
    sides, shown = _sides(dataset)
    return Page(
        dataset,
        verdict,
        stages=[(record, _parameters(record)) for record in dataset.history],
        licenses=[_link(license) for license in dataset.licenses],
        sources=[_link(source) for source in dataset.sources],
        sides=sides,
        labels=sorted(
            listed(meanings(dataset.label_map, [shown])), key=lambda one: order.index(one.name)
        ),
        leaks=sum(code.startswith("leakage") for code in codes),
        alike=codes.count("near-duplicate"),
        problems=entries[:MAX_LISTED],
        unlisted=max(len(entries) - MAX_LISTED, 0),
        organs=organs,
        colours={organ: "#{:02x}{:02x}{:02x}".format(*colours[organ]) for organ in organs},
        cases=cases,
        columns=columns(organs, judged),
        index=index_rows(views, verdict.values, far, organs, counts, judged),
        strips=strips(verdict.values, found, organs),
        division=dataset.descriptor.tool.division,
        judged=judged,
        readers=readers,
    )


def _sides(dataset: Dataset) -> tuple[list[SplitCount], dict[int, str]]:
    """The sides in numbers, and what rows say that mask values stand for."""
    shown: dict[int, str] = {}
    sides = {name: SplitCount(name) for name in SPLITS}
    for case in dataset.cases:
        sides[case.split].cases += 1
        for row in case.slices:
            side = sides[row.split]
            shown |= row.labels
            side.patients.add(row.patient)
            side.copies += bool(row.copy)
            side.originals += not row.copy
            side.labelled += not row.copy and any(row.pixels.values())
    return [side for side in sides.values() if side.patients], shown


def _organs(view: CaseView) -> Iterator[str]:
    """Every organ of a case that is drawn or charted."""
    yield from view.areas
    for picture in (*view.originals, *view.copies):
        yield from (organ for organ, _ in picture.outlines)


def _entries(dataset: Dataset, verdict: Verdict) -> list[Entry]:
    """Faults, then what was left out, then warnings; alike ones of a case on one line.

    What a person chose to leave out stands behind what had to be.
    """
    case_of = _case_of(dataset)
    found: dict[tuple[str, ...], Entry] = {}
    problems = [
        *(("fault", problem) for problem in verdict.faults),
        *(("left-out", problem) for stage in dataset.history for problem in stage.skipped),
        *(("warning", problem) for problem in verdict.warnings),
    ]
    for kind, problem in problems:
        case = case_of.get(problem.id)
        # A warning's file is the source in the dataset root, whose folders may name a person.
        file = problem.file if kind == "fault" and problem.file != problem.id else None
        alone = () if kind == "warning" else (problem.id, file or "")
        key = (kind, case or problem.id, problem.code, problem.reason, *alone)
        known = found.get(key)
        count = known.count + 1 if known else 1
        id = (case or problem.id) if count > 1 else problem.id
        found[key] = Entry(kind, id, case, problem.reason, problem.remedy, file, count)
    return sorted([*found.values(), *_chosen(dataset)], key=lambda one: _KINDS.index(one.kind))


def _chosen(dataset: Dataset) -> Iterator[Entry]:
    """What a person chose to leave out: a line for each case, or for the slices of one choice."""
    for stage, one in every(dataset):
        if not one.cases:
            text = f"{how_many(one)} ({why(one)})"
            yield Entry("left-out", stage, None, text, "", None)
        for case in one.cases:
            yield Entry("left-out", case, None, f"by {stage}, {why(one)}", "", None)


def _case_of(dataset: Dataset) -> dict[str, str]:
    """Which case an id means: a slice's own, a patient's first."""
    found: dict[str, str] = {}
    for case in dataset.cases:
        found.setdefault(case.patient, case.id)
        found[case.id] = case.id
        found |= {row.id: case.id for row in case.slices}
    return found


def _parameters(record: StageRecord) -> dict[str, str]:
    """The parameters of a stage that were set."""
    unset: tuple[Any, ...] = (None, "", [], {})
    return {
        name: _short(value)
        for name, value in record.parameters.items()
        if value is not False and value not in unset and name != "seed"
    }


def _short(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _link(thing: License | DataSource) -> tuple[str, str | None]:
    """A text, and an address if it is one of the web: `javascript:` never becomes a link."""
    name = thing.name if isinstance(thing, License) else None
    path = thing.path if (thing.path or "").startswith(("https://", "http://")) else None
    return thing.title or name or thing.path or "unnamed", path


def _card(view: CaseView, entries: list[Entry], far: Mapping[str, tuple[Outlier, ...]]) -> CaseCard:
    kinds = Counter[str]()
    for entry in entries:
        kinds[entry.kind] += entry.count * (entry.case == view.first.case)
    between, *inside = view.first.spacing or (None,)
    pixel = " x ".join(f"{mm:.4g}" for mm in dict.fromkeys(inside) if mm is not None)
    plane = f"{pixel} mm in plane" if pixel else ""
    return CaseCard(
        view,
        areas=area_chart(view),
        bars=histogram_chart(view),
        window=_window(view.values, view.first.window_source) if view.values else "",
        spacing=f"{plane}, slices {between:.4g} mm apart" if between is not None else plane,
        faults=kinds["fault"],
        warnings=kinds["warning"],
        stands_out=reason_of(far.get(view.first.case, ())),
    )


def _window(values: Values, source: str) -> str:
    low, high = values.window
    if values.made is not None:
        return f"0 to 255 were {values.made[0]:g} to {values.made[1]:g} stored ({source})"
    return f"shown {low:g} to {high:g}"
