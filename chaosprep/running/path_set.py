"""Paths in so little memory that those of ten million slices fit."""

from array import array
from bisect import bisect_left


class PathSet:
    """Says whether a path was added; each takes 8 bytes, for 64 bits of a hash.

    Of one that was not, it says so too by chance, once in 10^12 among ten million slices.
    """

    def __init__(self) -> None:
        self._hashes = array("q")
        self._sorted = 0

    def add(self, path: str) -> None:
        """Take in a path; one that is there already takes its bytes again."""
        self._hashes.append(hash(path))

    def __len__(self) -> int:
        return len(self._hashes)

    def __contains__(self, path: object) -> bool:
        if self._sorted < len(self._hashes):
            self._sort()
        sought = hash(path)
        at = bisect_left(self._hashes, sought)
        return at < len(self._hashes) and self._hashes[at] == sought

    def _sort(self) -> None:
        import numpy as np

        np.frombuffer(self._hashes, np.int64).sort()
        self._sorted = len(self._hashes)
