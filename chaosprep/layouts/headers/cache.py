"""What was read of a root, kept beside the output: batch after batch, each with its checksum.

It is thrown away whole where it is damaged, of another root or of another release. Its records are
taken for files only that have the same size, mtime and ctime. Nothing in it is run.
"""

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from chaosprep.errors import FileError
from chaosprep.files import open_own, real, writing
from chaosprep.formats.dicom.evidence import KEYWORDS
from chaosprep.layouts.headers.batches import Pool, pack
from chaosprep.layouts.headers.head import Entry, Head, Refers
from chaosprep.layouts.headers.shared import OWN
from chaosprep.systems.locking import FileLock
from chaosprep.systems.modes import for_owner_alone
from chaosprep.systems.opening import open_itself
from chaosprep.systems.replacing import unlink
from chaosprep.version import __version__
from chaosprep.workbench import Workbench

_MADE = (
    "%s keeps what headers say, including names of patients, for the next run of the same "
    "command. Only you can read it; remove it when the data set is made."
)
_log = logging.getLogger(__name__)
_MAGIC = b"chaosprep index 1\n"
_DIGEST = 16  # bytes
_FRAME = 4 + _DIGEST  # the length of a batch, little endian, and its checksum
_LARGEST = 2**26  # bytes of a batch; one file of 16,384 frames has less


class Cache:
    """The file that keeps what was read of a root; one run at a time writes to it.

    Closed at the end of a ``with``. ``said`` is what a user should know of it.
    """

    def __init__(self, root: Path, bench: Workbench) -> None:
        self.said: list[str] = []
        self._head = _head(root)
        self._name = f"{bench.name}.index"
        self._handle: int | None = None
        self._lock: FileLock | None = None
        self._writes = False
        if bench.passes:
            return
        if bench.folder is None or real(bench.folder).is_relative_to(real(root)):
            if bench.reads is not None:
                with suppress(FileError, OSError):
                    self._handle = open_own(bench.reads / self._name, os.O_RDONLY)
            return
        try:
            bench.folder.mkdir(parents=True, exist_ok=True)
            path = bench.folder / self._name
            is_new = not os.path.lexists(path)
            self._handle = _open(path)
        except FileError as error:
            self._not_kept(error.reason)
        except OSError as error:
            self._not_kept(error.strerror or "it cannot be written")
        else:
            self._lock = FileLock(self._handle)
            self._writes = _is_taken(self._lock)
            if is_new:
                _log.warning(_MADE, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._lock is not None:
            self._lock.close()
        elif self._handle is not None:
            os.close(self._handle)

    def load(self, pool: Pool) -> Iterator[Entry]:
        """What was kept, in the order in which it was read: of a file read twice, the last counts.

        What cannot be trusted is thrown away, and not said by those who had it before: whoever
        takes an entry has to see that its file is still the same.
        """
        if self._handle is None:
            return
        head = _read(self._handle, len(self._head))
        if head != self._head:
            self._begin(head)
            return
        end = len(head)
        while frame := _read(self._handle, _FRAME):
            length = int.from_bytes(frame[:4], "little")
            data = _read(self._handle, length) if length <= _LARGEST else b""
            if len(frame) < _FRAME or (len(data) < length <= _LARGEST):
                break  # a run was ended while it wrote
            try:
                entries = pool.unpack(_checked(data, frame[4:]))
            except ValueError:
                self._throw_away("is damaged")
                return
            end += _FRAME + length
            yield from entries
        if self._writes:
            os.ftruncate(self._handle, end)
            os.lseek(self._handle, end, os.SEEK_SET)

    def append(self, batch: bytes) -> None:
        """Keep what `pack` gave."""
        if self._writes and len(batch) <= _LARGEST:
            self._write(len(batch).to_bytes(4, "little") + _digest(batch) + batch)

    def begin_anew(self, entries: Sequence[Entry], size: int) -> None:
        """Keep these entries alone, in batches of a size."""
        if self._writes:
            self._empty()
            for at in range(0, len(entries), size):
                self.append(pack(entries[at : at + size]))

    def _begin(self, head: bytes) -> None:
        """Begin the file, where it is ours."""
        if head and not head.startswith(_MAGIC[: len(head)]):
            if self._writes:
                self._not_kept("another file has its name; move that away")
            self._writes = False
        elif len(head) < len(self._head):
            self._empty()
        else:
            self._throw_away("is of another folder or another release")

    def _throw_away(self, why: str) -> None:
        if self._writes:  # else another run writes to it, and sees for itself
            self.said.append(f"{self._name} {why}, and is discarded: all headers are read again")
            self._empty()

    def _empty(self) -> None:
        if self._writes and self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 0, os.SEEK_SET)
            self._write(self._head)

    def _write(self, data: bytes) -> None:
        assert self._handle is not None
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._handle, view) :]
        except OSError as error:
            self._writes = False
            self._not_kept(error.strerror or "it cannot be written")

    def _not_kept(self, why: str) -> None:
        self.said.append(f"the headers that are read are not kept in {self._name}: {why}")


def discard(bench: Workbench) -> None:
    """Remove what earlier runs kept of the headers for this output, where it is ours.

    Raises:
        OutputError: the system does not let it be removed.
    """
    if bench.folder is None:
        return
    path = bench.folder / f"{bench.name}.index"
    try:
        handle = open_own(path, os.O_RDONLY)
    except (FileError, OSError):
        return  # there is none, or it is none of ours
    try:
        is_ours = _read(handle, len(_MAGIC)) == _MAGIC
    finally:
        os.close(handle)
    if is_ours:
        with writing(path):
            unlink(path, missing_ok=True)


def _open(path: Path) -> int:
    """Open the file to read and write, for nobody else.

    Raises `FileError` where a link or a folder stands there, and OSError.
    """
    with suppress(FileExistsError):
        return open_itself(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    handle = open_own(path, os.O_RDWR)
    try:
        for_owner_alone(handle)
    except OSError:
        os.close(handle)
        raise
    return handle


def _is_taken(lock: FileLock) -> bool:
    """Whether nobody else writes to it, until it is closed."""
    try:
        lock.take()
    except OSError:
        return False
    return True


def _head(root: Path) -> bytes:
    """What the file begins with: what it is, and a checksum of all that its records depend on."""
    fields = [one.__struct_fields__ for one in (Head, Refers, Entry)]
    place = os.fsencode(real(root))
    return _MAGIC + _digest(repr((__version__, place, fields, KEYWORDS, OWN)).encode())


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()


def _checked(data: bytes, digest: bytes) -> bytes:
    if _digest(data) != digest:
        raise ValueError("another checksum")
    return data


def _read(handle: int, size: int) -> bytes:
    """So many bytes, or all that there are."""
    parts = list[bytes]()
    while size and (part := os.read(handle, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
