"""How much two masks overlap, from the numbers of their voxels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Overlap:
    """The voxels of a prediction, of a reference and of both, and what follows from them.

    Both empty: they agree, every ratio is 1. One empty: every ratio is 0.
    """

    pred: int
    ref: int
    both: int

    @property
    def dice(self) -> float:
        """2 |A and B| / (|A| + |B|); of voxels, F1 is the same."""
        return self._ratio(2 * self.both, self.pred + self.ref)

    @property
    def jaccard(self) -> float:
        """|A and B| / |A or B|."""
        return self._ratio(self.both, self.pred + self.ref - self.both)

    @property
    def precision(self) -> float:
        """|A and B| / |prediction|."""
        return self._ratio(self.both, self.pred)

    @property
    def recall(self) -> float:
        """|A and B| / |reference|."""
        return self._ratio(self.both, self.ref)

    @property
    def volume_difference(self) -> float | None:
        """(|prediction| - |reference|) / |reference|, %; None where only the reference is empty."""
        if self.ref == 0:
            return None if self.pred else 0.0
        return 100 * (self.pred - self.ref) / self.ref

    def _ratio(self, part: int, whole: int) -> float:
        if whole == 0:
            return 0.0 if self.pred or self.ref else 1.0
        return part / whole


def overlap(pred: Mask, ref: Mask) -> Overlap:
    """Count the voxels of two masks of one shape, boolean."""
    count = np.count_nonzero
    return Overlap(int(count(pred)), int(count(ref)), int(count(pred & ref)))
