"""A lock on an open file, which the system lets go of however the process ends.

POSIX locks the file (flock(2)). Windows locks bytes of it, and keeps others from reading those; so
they lie far beyond what a file has. There a reader takes one of them, and who wants to be alone
takes them all.
"""

import os
import time
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any


def _module(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None


_fcntl: Any = _module("fcntl")
_msvcrt: Any = _module("msvcrt")
_READERS = 64  # at once
_FAR = 2**31 - 1 - _READERS  # _locking of Windows takes 31 bits
_PAUSE = 0.1  # seconds between two tries


class FileLock:
    """An advisory lock on an open file; of two handles in one process, too, one is refused."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._bytes: tuple[int, int] | None = None  # Windows: the first that is held, how many

    def take(self, *, alone: bool = True, wait: bool = False) -> None:
        """Have it, alone or together with others that do not want to be alone.

        Who has it already changes how. Where a system knows no locks, nothing is done.

        Raises:
            BlockingIOError: another has it, and it is not to be waited for.
            OSError: what else the system says, as where its file system has no locks.
        """
        if _fcntl is not None:
            how = _fcntl.LOCK_EX if alone else _fcntl.LOCK_SH
            _fcntl.flock(self._handle, how if wait else how | _fcntl.LOCK_NB)
        elif _msvcrt is not None:
            self._unlock()
            while not self._locked(alone):
                if not wait:
                    raise BlockingIOError("another has the lock")
                time.sleep(_PAUSE)

    def close(self) -> None:
        """Let others have it, and close the file."""
        try:
            self._unlock()  # Windows may else take its time
        finally:
            os.close(self._handle)

    def _locked(self, alone: bool) -> bool:
        for place in [(0, _READERS)] if alone else [(at, 1) for at in range(_READERS)]:
            with suppress(PermissionError):
                self._call("LK_NBLCK", place)
                self._bytes = place
                return True
        return False

    def _unlock(self) -> None:
        if self._bytes is not None:
            self._call("LK_UNLCK", self._bytes)
            self._bytes = None

    def _call(self, how: str, place: tuple[int, int]) -> None:
        """Lock or unlock some bytes; the place to read and write at stays as it is."""
        before = os.lseek(self._handle, 0, os.SEEK_CUR)
        os.lseek(self._handle, _FAR + place[0], os.SEEK_SET)
        try:
            _msvcrt.locking(self._handle, getattr(_msvcrt, how), place[1])
        finally:
            os.lseek(self._handle, before, os.SEEK_SET)
