"""Where the cases of a table stand in it, in some 50 bytes each."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import overload

import msgspec


class Lines(msgspec.Struct, frozen=True):
    """Where a case's lines stand in the table, in bytes."""

    case: str
    patient: str
    start: int
    stop: int


class Places(Sequence[Lines]):
    """The places of cases in a table; each is made when it is asked for.

    The id of a case begins with its patient's, and no id has a line break in it.
    """

    def __init__(self, lines: Iterable[Lines] = ()) -> None:
        self._cases = bytearray(b"\n")
        self._begins, self._lengths = array("q"), array("H")  # of each id, of its patient's
        self._starts, self._stops = array("q"), array("q")
        for one in lines:
            self.add(one)

    def add(self, lines: Lines) -> None:
        """Take in the next case."""
        self._begins.append(len(self._cases))
        self._cases += f"{lines.case}\n".encode()
        self._lengths.append(len(lines.patient))
        self._starts.append(lines.start)
        self._stops.append(lines.stop)

    def __len__(self) -> int:
        return len(self._begins)

    @overload
    def __getitem__(self, index: int) -> Lines: ...
    @overload
    def __getitem__(self, index: slice) -> list[Lines]: ...
    def __getitem__(self, index: int | slice) -> Lines | list[Lines]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        begin = self._begins[index]
        case = self._cases[begin : self._cases.index(b"\n", begin)].decode()
        return Lines(case, case[: self._lengths[index]], self._starts[index], self._stops[index])

    def find(self, case: str) -> int | None:
        """Which of them a case is; None where it is none of them."""
        name = case.encode(errors="replace")
        found = -1 if b"\n" in name else self._cases.find(b"\n%s\n" % name)
        return None if found < 0 else bisect_right(self._begins, found + 1) - 1


class Groups:
    """Tells where a group of rows begins, in rows sorted by id.

    The id of every row begins with the name of its group and `_`. Only the groups are held that
    the last id begins with, and `count` has how many there were.
    """

    def __init__(self) -> None:
        self.count = 0
        self._open: list[str] = []

    def begins(self, name: str, id: str) -> bool:
        """Whether this row is the first of its group."""
        if name in self._open:
            return False
        self._open = [one for one in self._open if id.startswith(f"{one}_")]
        self._open.append(name)
        self.count += 1
        return True
