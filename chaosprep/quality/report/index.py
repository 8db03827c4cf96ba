"""The index of cases: a row for each, those that stand out first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaosprep.quality.outliers.judging import Outlier
from chaosprep.quality.outliers.values import CaseValues
from chaosprep.quality.report.pictures import CaseView

Cell = tuple[str, float | None]
"""A text, and the number that it is sorted by; None where it is sorted as text."""


_NAMED = 3  # values by which a case stands out; the case itself says more


@dataclass(frozen=True)
class IndexRow:
    """A case in the index: its cells, and what sorts and filters it besides."""

    case: str
    side: str
    cells: tuple[Cell, ...]
    z: float
    faults: int
    warnings: int
    reason: str


def columns(organs: Sequence[str]) -> list[tuple[str, str]]:
    """The headings, each with `n` where it is of numbers."""
    volumes = [(f"{organ} ml", "n") for organ in organs]
    fixed = [("Case", ""), ("Side", ""), ("Series", ""), ("Slices", "n"), ("mm", "")]
    return [*fixed, *volumes, ("Faults", "n"), ("Warnings", "n"), ("Stands out by", "")]


def index_rows(
    views: Sequence[CaseView],
    values: Sequence[CaseValues],
    found: Mapping[str, tuple[Outlier, ...]],
    organs: Sequence[str],
    counts: Mapping[str, tuple[int, int]],
) -> list[IndexRow]:
    """The rows; `counts` are the faults and warnings of each case."""
    measured = {one.id: one for one in values}
    rows = [
        _row(view, measured.get(view.first.case), found.get(view.first.case, ()), organs, counts)
        for view in views
    ]
    return sorted(rows, key=lambda row: (-row.z, -row.faults, -row.warnings, row.case))


def _row(
    view: CaseView,
    values: CaseValues | None,
    found: tuple[Outlier, ...],
    organs: Sequence[str],
    counts: Mapping[str, tuple[int, int]],
) -> IndexRow:
    first = view.first
    faults, warnings = counts.get(first.case, (0, 0))
    side = first.split if first.fold is None else f"{first.split}, fold {first.fold}"
    spacing = " x ".join(f"{mm:.3g}" for mm in (values and values.spacing) or ())
    cells: list[Cell] = [
        (side, None),
        (first.sequence, None),
        (f"{len(view.positions)}", len(view.positions)),
        (spacing, None),
        *(_volume(values, organ) for organ in organs),
        (f"{faults or ''}", faults),
        (f"{warnings or ''}", warnings),
    ]
    z = max((abs(one.z) for one in found), default=0.0)
    names = [one.value for one in found]
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    why = ", ".join([*names[:_NAMED], *more])
    return IndexRow(first.case, first.split, tuple(cells), z, faults, warnings, why)


def _volume(values: CaseValues | None, organ: str) -> Cell:
    structure = values.structures.get(organ) if values is not None else None
    if structure is None or structure.ml is None:
        return "", -1.0
    return f"{structure.ml:.3g}" if structure.ml < 1000 else f"{structure.ml:.0f}", structure.ml
