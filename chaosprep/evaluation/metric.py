"""A metric as a record: the columns, the table, the summaries and the plots follow from it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from chaosprep.evaluation.asked import NOTHING_MORE, Asked
from chaosprep.evaluation.elements import within_elements
from chaosprep.evaluation.lesions import Found, lesions
from chaosprep.evaluation.overlap import Mask, Overlap, overlap
from chaosprep.evaluation.scores import Scores, is_scored, scores
from chaosprep.evaluation.surface import Gaps, Spacing, Surface, gaps, measured, within


@dataclass(frozen=True, eq=False)
class Pair:
    """One organ on both sides: boolean (slices, rows, cols), and mm between them or None.

    What several metrics need is worked out once.
    """

    pred: Mask
    ref: Mask
    spacing: Spacing | None
    organ: str = ""
    asked: Asked = NOTHING_MORE

    @cached_property
    def voxels(self) -> Overlap:
        """The numbers of voxels, and their ratios."""
        return overlap(self.pred, self.ref)

    @cached_property
    def apart(self) -> Surface:
        """The distances between the borders, mm."""
        if self.spacing is None:
            return Surface(None, None, None)
        return measured(self.gaps)

    @cached_property
    def gaps(self) -> Gaps | None:
        """The distances of all border voxels, which those between the borders come from."""
        return None if self.spacing is None else gaps(self.pred, self.ref, self.spacing)

    @property
    def tolerance(self) -> float | None:
        """The tolerance of the organ, mm; None where none is asked for, or nobody knows mm."""
        return None if self.spacing is None else self.asked.tolerances.get(self.organ)

    @property
    def nsd(self) -> float | None:
        """The surface Dice at the tolerance."""
        if self.tolerance is None or self.spacing is None:
            return None
        if self.asked.nsd == "elements":
            return within_elements(self.pred, self.ref, self.spacing, self.tolerance)
        return within(self.gaps, self.tolerance)

    @cached_property
    def lesions(self) -> Found | None:
        """The components of both sides, matched; None where they are not asked for."""
        if not self.asked.lesions:
            return None
        return lesions(self.pred, self.ref, self.asked.iou, self.asked.neighbours)

    @property
    def ravd(self) -> float | None:
        """The difference of the volumes without its sign, % of the reference."""
        difference = self.voxels.volume_difference
        return None if difference is None else abs(difference)

    @cached_property
    def scores(self) -> Scores:
        """The scores of the challenge; none of an organ that it does not score."""
        if not is_scored(self.organ):
            return Scores()
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
    many ``decimals``; with a ``title`` it is a panel of the plots. One that is ``optional`` is
    shown and averaged only where a row has it.
    """

    of: Callable[[Pair], float | None]
    best: float | None = None
    heading: str = ""
    decimals: int = 1
    title: str = ""
    optional: bool = False
