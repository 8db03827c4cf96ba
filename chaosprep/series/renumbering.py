"""What the values of a mask become in its dataset, in which a name has one value in every case."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.levels import level_histogram
from chaosprep.imaging.overlaps import Overlaps
from chaosprep.series.source import SourceCase
from chaosprep.structures import folded

_SHOWN = 8  # values in a message
Planes = dict[str, NDArray[Any]]


class Renumbering:
    """What the values of one mask become in the dataset.

    A label goes by its name; one that the dataset does not name keeps its number, and one that is
    not wanted is 0. ``overlaps`` are the new values that stand for several labels.

    Args:
        case: the case.
        own: label -> name, as the mask says it.
        values: those that it holds.
        overlaps: its values that stand for several labels.

    Raises:
        FileError: `labels-differ`, what keeps its number has another name in the dataset;
            `mask-overlap`.
    """

    def __init__(
        self,
        case: SourceCase,
        own: Mapping[int, str],
        values: Iterable[int],
        overlaps: Mapping[int, tuple[int, ...]],
    ) -> None:
        sets = {value: overlaps.get(value, (value,)) for value in sorted({*values} - {0})}
        labels = sorted({label for meeting in sets.values() for label in meeting})
        becomes = _becomes(case, own, labels)
        kept = {*becomes.values()} - {0}
        made = Overlaps((*case.labels, *kept, *(() if case.labels else own)))
        self._table = {0: 0}
        for value, meeting in sets.items():
            there = {becomes[label] for label in meeting} - {0}
            self._table[value] = made.value(there) if there else 0
        self.overlaps = made.values

    def planes(self, planes: Planes) -> Planes:
        """The same planes with the dataset's values; the very same where all values are."""
        if all(value == made for value, made in self._table.items()):
            return planes
        table = np.zeros(max(self._table) + 1, np.uint16)
        for value, made in self._table.items():
            table[value] = made
        return smallest({image: table[plane] for image, plane in planes.items()})


def _becomes(case: SourceCase, own: Mapping[int, str], labels: Iterable[int]) -> dict[int, int]:
    numbers, becomes = values_by_name(case), {}
    differing: list[int] = []
    for label in labels:
        name = own.get(label)
        known = None if name is None else numbers.get(folded(name))
        if name is not None and not case.takes(name):
            becomes[label] = 0
        elif known is not None:
            becomes[label] = known
        else:
            becomes[label] = label
            differing += [label] if label in case.labels else []
    if differing:
        told = ", ".join(f"{label} ({case.labels[label].name})" for label in differing[:_SHOWN])
        more = ", ..." if len(differing) > _SHOWN else ""
        raise FileError(
            "the mask does not say that its values mean what they mean in the dataset: "
            f"{told}{more}",
            "Say what its values stand for, in a label file next to the mask or with --labels.",
            code="labels-differ",
        )
    return becomes


def values_by_name(case: SourceCase) -> dict[str, int]:
    """Folded name -> value in the dataset, the lowest of several."""
    return {folded(label.name): value for value, label in sorted(case.labels.items())[::-1]}


def names_in_dataset(case: SourceCase, own: Mapping[int, str]) -> dict[int, str]:
    """Value -> name in the dataset, after those of a mask's own names that it does not have."""
    known = {*values_by_name(case), *case.hidden}
    kept = {
        value: name for value, name in own.items() if folded(name) not in known and case.takes(name)
    }
    return {**kept, **{value: label.name for value, label in case.labels.items()}}


def values_of(planes: Iterable[NDArray[Any]]) -> list[int]:
    """The values but 0 of label arrays, ascending."""
    return sorted({value for plane in planes for value in level_histogram(plane)} - {0})


def smallest(planes: Planes) -> Planes:
    """The same planes as uint8, or all as uint16 where one holds a value above 255."""
    highest = max((int(plane.max(initial=0)) for plane in planes.values()), default=0)
    kind = np.uint8 if highest < 256 else np.uint16
    return {image: plane.astype(kind) for image, plane in planes.items()}
