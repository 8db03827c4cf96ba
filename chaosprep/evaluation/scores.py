"""The scores of a challenge: each metric from 0 to 100, and their mean.

A metric beyond its threshold scores 0, one within it by its distance from the worst to the best.
"""

from dataclasses import dataclass

from chaosprep.known import SCORING


@dataclass(frozen=True)
class Scores:
    """The four scores; those of distances are None where the voxels' size is not known."""

    dice: float
    ravd: float
    assd: float | None
    mssd: float | None

    @property
    def mean(self) -> float | None:
        """The mean of the four; None where one is not known."""
        if self.assd is None or self.mssd is None:
            return None
        return (self.dice + self.ravd + self.assd + self.mssd) / 4


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
