"""The values of cases of a stage directory: of its files, or of its table alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.overlapping import structure_areas
from chaosprep.dataset.records import Slice
from chaosprep.quality.outliers.gauge import Gauge
from chaosprep.quality.outliers.values import CaseValues


def gauge_of(case: Case) -> Gauge:
    """A gauge for a case's slices."""
    row = case.slices[0]
    told = next((row.spacing for row in case.slices if row.spacing), None)
    spacing = None if told is None or told[0] is None else (told[0], told[1], told[2])
    return Gauge(case.id, case.patient, case.split, row.sequence, spacing)


def values_of_table(case: Case) -> CaseValues | None:
    """What the table alone tells of a case: spacing, slices, and the areas of structures.

    No pixels are read: percentiles are None, holes and islands 0, the centre in the plane 0.5.
    """
    gauge = gauge_of(case)
    for row in case.slices:
        if not row.copy:
            gauge.add_areas((row.rows, row.cols), row.pixels)
    return gauge.values()


def take(gauge: Gauge, row: Slice, image: NDArray[Any] | None, mask: NDArray[Any] | None) -> None:
    """Give a slice of a stage directory to a gauge, in modality units; copies are not counted."""
    if row.copy:
        return
    shown = image
    if image is not None and image.dtype.kind in "buif":
        shown = image * row.slope + row.intercept
        if row.padding is not None:
            low, high = row.padding
            shown = np.ma.masked_where((image >= low) & (image <= high), shown)
    gauge.add(shown, structure_areas(row, mask) if mask is not None else ())
