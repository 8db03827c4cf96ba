"""The index of cases: a row for each, those that stand out first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaosprep.evaluation.metric import Metric
from chaosprep.evaluation.results import OrganResult
from chaosprep.quality.outliers.judging import Outlier
from chaosprep.quality.outliers.values import CaseValues
from chaosprep.quality.report.pictures import CaseView
from chaosprep.quality.report.predictions import Judged

Cell = tuple[str, float | None]
"""A text, and the number that it is sorted by; None where it is sorted as text."""


_NONE = "\N{EN DASH}"  # what cannot be measured
_BEYOND = 1e9  # any distance in mm
_NAMED = 3  # values by which a case stands out; the case itself says more


@dataclass(frozen=True)
class IndexRow:
    """A case in the index: its cells behind its name, and what sorts and filters it besides."""

    case: str
    side: str
    cells: tuple[Cell, ...]
    z: float
    faults: int
    warnings: int


def columns(organs: Sequence[str], judged: Judged | None = None) -> list[tuple[str, str]]:
    """The headings, each with its class: `n` is of numbers; metrics stand first."""
    volumes = [(f"{organ} ml", "n") for organ in organs]
    metrics = [] if judged is None else [(one.heading, "n") for one in judged.columns.values()]
    fixed = [("Side", ""), ("Series", ""), ("Slices", "n"), ("mm", "")]
    problems = [("Faults", "n"), ("Warnings", "n")]
    return [("Case", ""), *metrics, ("Stands out by", "why"), *fixed, *volumes, *problems]


def index_rows(
    views: Sequence[CaseView],
    values: Sequence[CaseValues],
    found: Mapping[str, tuple[Outlier, ...]],
    organs: Sequence[str],
    counts: Mapping[str, tuple[int, int]],
    judged: Judged | None = None,
) -> list[IndexRow]:
    """The rows; `counts` are the faults and warnings of each case.

    Those that stand out come first; of predictions the order is that of `views`, the worst first.
    """
    measured = {one.id: one for one in values}
    rows = [
        _row(
            view,
            measured.get(view.first.case),
            found.get(view.first.case, ()),
            organs,
            counts,
            judged,
        )
        for view in views
    ]
    if judged is not None:
        return rows
    return sorted(rows, key=lambda row: (-row.z, -row.faults, -row.warnings, row.case))


def _row(
    view: CaseView,
    values: CaseValues | None,
    found: tuple[Outlier, ...],
    organs: Sequence[str],
    counts: Mapping[str, tuple[int, int]],
    judged: Judged | None,
) -> IndexRow:
    first = view.first
    faults, warnings = counts.get(first.case, (0, 0))
    side = first.split if first.fold is None else f"{first.split}, fold {first.fold}"
    spacing = " x ".join(f"{mm:.3g}" for mm in (values and values.spacing) or ())
    z = max((abs(one.z) for one in found), default=0.0)
    names = [one.value for one in found]
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    why = ", ".join([*names[:_NAMED], *more])
    cells: list[Cell] = [
        *_metrics(first.case, judged),
        (why, z),
        (side, None),
        (first.sequence, None),
        (f"{len(view.positions)}", len(view.positions)),
        (spacing, None),
        *(_volume(values, organ) for organ in organs),
        (f"{faults or ''}", faults),
        (f"{warnings or ''}", warnings),
    ]
    return IndexRow(first.case, first.split, tuple(cells), z, faults, warnings)


def _metrics(case: str, judged: Judged | None) -> list[Cell]:
    """The metrics of a case, each of its worst organ, which is named where they differ."""
    if judged is None:
        return []
    rows = judged.cases[case]
    return [_worst(rows, name, one, len(judged.organs) > 1) for name, one in judged.columns.items()]


def _worst(rows: Sequence[OrganResult], name: str, metric: Metric, named: bool) -> Cell:
    """What cannot be measured, though the masks differ, is worse than any number.

    No distance is known where a mask is empty; an NSD is asked for of some organs alone.
    """
    least = not metric.best  # that is good
    found: list[tuple[float, str, str]] = []
    for row in rows:
        value = getattr(row, name)
        if value is not None:
            text = f"{value:.{metric.decimals}f}"
            found.append((value if least else -value, text, row.organ))
        elif least and row.dice < 1:
            found.append((_BEYOND, _NONE, row.organ))
    if not found:
        return _NONE, -1.0 if least else _BEYOND
    bad, text, organ = max(found, key=lambda one: one[0])
    differ = named and len({number for number, _, _ in found}) > 1
    return f"{organ} {text}" if differ else text, bad if least else -bad


def _volume(values: CaseValues | None, organ: str) -> Cell:
    structure = values.structures.get(organ) if values is not None else None
    if structure is None or structure.ml is None:
        return "", -1.0
    return f"{structure.ml:.3g}" if structure.ml < 1000 else f"{structure.ml:.0f}", structure.ml
