"""Dice of a patient: over all slices together, as a volume has it."""

from collections.abc import Collection, Mapping
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PatientDice:
    """Counts pixels slice by slice; Dice = 2 sum|A and B| / (sum|A| + sum|B|) of each patient.

    Of several organs it is the mean. An organ that neither shows counts as 1; of a patient in
    `shown`, only these labels count: his masks cannot show others. Without any he has no Dice.
    """

    def __init__(self, organs: int, shown: Mapping[str, Collection[int]] | None = None) -> None:
        self._shown = shown or {}
        self._labels = np.arange(1, organs + 1)[:, None, None]
        self._common: dict[str, NDArray[np.int64]] = {}
        self._sum: dict[str, NDArray[np.int64]] = {}

    def add(self, patient: str, found: NDArray[Any], reference: NDArray[Any]) -> None:
        """Count a slice: two label maps (rows, cols)."""
        mine, other = found[None] == self._labels, reference[None] == self._labels
        zero = np.zeros(len(self._labels), np.int64)
        common = (mine & other).sum((1, 2))
        self._common[patient] = self._common.get(patient, zero) + common
        self._sum[patient] = self._sum.get(patient, zero) + mine.sum((1, 2)) + other.sum((1, 2))

    def by_patient(self) -> dict[str, float]:
        """Patient -> Dice, 0 to 1, sorted by patient."""
        return {
            patient: fmean(
                2 * int(common) / int(both) if both else 1.0
                for label, common, both in zip(
                    self._labels.flat, self._common[patient], self._sum[patient], strict=True
                )
                if patient not in self._shown or label in self._shown[patient]
            )
            for patient in sorted(self._common)
            if patient not in self._shown or self._shown[patient]
        }
