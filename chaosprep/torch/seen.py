"""What a network sees of a slice: its neighbours, and the same place in other sequences."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Generic, Protocol, TypeVar

import msgspec
import numpy as np
from msgspec import Meta

from chaosprep.dataset.records import Id
from chaosprep.dataset.stacking import Placed
from chaosprep.errors import FileError, UsageError
from chaosprep.imaging.space.geometry import SAME_POSITION
from chaosprep.imaging.space.nearest import ENOUGH, spread
from chaosprep.imaging.space.orientations import moved

MOST_NEIGHBOURS = 16
"""On either side."""

MOST_SEQUENCES = 16

_ONE_GRID = "Bring the sequences onto one grid (convert --reference), or leave the patient out."


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """So many neighbours on either side, of these sequences; without any, of its own alone."""

    neighbours: Annotated[int, Meta(ge=0, le=MOST_NEIGHBOURS)] = 0
    channels: Annotated[tuple[Id, ...], Meta(max_length=MOST_SEQUENCES)] = ()

    @property
    def count(self) -> int:
        """The channels of an image."""
        return (2 * self.neighbours + 1) * max(1, len(self.channels))

    @property
    def is_plain(self) -> bool:
        """Whether an image is one slice, of whatever sequence."""
        return not self.neighbours and not self.channels

    @property
    def steps(self) -> range:
        """The neighbours of a slice by how far they are away, from below to above."""
        return range(-self.neighbours, self.neighbours + 1)


PLAIN = Seen()
"""One slice."""


class PlacedSlice(Placed, Protocol):
    """A slice, where it lies, and which of its case it is."""

    @property
    def slice(self) -> int:
        """The position along the slice normal, from 0."""


def seen_of(neighbours: int, channels: str | Iterable[str]) -> Seen:
    """What is asked for; names of sequences may stand in one text, with commas between them.

    Raises:
        UsageError: `neighbours` or `channels`, there are none such.
    """
    texts = (channels,) if isinstance(channels, str) else channels
    names = tuple(name for text in texts for name in text.split(","))
    if not isinstance(neighbours, int) or not 0 <= neighbours <= MOST_NEIGHBOURS:
        raise UsageError(
            f"neighbours: must be a whole number from 0 to {MOST_NEIGHBOURS}",
            "Give such a number.",
            "neighbours",
        )
    if "" in names or len({*names}) < len(names) or len(names) > MOST_SEQUENCES:
        raise UsageError(
            f"channels: must be names of up to {MOST_SEQUENCES} sequences, each of them once",
            "Name each sequence once, with nothing but a comma between two.",
            "channels",
        )
    return Seen(neighbours=neighbours, channels=names)


S = TypeVar("S", bound=PlacedSlice)


class Channels(Generic[S]):
    """Which slices are the channels of each slice of a case.

    Args:
        sequences: the slices, without copies, of one case of each sequence; the first are those
            that are shown.
        seen: what a network sees.

    Raises:
        FileError: `channel-missing`, another sequence has no slice there; `channel-grid`, its slice
            has another size, spacing, orientation or position, or neighbours differ in their size.
    """

    def __init__(self, sequences: Sequence[Iterable[S]], seen: Seen) -> None:
        self._seen = seen
        self._rows = [{row.slice: row for row in rows} for rows in sequences]
        first, *others = self._rows
        for rows in self._rows if seen.neighbours else ():
            _check_sizes(rows.values())
        for rows in others:
            for number, row in first.items():
                _check_beside(row, rows.get(number))

    @property
    def gaps(self) -> int:
        """How many slices are missing between others, where neighbours are seen."""
        if not self._seen.neighbours:
            return 0
        return sum(max(rows) - min(rows) + 1 - len(rows) for rows in self._rows if rows)

    def of(self, row: S) -> tuple[S, ...]:
        """The channels of a slice: sequence by sequence, each from below to above.

        Where a neighbour is not there, the next one towards the slice itself stands for it: beyond
        the ends of the case the outermost, in a gap one that is nearer.
        """
        return tuple(
            _towards(rows, row.slice, step) for rows in self._rows for step in self._seen.steps
        )


def _towards(rows: dict[int, S], middle: int, step: int) -> S:
    while middle + step not in rows:
        step -= 1 if step > 0 else -1
    return rows[middle + step]


def _check_sizes(rows: Iterable[PlacedSlice]) -> None:
    sizes: dict[tuple[int, int], str] = {}
    for row in rows:
        sizes.setdefault((row.rows, row.cols), row.id)
    if len(sizes) > 1:
        one, other, *_ = sizes.values()
        raise FileError(
            f"{other} differs in size from {one}",
            "Give all slices one size (convert --size), or leave the patient out.",
            code="channel-grid",
        )


def _check_beside(row: PlacedSlice, other: PlacedSlice | None) -> None:
    if other is None:
        raise FileError(
            f"{row.id}: another of the channels has no slice there",
            _ONE_GRID,
            code="channel-missing",
        )
    if not _is_same_place(row, other):
        raise FileError(
            f"{other.id} does not lie where {row.id} does",
            _ONE_GRID,
            code="channel-grid",
        )


def _is_same_place(row: Placed, other: Placed) -> bool:
    """Whether two slices have the same pixels in space; what is not told must not be of either."""
    shape = row.rows, row.cols
    if shape != (other.rows, other.cols):
        return False
    if None in (row.spacing, row.position, row.orientation):
        return _told(row) == _told(other)
    if other.spacing is None or other.position is None or other.orientation is None:
        return False
    assert row.spacing is not None
    assert row.position is not None
    assert row.orientation is not None
    mm = row.spacing[1:]
    apart = float(np.linalg.norm(np.subtract(row.position, other.position)))
    return (
        spread(shape, mm, other.spacing[1:]) <= ENOUGH
        and apart <= SAME_POSITION
        and moved(row.orientation, other.orientation, shape, mm) <= ENOUGH * min(mm)
    )


def _told(row: Placed) -> tuple[object, ...]:
    return row.spacing, row.position, row.orientation
