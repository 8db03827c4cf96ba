"""Equal and similar slices, summed up to cases: which volume stands on two sides."""

from collections.abc import Sequence

from chaosprep.errors import Problem
from chaosprep.quality.findings import Seen


def across_cases(seen: Sequence[Seen], *, jobs: int = 1) -> tuple[list[Problem], list[Problem]]:
    """The faults and warnings of cases of different patients that show one volume on two sides."""
    return [], []
