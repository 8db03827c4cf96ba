"""Does the table tell how a case is scaled for a network as its pixels say?"""

import math
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.dataset.scaling import Measuring, Scaling, normalized_ends, told_scaling
from chaosprep.dataset.stacking import originals
from chaosprep.errors import REMAKE, FileError, Problem

_SAME = 1e-9  # of a number: what sums in another order may differ by


class ScalingCheck:
    """Compares the column `scaling` of a case with its slices, one after another.

    Of a case that lost slices since it was counted nothing is said: what it told is not used. A
    normalized one is scaled by the ends of its scale, and no pixels are counted.
    """

    def __init__(self, case: Case) -> None:
        rows = originals(case)
        self._case = case.id
        self._odd = next((row.id for row in rows if row.scaling != rows[0].scaling), None)
        self._told = told_scaling(rows) if rows else None
        self._ends = normalized_ends(rows) if self._told else None
        is_measured = self._told is not None and self._ends is None
        self._measuring = Measuring(rows) if is_measured else None
        self._left = len(rows) if is_measured else 0

    def add(self, row: Slice, image: NDArray[Any]) -> None:
        """Take the stored values, (rows, cols), of a slice of this size."""
        if self._measuring is not None and not row.copy:
            self._measuring.add(row, image)
            self._left -= 1

    def faults(self) -> Iterator[Problem]:
        """A fault `scaling` where both differ; none where a slice could not be read."""
        if self._odd is not None:
            reason = "the table gives it another scaling than the first slice of its case"
            yield Problem(code="scaling", id=self._odd, reason=reason, remedy=REMAKE)
        if self._told is not None and not self._left and not self._is_right(self._told):
            reason = "the scaling in the table is not that of its pixels"
            yield Problem(code="scaling", id=self._case, reason=reason, remedy=REMAKE)

    def _is_right(self, told: Scaling) -> bool:
        if self._ends is not None:  # of a common scale: whatever the pixels are
            return _same(told, Scaling(*self._ends, in_units=True, lowest=told.lowest))
        assert self._measuring is not None
        try:
            return _same(told, self._measuring.scaling())
        except FileError:  # these slices cannot be compared, so nothing should be told of them
            return False


def _same(one: Scaling, other: Scaling) -> bool:
    pairs = [(one.low, other.low), (one.high, other.high)]
    if one.lowest is not None and other.lowest is not None:
        pairs.append((one.lowest, other.lowest))
    elif one.lowest is not other.lowest:
        return False
    # What is nearly 0 is measured by the width of the scale.
    near = _SAME * abs(other.high - other.low)
    close = all(math.isclose(a, b, rel_tol=_SAME, abs_tol=near) for a, b in pairs)
    return close and one.in_units == other.in_units
