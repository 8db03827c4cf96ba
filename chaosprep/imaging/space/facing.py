"""How a slice is turned for the eye, as radiologists look at it; its file stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_EYE: Final = {0: (1, -2), 1: (0, -2), 2: (0, 1)}
"""Axis of the patient that the normal is next to -> those that run right and down on a screen.

They are DICOM's (left, posterior, superior), a minus counts the other way: the patient's right is
on the left of a picture, anterior on top of it or on its left, the head on top.
"""


@dataclass(frozen=True)
class Turn:
    """Rows and columns exchanged first, then each the other way."""

    exchanged: bool = False
    rows_back: bool = False
    cols_back: bool = False

    def __call__(self, image: NDArray[Any]) -> NDArray[Any]:
        """The image (rows, cols), grey or of colours, as it is to be shown."""
        turned = image.swapaxes(0, 1) if self.exchanged else image
        rows, cols = (-1 if back else 1 for back in (self.rows_back, self.cols_back))
        return np.ascontiguousarray(turned[::rows, ::cols])

    def shape(self, rows: int, cols: int) -> tuple[int, int]:
        """The size of an image (rows, cols) once it is turned."""
        return (cols, rows) if self.exchanged else (rows, cols)


def facing(orientation: Sequence[float] | None) -> Turn:
    """The turn for slices with this ImageOrientationPatient; none where nothing tells it.

    Slices between two planes are turned as those that they are nearest to.
    """
    if orientation is None:
        return Turn()
    along, down = np.reshape(np.asarray(orientation, np.float64), (2, 3))
    normal = np.abs(np.cross(along, down))
    right, below = _EYE[int(normal.argmax())]
    kept = along[right], down[abs(below)]
    crossed = down[right], along[abs(below)]
    exchanged = bool(np.abs(crossed).sum() > np.abs(kept).sum())
    across, downward = crossed if exchanged else kept
    return Turn(exchanged, bool(downward * below < 0), bool(across < 0))
