"""What is known of a working copy: each object as it was last seen, and the file made of it."""

import os
from contextlib import suppress
from pathlib import Path
from threading import Lock

import msgspec

from chaosprep.files import write_durably
from chaosprep.systems.opening import open_itself
from chaosprep.urls.objects import Object


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """An object as the store told of it, and its file: both were the same then.

    ``name`` is relative; ``size`` is in bytes; ``changed`` the file's time in ns. Without a
    ``changed`` one of the two is being changed: the file where it ``comes``, else the object.
    """

    name: str
    size: int | None = None
    version: str = ""
    changed: int | None = None
    comes: bool = False

    def is_same(self, found: Object) -> bool:
        """Whether the store tells the same still."""
        return (found.size, found.version) == (self.size, self.version)

    def is_file(self, path: Path) -> bool:
        """Whether the file is as it was."""
        with suppress(OSError):
            there = path.stat()
            return there.st_mtime_ns == self.changed and self.size in (None, there.st_size)
        return False


class Record:
    """A file of lines, each of which goes before earlier ones of its name.

    What is about to change is begun, and told once file and object are the same again: of what is
    killed in between, it is known that nothing is known. No two processes write it at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self.seen: dict[str, Seen] = {}
        self.begun: dict[str, Seen] = {}
        self._lines = 0
        for line in path.read_bytes().splitlines() if path.exists() else ():
            with suppress(msgspec.MsgspecError, UnicodeDecodeError):  # cut off, as a kill leaves it
                self._take(msgspec.json.decode(line, type=Seen))
            self._lines += 1

    def tidy(self) -> None:
        """Write the file anew, without lines that later ones replace."""
        kept = [*self.seen.values(), *self.begun.values()]
        if self._lines > len(kept):
            write_durably(self._path, b"".join(map(_line, kept)))
            self._lines = len(kept)

    def clear(self) -> None:
        """Nothing is known."""
        self.seen.clear()
        self.begun.clear()

    def begin(self, *names: str, comes: bool = False) -> None:
        """The objects of these names are about to change; or, where they come, their files."""
        self._append(*(Seen(name, comes=comes) for name in names))

    def tell(self, name: str, found: Object, path: Path) -> None:
        """An object and its file are the same now."""
        self._append(Seen(name, found.size, found.version, path.stat().st_mtime_ns))

    def forget(self, name: str) -> None:
        """There is neither an object nor a file."""
        with self._lock:
            self.seen.pop(name, None)
            self.begun.pop(name, None)

    def _append(self, *lines: Seen) -> None:
        with self._lock:
            handle = open_itself(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, b"".join(map(_line, lines)))
            finally:
                os.close(handle)
            self._lines += len(lines)
            for line in lines:
                self._take(line)

    def _take(self, line: Seen) -> None:
        is_settled = line.changed is not None
        (self.seen if is_settled else self.begun)[line.name] = line
        (self.begun if is_settled else self.seen).pop(line.name, None)


def _line(seen: Seen) -> bytes:
    return msgspec.json.encode(seen) + b"\n"
