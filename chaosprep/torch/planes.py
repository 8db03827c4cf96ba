"""The channels of the rows that a dataset shows, found by their place in its table."""

from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from typing import Generic, TypeVar

import msgspec
import numpy as np

from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import Orientation, Slice, Spacing, Triple
from chaosprep.errors import ChaosprepError, FileError
from chaosprep.torch.rows import Rows
from chaosprep.torch.seen import Channels, Seen

T = TypeVar("T")
_LEAVE_OUT = "Choose with --patient those who have each of the channels once."


class _Spot(msgspec.Struct):
    """What pairing takes of a row: where it begins in the table, the place of its case too."""

    id: str
    case: str
    patient: str
    sequence: str
    slice: int
    rows: int
    cols: int
    spacing: Spacing | None = None
    position: Triple | None = None
    orientation: Orientation | None = None
    copy: int = 0
    start: int = 0
    number: int = 0


class Planes:
    """The channels of each row: a number for each slice, by which it is read.

    It takes 12 bytes for a slice, and 4 for each channel of a row. `cases` are the places of their
    cases among the dataset's; `gaps` counts the slices that are missing between others.

    Raises:
        ChaosprepError: `channel-missing`, a patient lacks a sequence, or has it twice;
            `channel-grid`. The first is told, with their number.
    """

    def __init__(self, rows: Rows, seen: Seen) -> None:
        self._dataset = rows.dataset
        found = np.empty((2, len(rows), seen.count), np.int64)
        self.gaps, faults = 0, list[FileError]()
        for shown, sequences in _studies(rows, seen, faults):
            try:
                channels = Channels(sequences, seen)
            except FileError as error:
                faults.append(error)
                continue
            self.gaps += channels.gaps
            for index, spot in shown:
                beside = channels.of(spot)
                found[:, index] = [[one.start for one in beside], [one.number for one in beside]]
        if faults:
            raise _refused(faults)
        self._starts, first, numbers = np.unique(found[0], return_index=True, return_inverse=True)
        self.cases = found[1].ravel()[first].astype(np.int32)
        self._numbers = numbers.reshape(found[0].shape).astype(np.int32)

    def __len__(self) -> int:
        return len(self._starts)

    def of(self, index: int) -> list[int]:
        """The numbers of the channels of a row."""
        found: list[int] = self._numbers[index].tolist()
        return found

    def row(self, number: int) -> Slice:
        """The slice that a number stands for."""
        return decode_row(self._dataset.table.line(int(self._starts[number])))


Cases = dict[tuple[str, str], dict[str, list[_Spot]]]
"""Patient and sequence -> case -> its slices."""

Shown = list[tuple[int, _Spot]]
"""Rows that are shown, by their place among these."""


def _studies(
    rows: Rows, seen: Seen, faults: list[FileError]
) -> Iterator[tuple[Shown, Sequence[Sequence[_Spot]]]]:
    """What is shown of each case, and its slices with those of the patient's other sequences."""
    cases = _cases(rows.dataset, {*rows.patients}, seen)
    for (patient, sequence), found in cases.items():
        if seen.channels and sequence != seen.channels[0]:
            continue
        others = [cases.get((patient, name), {}) for name in seen.channels[1:]]
        for case in found.values():
            if not (shown := _shown(rows, case)):
                continue
            if fault := lacking(patient, seen.channels[1:], others):
                faults.append(fault)
            else:
                yield shown, [case, *(next(iter(one.values())) for one in others)]


def _shown(rows: Rows, case: Sequence[_Spot]) -> Shown:
    starts = rows.starts
    places = np.searchsorted(starts, [spot.start for spot in case]).tolist()
    return [
        (place, spot)
        for place, spot in zip(places, case, strict=True)
        if place < len(starts) and starts[place] == spot.start
    ]


def _cases(dataset: Dataset, patients: set[str], seen: Seen) -> Cases:
    decoder, cases = msgspec.json.Decoder(_Spot), Cases()
    number, last = -1, ""
    for start, line in dataset.table.lines():
        spot = decoder.decode(line)
        number += spot.case != last
        last = spot.case
        is_channel = not seen.channels or spot.sequence in seen.channels
        if spot.patient in patients and is_channel and not spot.copy:
            spot.start, spot.number = start, number
            of_kind = cases.setdefault((spot.patient, spot.sequence), {})
            of_kind.setdefault(spot.case, []).append(spot)
    return cases


def lacking(
    patient: str, names: Sequence[str], found: Sequence[Collection[object]]
) -> FileError | None:
    """What is wrong where a patient has not just one case of each of these sequences."""
    for name, cases in zip(names, found, strict=True):
        if len(cases) != 1:
            what = f"has {name} {len(cases)} times" if cases else f"has no {name}"
            return FileError(f"{patient} {what}", _LEAVE_OUT, "channel-missing")
    return None


def _refused(faults: Sequence[FileError]) -> ChaosprepError:
    first, more = faults[0], len(faults) - 1
    also = f" (and {more} more)" if more else ""
    return ChaosprepError(f"{first.reason}{also}", first.remedy, first.code)


class Recent(Generic[T]):
    """The last few things that were read; a copy in another process begins with none."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[Hashable, T] = {}

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """The thing that a key stands for, read where it is not held."""
        found = self._held.pop(key) if key in self._held else read()
        if self._most:
            self._held[key] = found
            while len(self._held) > self._most:
                del self._held[next(iter(self._held))]
        return found

    def __reduce__(self) -> tuple[type["Recent[T]"], tuple[int]]:
        return Recent, (self._most,)
