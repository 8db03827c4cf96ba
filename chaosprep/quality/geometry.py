"""Do the slices of a case stand in anatomical order, as far apart as the table says?"""

from collections.abc import Iterator

import numpy as np

from chaosprep.dataset.case import Case
from chaosprep.errors import Problem
from chaosprep.imaging.space.geometry import slice_normal

_REMEDY = "Run split again with --overwrite; the table was changed by hand."
TOLERANCE = 0.01
"""Part by which the median step may differ from the recorded slice spacing."""


def geometry_faults(case: Case) -> Iterator[Problem]:
    """Faults `order` and `spacing` of a case's originals, where their positions are known."""
    rows = [row for row in case.slices if not row.copy and row.position and row.orientation]
    if len(rows) < 2:
        return
    rows.sort(key=lambda row: row.slice)
    normal = slice_normal(rows[0].orientation or ())
    along = np.array([normal @ np.array(row.position) for row in rows])
    steps = np.diff(along)
    if (steps <= 0).any():
        at = rows[int(np.argmax(steps <= 0)) + 1]
        reason = "it does not lie beyond the slice before it, along the slice normal"
        yield Problem(code="order", id=at.id, file=at.image, reason=reason, remedy=_REMEDY)
        return
    places = np.diff([row.slice for row in rows])
    if not places.all():
        at = rows[int(np.argmin(places)) + 1]
        reason = "another slice of the case has the same number"
        yield Problem(code="order", id=at.id, file=at.image, reason=reason, remedy=_REMEDY)
        return
    measured = float(np.median(steps / places))
    told = rows[0].spacing[0] if rows[0].spacing else None
    if told is not None and abs(measured - told) > TOLERANCE * told:
        reason = f"its slices are {measured:.4g} mm apart, the table says {told:.4g}"
        yield Problem(code="spacing", id=case.id, reason=reason, remedy=_REMEDY)
