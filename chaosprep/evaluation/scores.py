"""The scores of a challenge: each metric from 0 to 100, and their mean.

A metric beyond its threshold scores 0, one within it by its distance from the worst to the best.
"""

from dataclasses import dataclass

from chaosprep.known import SCORING
from chaosprep.structures import folded


@dataclass(frozen=True)
class Scores:
    """The four scores, none of an organ that has none.

    Those of distances are None where the voxels' size is not known.
    """

    dice: float | None = None
    ravd: float | None = None
    assd: float | None = None
    mssd: float | None = None

    @property
    def mean(self) -> float | None:
        """The mean of the four; None where one is not known."""
        known = [one for one in (self.dice, self.ravd, self.assd, self.mssd) if one is not None]
        return sum(known) / 4 if len(known) == 4 else None


def is_scored(organ: str) -> bool:
    """Whether the challenge has this organ, however it is spelled."""
    return folded(organ) in map(folded, SCORING.organs)


def scores(
    dice: float, ravd: float | None, assd: float | None, mssd: float | None, *, in_mm: bool
) -> Scores:
    """Score one organ of one case; a metric that cannot be measured scores 0.

    Dice goes from 0 to 1, RAVD is % without its sign, distances are mm: they have no score where
    the size of the voxels is not known, `in_mm`.
    """
    return Scores(
        100 * dice if dice >= SCORING.dice else 0.0,
        _falling(ravd, SCORING.ravd),
        _falling(assd, SCORING.assd) if in_mm else None,
        _falling(mssd, SCORING.mssd) if in_mm else None,
    )


def _falling(value: float | None, worst: float) -> float:
    """100 at 0, falling to 0 at the worst."""
    return 0.0 if value is None else 100 * max(1 - value / worst, 0.0)
