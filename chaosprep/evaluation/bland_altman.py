"""Whether two ways to measure a volume agree: Bland and Altman 1986.

doi:10.1016/S0140-6736(86)90837-8.
"""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Final

import msgspec

LIMITS: Final = 1.96  # standard deviations: 95 % of normal differences


class VolumeLimits(msgspec.Struct, frozen=True):
    """The predicted volumes minus the reference's, in ml, over `n` cases.

    ``bias`` is the mean difference, ``sd`` the sample standard deviation of the differences, and
    ``low`` and ``high`` are the 95 % limits of agreement, 1.96 sd on both sides of the bias.
    """

    bias: float
    sd: float
    low: float
    high: float
    n: int


def volume_limits(
    pred_ml: Sequence[float | None], ref_ml: Sequence[float | None]
) -> VolumeLimits | None:
    """The agreement of volumes in ml, case by case; None of fewer than two that are known."""
    pairs = zip(pred_ml, ref_ml, strict=True)
    apart = [pred - ref for pred, ref in pairs if pred is not None and ref is not None]
    if len(apart) < 2:
        return None
    bias, sd = fmean(apart), stdev(apart)
    return VolumeLimits(bias, sd, bias - LIMITS * sd, bias + LIMITS * sd, len(apart))
