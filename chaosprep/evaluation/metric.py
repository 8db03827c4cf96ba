"""A metric as a record: the columns, the table, the summaries and the plots follow from it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from chaosprep.evaluation.overlap import Mask, Overlap, overlap
from chaosprep.evaluation.scores import Scores, scores
from chaosprep.evaluation.surface import Spacing, Surface, surface


@dataclass(frozen=True, eq=False)
class Pair:
    """One organ on both sides: boolean (slices, rows, cols), and mm between them or None.

    What several metrics need is worked out once.
    """

    pred: Mask
    ref: Mask
    spacing: Spacing | None

    @cached_property
    def voxels(self) -> Overlap:
        """The numbers of voxels, and their ratios."""
        return overlap(self.pred, self.ref)

    @cached_property
    def apart(self) -> Surface:
        """The distances between the borders, mm."""
        if self.spacing is None:
            return Surface(None, None, None)
        return surface(self.pred, self.ref, self.spacing)

    @property
    def ravd(self) -> float | None:
        """The difference of the volumes without its sign, % of the reference."""
        difference = self.voxels.volume_difference
        return None if difference is None else abs(difference)

    @cached_property
    def scores(self) -> Scores:
        """The scores of the challenge."""
        known = self.spacing is not None
        return scores(self.voxels.dice, self.ravd, self.apart.assd, self.apart.mssd, in_mm=known)

    def ml(self, voxels: int) -> float | None:
        """The volume of so many voxels; None where their size is not known."""
        return None if self.spacing is None else voxels * (float(np.prod(self.spacing)) / 1000)


@dataclass(frozen=True)
class Metric:
    """A number that is measured of a pair; None where it cannot be.

    ``best`` is what equal masks have: 0 where less is better. Without it the number is a size, and
    is not averaged. With a ``heading``, at most 6 letters, it is a column of the table, with so
    many ``decimals``; with a ``title`` it is a panel of the plots.
    """

    of: Callable[[Pair], float | None]
    best: float | None = None
    heading: str = ""
    decimals: int = 1
    title: str = ""
