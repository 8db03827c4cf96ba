"""Where the lines of a journal are, in some 200 bytes for each case."""

from array import array
from typing import NamedTuple

_UNKNOWN = bytes(32)


class Line(NamedTuple):
    """A line's place in bytes, its length and, where it is known, its SHA-256."""

    start: int
    length: int
    sha256: str | None


class LineIndex:
    """The latest line of each case."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._starts, self._lengths, self._hashes = array("q"), array("q"), bytearray()

    def __contains__(self, case: object) -> bool:
        return case in self._numbers

    def put(self, case: str, start: int, length: int, sha256: str | None = None) -> None:
        """Say where a case's line is; it takes the place of an earlier one."""
        told = _UNKNOWN if sha256 is None else bytes.fromhex(sha256)
        number = self._numbers.setdefault(case, len(self._starts))
        if number == len(self._starts):
            self._starts.append(start)
            self._lengths.append(length)
            self._hashes += told
        else:
            self._starts[number], self._lengths[number] = start, length
            self._hashes[32 * number : 32 * number + 32] = told

    def find(self, case: str) -> Line | None:
        """The line of a case; None where there is none."""
        number = self._numbers.get(case)
        if number is None:
            return None
        told = bytes(self._hashes[32 * number : 32 * number + 32])
        known = None if told == _UNKNOWN else told.hex()
        return Line(self._starts[number], self._lengths[number], known)
