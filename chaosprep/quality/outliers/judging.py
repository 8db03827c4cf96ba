"""Which cases stand out: each value against the median of its dataset, by robust z."""

from collections.abc import Sequence

import msgspec

from chaosprep.quality.outliers.values import CaseValues


class Outlier(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a case that is far from the others': which, its robust z, and why in words."""

    case: str
    value: str
    z: float
    reason: str


def outliers(values: Sequence[CaseValues]) -> tuple[Outlier, ...]:
    """The outliers of a dataset, the farthest first."""
    return ()
