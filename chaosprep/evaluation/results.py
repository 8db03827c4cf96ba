"""What an evaluation found: a row for each organ of each case, and what the rows come to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Annotated, Literal, get_type_hints

import msgspec

from chaosprep.errors import Problem, plural
from chaosprep.evaluation.bland_altman import VolumeLimits, volume_limits
from chaosprep.evaluation.intervals import Interval, intervals
from chaosprep.evaluation.lesions import Lesion
from chaosprep.evaluation.metric import Metric
from chaosprep.html import shown_by
from chaosprep.known import SCORING


class OrganResult(msgspec.Struct, frozen=True, kw_only=True):
    """One organ of one case, and the table of metrics: a new one is one file and one line here.

    None: it cannot be measured or is not asked for, see docs/evaluation.md. ``ravd`` and
    ``volume_difference`` (signed) are % of the reference; ``assd``, ``mssd``, ``hd95`` and
    ``tolerance`` mm; ``*_score`` and their mean ``score`` go from 0 to 100; volumes are ml.
    ``lesions`` has every matched pair and every one without a partner. ``brought`` says how the
    prediction came from another grid to the reference's, by the nearest voxel or by undoing what
    convert did; ``beyond`` how many of the case's predicted voxels lie beyond that grid.
    """

    case: str
    patient: str
    split: str | None
    organ: str
    dice: Annotated[float, Metric(lambda of: of.voxels.dice, 1, "Dice", 3, "Dice")]
    jaccard: Annotated[float, Metric(lambda of: of.voxels.jaccard, 1)]
    precision: Annotated[float, Metric(lambda of: of.voxels.precision, 1, "Prec", 3)]
    recall: Annotated[float, Metric(lambda of: of.voxels.recall, 1, "Recall", 3)]
    f1: Annotated[float, Metric(lambda of: of.voxels.dice, 1)]
    ravd: Annotated[float | None, Metric(lambda of: of.ravd, 0, "RAVD%", 1, "RAVD (%)")]
    volume_difference: Annotated[float | None, Metric(lambda of: of.voxels.volume_difference, 0)]
    assd: Annotated[float | None, Metric(lambda of: of.apart.assd, 0, "ASSD", 2, "ASSD (mm)")]
    mssd: Annotated[float | None, Metric(lambda of: of.apart.mssd, 0, "MSSD", 1, "MSSD (mm)")]
    hd95: Annotated[float | None, Metric(lambda of: of.apart.hd95, 0, "HD95", 1, "HD95 (mm)")]
    dice_score: Annotated[float | None, Metric(lambda of: of.scores.dice, 100)]
    ravd_score: Annotated[float | None, Metric(lambda of: of.scores.ravd, 100)]
    assd_score: Annotated[float | None, Metric(lambda of: of.scores.assd, 100)]
    mssd_score: Annotated[float | None, Metric(lambda of: of.scores.mssd, 100)]
    score: Annotated[
        float | None, Metric(lambda of: of.scores.mean, 100, "Score", 1, SCORING.title, True)
    ]
    pred_voxels: Annotated[int, Metric(lambda of: of.voxels.pred)]
    ref_voxels: Annotated[int, Metric(lambda of: of.voxels.ref)]
    pred_ml: Annotated[float | None, Metric(lambda of: of.ml(of.voxels.pred))]
    ref_ml: Annotated[float | None, Metric(lambda of: of.ml(of.voxels.ref))]
    nsd: Annotated[float | None, Metric(lambda of: of.nsd, 1, "NSD", 3, "NSD", True)]
    tolerance: Annotated[float | None, Metric(lambda of: of.tolerance)]
    lesion_tp: Annotated[int | None, Metric(lambda of: of.lesions and of.lesions.tp)]
    lesion_fp: Annotated[int | None, Metric(lambda of: of.lesions and of.lesions.fp)]
    lesion_fn: Annotated[int | None, Metric(lambda of: of.lesions and of.lesions.fn)]
    lesion_precision: Annotated[
        float | None, Metric(lambda of: of.lesions and of.lesions.precision, 1, optional=True)
    ]
    lesion_recall: Annotated[
        float | None, Metric(lambda of: of.lesions and of.lesions.recall, 1, optional=True)
    ]
    lesion_f1: Annotated[
        float | None,
        Metric(lambda of: of.lesions and of.lesions.f1, 1, "LesF1", 3, "Lesion F1", True),
    ]
    lesion_sq: Annotated[
        float | None, Metric(lambda of: of.lesions and of.lesions.sq, 1, optional=True)
    ]
    lesion_pq: Annotated[
        float | None,
        Metric(lambda of: of.lesions and of.lesions.pq, 1, "PQ", 3, "Panoptic quality", True),
    ]
    brought: Literal["undone", "nearest"] | None = None
    beyond: int = 0
    lesions: tuple[Lesion, ...] = ()


MEASURED: dict[str, Metric] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(OrganResult, include_extras=True).items()
    if hasattr(hint, "__metadata__")
}
"""Every number of a row by its name, in the order of the columns."""
METRICS = {name: metric for name, metric in MEASURED.items() if metric.best is not None}
"""Those that are averaged over cases."""


COLUMNS = tuple(name for name in OrganResult.__struct_fields__ if name != "lesions")
"""The columns of the CSV: a row without its list."""


def shown(results: Sequence[OrganResult]) -> dict[str, Metric]:
    """The averaged metrics that these rows have; of what is optional, what any row has."""
    return {
        name: one
        for name, one in METRICS.items()
        if not one.optional or any(getattr(row, name) is not None for row in results)
    }


class Spread(msgspec.Struct, frozen=True):
    """Mean and sample standard deviation over the `n` cases that have the value.

    ``interval`` is the 95 % interval of the mean over patients, None of fewer than 5.
    """

    mean: float | None
    sd: float | None
    n: int
    interval: Interval | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What the cases of one organ come to: metric -> spread.

    ``volume`` is how the volumes agree; None of fewer than two cases with a known size of voxels.
    """

    organ: str
    cases: int
    metrics: dict[str, Spread]
    volume: VolumeLimits | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was compared, and what was left out."""

    pred: str
    ref: str
    per: str
    cases: int
    score: float | None
    results: tuple[OrganResult, ...]
    summaries: tuple[Summary, ...]
    skipped: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    _repr_html_ = shown_by("chaosprep.evaluation.tables", "as_html")

    @property
    def told(self) -> str:
        """What it comes to, in a line."""
        scored = any(row.dice_score is not None for row in self.results)
        known = "not known" if self.score is None else f"{self.score:.2f}"
        score = f", {SCORING.title} {known}" if scored else ""
        counts = f"{plural(self.cases, self.per)}, {plural(len(self.summaries), 'organ')}"
        return f"evaluate: {counts}{score}, {len(self.skipped)} skipped"


def summarize(results: Sequence[OrganResult], *, sliced: bool = False) -> tuple[Summary, ...]:
    """One summary for each organ, in the order in which the organs come.

    Slices that are measured on their own, `sliced`, have no volumes that could agree.
    """
    of: dict[str, list[OrganResult]] = {}
    for row in results:
        of.setdefault(row.organ, []).append(row)
    columns = {
        organ: {name: [getattr(row, name) for row in rows] for name in shown(results)}
        for organ, rows in of.items()
    }
    ends = _intervals(of, columns)
    found = []
    for organ, rows in of.items():
        metrics = {
            name: spread(values, ends[organ, name]) for name, values in columns[organ].items()
        }
        whole = () if sliced else rows
        volume = volume_limits([row.pred_ml for row in whole], [row.ref_ml for row in whole])
        found.append(Summary(organ=organ, cases=len(rows), metrics=metrics, volume=volume))
    return tuple(found)


def _intervals(
    of: Mapping[str, Sequence[OrganResult]],
    columns: Mapping[str, Mapping[str, Sequence[float | None]]],
) -> dict[tuple[str, str], Interval | None]:
    """The interval of each metric of each organ; patients are drawn once for all of them.

    Rows of several organs share a place where they are the same patient's first, second, ...
    """
    places: dict[tuple[str, int], int] = {}
    own: dict[str, list[int]] = {}
    for organ, rows in of.items():
        times: Counter[str] = Counter()
        for row in rows:
            key = row.patient, times[row.patient]
            times[row.patient] += 1
            own.setdefault(organ, []).append(places.setdefault(key, len(places)))
    aligned: dict[tuple[str, str], list[float | None]] = {}
    for organ, metrics in columns.items():
        for name, values in metrics.items():
            column = aligned[organ, name] = [None] * len(places)
            for place, value in zip(own[organ], values, strict=True):
                column[place] = value
    return intervals(aligned, [patient for patient, _ in places])


def spread(values: Sequence[float | None], interval: Interval | None = None) -> Spread:
    """The spread of those values that there are."""
    known = [value for value in values if value is not None]
    mean = fmean(known) if known else None
    return Spread(mean, stdev(known) if len(known) > 1 else None, len(known), interval)
