"""What readers agree on: a row for each two readers of each organ of each case, and their means."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean

import msgspec

from chaosprep.errors import Problem, plural
from chaosprep.evaluation.readers.consensus import Method
from chaosprep.evaluation.results import OrganResult, Spread, spread
from chaosprep.html import shown_by

METRICS = {
    "dice": ("Dice", 3),
    "jaccard": ("", 3),
    "assd": ("ASSD", 2),
    "mssd": ("MSSD", 1),
    "hd95": ("HD95", 1),
    "volume_difference": ("Vol%", 1),
    "nsd": ("NSD", 3),
}
"""What is averaged: heading in the table, where it stands there, and decimals."""


class PairResult(msgspec.Struct, frozen=True, kw_only=True):
    """Two readers' masks of one organ of one case; all is the same whoever is first.

    None: it cannot be measured, or is not asked for. ``assd``, ``mssd``, ``hd95`` and ``tolerance``
    are mm, volumes ml; ``volume_difference`` is |A - B| in % of the mean of A and B.
    """

    case: str
    patient: str
    organ: str
    readers: tuple[str, str]
    dice: float
    jaccard: float
    assd: float | None
    mssd: float | None
    hd95: float | None
    volume_difference: float
    nsd: float | None
    tolerance: float | None
    voxels: tuple[int, int]
    ml: tuple[float, float] | None


class PairSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the cases of an organ come to, for some readers: two of them, or all.

    Of more than two, a case counts with the mean over its pairs.
    """

    organ: str
    readers: tuple[str, ...]
    metrics: dict[str, Spread]


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """STAPLE's estimates of a reader for one organ of one case, 0 to 1."""

    case: str
    organ: str
    reader: str
    sensitivity: float
    specificity: float


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """A reader by the place among those given (``R1``), and what the masks are."""

    name: str
    kind: str
    given: str


class ReaderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One reader and one organ, over the cases: mean Dice with the others, volume, STAPLE's rates.

    A case counts with the mean over the other readers. The rates are None where STAPLE is not asked
    for.
    """

    reader: str
    organ: str
    dice: Spread
    ml: Spread
    sensitivity: Spread | None = None
    specificity: Spread | None = None


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """How far readers agree, and, where a folder was asked for, where the consensus is."""

    readers: tuple[Reader, ...]
    method: Method
    path: Path | None
    cases: int
    results: tuple[PairResult, ...]
    summaries: tuple[PairSummary, ...]
    by_reader: tuple[ReaderSummary, ...]
    estimates: tuple[Estimate, ...] = ()
    skipped: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    _repr_html_ = shown_by("chaosprep.evaluation.readers.agreement_table", "as_html")

    @property
    def told(self) -> str:
        """What it comes to, in a line."""
        organs = len({one.organ for one in self.summaries})
        written = "" if self.path is None else f" -> {self.path}"
        return (
            f"agree: {plural(self.cases, 'case')}, {len(self.readers)} readers, "
            f"{plural(organs, 'organ')}, {len(self.skipped)} skipped{written}"
        )


def pair_result(row: OrganResult, readers: tuple[str, str]) -> PairResult:
    """What is symmetric in a row of `evaluate`, whose reference is the first reader."""
    voxels = row.ref_voxels, row.pred_voxels
    return PairResult(
        case=row.case,
        patient=row.patient,
        organ=row.organ,
        readers=readers,
        dice=row.dice,
        jaccard=row.jaccard,
        assd=row.assd,
        mssd=row.mssd,
        hd95=row.hd95,
        volume_difference=100 * abs(voxels[1] - voxels[0]) / (sum(voxels) / 2 or 1),
        nsd=row.nsd,
        tolerance=row.tolerance,
        voxels=voxels,
        ml=None if row.ref_ml is None or row.pred_ml is None else (row.ref_ml, row.pred_ml),
    )


def summarize(results: Sequence[PairResult], readers: Sequence[str]) -> tuple[PairSummary, ...]:
    """For each organ, one of every two readers and, where there are more, one of all."""
    found = []
    for organ in dict.fromkeys(row.organ for row in results):
        rows = [row for row in results if row.organ == organ]
        groups = [*combinations(readers, 2), *([tuple(readers)] if len(readers) > 2 else [])]
        found += [_summary(organ, group, rows) for group in groups]
    return tuple(found)


def _summary(organ: str, readers: tuple[str, ...], rows: Sequence[PairResult]) -> PairSummary:
    own = [row for row in rows if set(row.readers) <= set(readers)]
    return PairSummary(
        organ=organ,
        readers=readers,
        metrics={name: spread(_by_case(own, name)) for name in shown(rows)},
    )


def shown(rows: Sequence[PairResult]) -> list[str]:
    """The metrics that these rows have: NSD only where it was asked for."""
    return [name for name in METRICS if name != "nsd" or any(row.nsd is not None for row in rows)]


def _by_case(rows: Iterable[PairResult], name: str) -> list[float]:
    """The mean over a case's pairs, of those that have the value."""
    cases: dict[str, list[float]] = {}
    for row in rows:
        if (value := getattr(row, name)) is not None:
            cases.setdefault(row.case, []).append(value)
    return [fmean(sorted(values)) for values in cases.values()]


def by_reader(
    results: Sequence[PairResult], estimates: Sequence[Estimate], readers: Sequence[str]
) -> tuple[ReaderSummary, ...]:
    """For each organ, one of every reader."""
    return tuple(
        _reader(
            reader,
            organ,
            [row for row in results if row.organ == organ and reader in row.readers],
            [one for one in estimates if one.organ == organ and one.reader == reader],
        )
        for organ in dict.fromkeys(row.organ for row in results)
        for reader in readers
    )


def _reader(
    reader: str, organ: str, rows: Sequence[PairResult], estimates: Sequence[Estimate]
) -> ReaderSummary:
    volumes = {row.case: row.ml and row.ml[row.readers.index(reader)] for row in rows}
    return ReaderSummary(
        reader=reader,
        organ=organ,
        dice=spread(_by_case(rows, "dice")),
        ml=spread(list(volumes.values())),
        sensitivity=spread([one.sensitivity for one in estimates]) if estimates else None,
        specificity=spread([one.specificity for one in estimates]) if estimates else None,
    )
