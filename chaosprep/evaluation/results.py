"""What an evaluation found: a row for each organ of each case, and what the rows come to."""

from collections.abc import Sequence
from statistics import fmean, stdev

import msgspec

from chaosprep.errors import Problem

METRICS = (
    *("dice", "jaccard", "precision", "recall", "f1"),
    *("ravd", "volume_difference", "assd", "mssd", "hd95"),
    *("dice_score", "ravd_score", "assd_score", "mssd_score", "score"),
)


class OrganResult(msgspec.Struct, frozen=True, kw_only=True):
    """One organ of one case. None: it cannot be measured, see docs/evaluation.md.

    ``ravd`` and ``volume_difference`` (signed) are % of the reference; ``assd``, ``mssd`` and
    ``hd95`` mm; ``*_score`` and their mean ``score`` go from 0 to 100; volumes are ml.
    """

    case: str
    patient: str
    split: str | None
    organ: str
    dice: float
    jaccard: float
    precision: float
    recall: float
    f1: float
    ravd: float | None
    volume_difference: float | None
    assd: float | None
    mssd: float | None
    hd95: float | None
    dice_score: float
    ravd_score: float
    assd_score: float | None
    mssd_score: float | None
    score: float | None
    pred_voxels: int
    ref_voxels: int
    pred_ml: float | None
    ref_ml: float | None


class Spread(msgspec.Struct, frozen=True):
    """Mean and sample standard deviation over the `n` cases that have the value."""

    mean: float | None
    sd: float | None
    n: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What the cases of one organ come to: metric -> spread."""

    organ: str
    cases: int
    metrics: dict[str, Spread]


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


def summarize(results: Sequence[OrganResult]) -> tuple[Summary, ...]:
    """One summary for each organ, in the order in which the organs come."""
    found = []
    for organ in dict.fromkeys(row.organ for row in results):
        rows = [row for row in results if row.organ == organ]
        metrics = {name: spread([getattr(row, name) for row in rows]) for name in METRICS}
        found.append(Summary(organ=organ, cases=len(rows), metrics=metrics))
    return tuple(found)


def spread(values: Sequence[float | None]) -> Spread:
    """The spread of those values that there are."""
    known = [value for value in values if value is not None]
    mean = fmean(known) if known else None
    return Spread(mean, stdev(known) if len(known) > 1 else None, len(known))
