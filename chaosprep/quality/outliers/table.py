"""The values of a case as far as a table of slices tells them: no file is opened."""

from collections.abc import Sequence

import numpy as np

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.quality.outliers.gauge import Spacing
from chaosprep.quality.outliers.values import CaseValues, StructureValues


def in_table(case: Case) -> CaseValues:
    """The spacing of a case, and the volume and jumps of its structures, by its original slices."""
    rows = [row for row in case.slices if not row.copy] or list(case.slices)
    first, spacing = rows[0], spacing_of(rows[0])
    organs = sorted({organ for row in rows for organ in (*row.labels.values(), *row.pixels)})
    return CaseValues(
        id=case.id,
        patient=case.patient,
        side=case.split,
        sequence=first.sequence,
        shape=(len(rows), first.rows, first.cols),
        spacing=spacing,
        percentiles=None,
        structures={organ: _structure(rows, organ, spacing) for organ in organs},
    )


def spacing_of(row: Slice) -> Spacing | None:
    """Mm between slices, rows, columns; None where one of them is not known."""
    if row.spacing is None or row.spacing[0] is None:
        return None
    return row.spacing[0], row.spacing[1], row.spacing[2]


def _structure(rows: Sequence[Slice], organ: str, spacing: Spacing | None) -> StructureValues:
    areas = [row.pixels.get(organ, 0) for row in rows]
    shown = [at for at, area in enumerate(areas) if area]
    inside = areas[shown[0] : shown[-1] + 1] if shown else []
    jumps = np.abs(np.diff(inside))
    return StructureValues(
        ml=None if spacing is None else sum(areas) * float(np.prod(spacing)) / 1000,
        voxels=sum(areas),
        jump=float(jumps.max() / max(inside)) if jumps.size else 0.0,
    )
