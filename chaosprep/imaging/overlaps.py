"""Structures that may lie on one voxel, in one array: a value of its own for each set of them."""

from collections.abc import Iterable, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError

_HIGHEST = np.iinfo(np.uint16).max


class Overlaps:
    """Paints labels on planes without loss: where several meet, a value stands for all of them.

    The values of such sets follow the highest label, in the order in which they come up; where 16
    bits have no more, they are those between the labels.
    """

    def __init__(self, labels: Iterable[int]) -> None:
        self._of = {(label,): label for label in sorted(set(labels))}
        used = {label for (label,) in self._of}
        highest = max(used, default=0)
        above, between = range(highest + 1, _HIGHEST + 1), range(1, highest)
        self._free = chain(above, (value for value in between if value not in used))
        self._sets = {value: labels for labels, value in self._of.items()}

    @property
    def values(self) -> Mapping[int, tuple[int, ...]]:
        """Value -> the labels that meet there, ascending; of the sets that came up."""
        return {value: labels for value, labels in self._sets.items() if len(labels) > 1}

    def paint(self, plane: NDArray[np.uint16], shown: NDArray[np.bool_], label: int) -> None:
        """Add a label where it is shown to what is painted there; both are (rows, cols).

        Raises:
            FileError: `mask-overlap`, there are more sets of labels than 16 bits have values.
        """
        before = plane[shown]
        met = np.flatnonzero(np.bincount(before)) if before.size else ()
        table = np.zeros(int(before.max(initial=0)) + 1, np.uint16)
        for value in met:
            table[value] = self._with(int(value), label)
        plane[shown] = table[before]

    def _with(self, value: int, label: int) -> int:
        """The value of the labels that one stands for and another."""
        labels = tuple(sorted({*self._sets.get(value, (value,) if value else ()), label}))
        if labels not in self._of:
            free = next(self._free, None)
            if free is None:
                raise FileError(
                    "its structures overlap in more ways than a label map of 16 bits has values",
                    "Take fewer of them, with --roi.",
                    code="mask-overlap",
                )
            self._of[labels], self._sets[free] = free, labels
        return self._of[labels]
