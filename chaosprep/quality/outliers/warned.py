"""Outliers as warnings: one for each case, with its strongest reasons."""

from collections.abc import Iterator, Sequence

from chaosprep.errors import Problem
from chaosprep.quality.outliers.judging import of_cases, outliers, reason_of
from chaosprep.quality.outliers.values import CaseValues

_LOOK = "Look at the case: it may be another protocol, a wrong unit, or a wrong mask."


def outlier_warnings(values: Sequence[CaseValues]) -> Iterator[Problem]:
    """Yield `outlier` for each case that stands out from the others of its sequence."""
    for case, some in sorted(of_cases(outliers(values)).items()):
        yield Problem(code="outlier", id=case, reason=reason_of(some), remedy=_LOOK)
