"""Counts what a process does to the file system, and strikes before the n-th event.

A strike kills the process with all of its group, or lets the system refuse, from there on, what
takes room. A write is two events: before it, and after its first half.
"""

import builtins
import errno
import io
import mmap
import os
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any

Data = bytes | bytearray | memoryview
AUDITED = frozenset(
    f"os.{name}"
    for name in ("chmod", "link", "mkdir", "remove", "rename", "rmdir", "symlink", "truncate")
)
FREE = frozenset({"os.remove", "os.rename", "os.rmdir", "os.truncate"})
"""What a full disk still lets happen."""
_OPEN = io.open
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Shim:
    """Strikes at event `at` (0: never); `counter` (8 bytes) outlives the process."""

    def __init__(self, counter: mmap.mmap, at: int, refuse: int = 0) -> None:
        self._counter, self._at, self._refuse = counter, at, refuse

    def event(self, name: str) -> None:
        """One more event; raises where the system is to refuse it."""
        (count,) = struct.unpack("q", self._counter[:8])
        self._counter[:8] = struct.pack("q", count + 1)
        if not self._at or count + 1 < self._at:
            return
        if not self._refuse:
            os.killpg(os.getpgrp(), signal.SIGKILL)
        if self._refuse == errno.EROFS or name not in FREE:
            raise OSError(self._refuse, os.strerror(self._refuse))

    def write(self, data: Data, write: Callable[[memoryview], int]) -> int:
        """Write in two halves, as a disk that is nearly full does."""
        view = memoryview(data).cast("B")
        self.event("write")
        if len(view) < 2:
            return write(view)
        written = write(view[: len(view) // 2])
        try:
            self.event("write")
        except OSError:
            return written  # the next one is refused
        return written + write(view[written:])

    def audit(self, name: str, arguments: tuple[Any, ...]) -> None:
        """What Python tells of by itself, before it happens."""
        to_write = name == "open" and isinstance(arguments[2], int) and arguments[2] & _TO_WRITE
        if name in AUDITED or to_write:
            self.event(name)


def install(shim: Shim) -> None:
    """Watch this process from now on; there is no way back."""
    sys.addaudithook(shim.audit)
    write, fsync = os.write, os.fsync

    def watched_write(handle: int, data: Data) -> int:
        if handle < 3:  # what is told is no file
            return write(handle, data)
        return shim.write(data, lambda part: write(handle, part))

    def watched_fsync(handle: int) -> None:
        shim.event("fsync")
        fsync(handle)

    class WatchedFile(io.FileIO):
        def write(self, data: Any) -> int:  # noqa: ANN401 - as its parent has it
            if self.fileno() < 3:
                return super().write(data)
            return shim.write(data, super().write)

    def watched_open(
        file: str | int, mode: str = "r", buffering: int = -1, *more: object, **named: Any
    ) -> object:
        if not set(mode) & set("wax+") or buffering not in (-1, 0) or more:
            return _OPEN(file, mode, buffering, *more, **named)  # type: ignore[call-overload]
        closefd, opener = named.pop("closefd", True), named.pop("opener", None)
        raw = WatchedFile(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if buffering == 0:
            return raw
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, **named)

    os.write, os.fsync = watched_write, watched_fsync  # type: ignore[assignment]
    io.open = builtins.open = watched_open  # type: ignore[assignment]


def install_in_worker() -> None:
    """For `sitecustomize` of worker processes: each counts for itself."""
    at = int(os.environ.get("ATTACK_WORKERS", "0"))
    if at:
        install(Shim(mmap.mmap(-1, 8), at))
