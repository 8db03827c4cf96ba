"""A case measured slice by slice, so that it never has to be in memory whole."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.quality.outliers.values import CaseValues


class Gauge:
    """Takes the slices of one case in anatomical order, and tells its values at the end."""

    def __init__(
        self,
        id: str,
        patient: str,
        side: str,
        sequence: str,
        spacing: tuple[float, float, float] | None,
    ) -> None:
        self._place = id, patient, side, sequence
        self._spacing = spacing

    def add(
        self, image: NDArray[Any] | None, structures: Iterable[tuple[str, NDArray[np.bool_]]]
    ) -> None:
        """Take a slice: its image (rows, cols), and each structure as a boolean plane."""

    def values(self) -> CaseValues | None:
        """The values of all slices that were taken; None where there was none."""
        return None
