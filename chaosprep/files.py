"""Reading and writing single files with care: regular files only, no links, whole or not at all."""

import errno
import hashlib
import os
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgspec

from chaosprep.errors import REMEDIES, SHORT, FileError, OutputError, UsageError, refused
from chaosprep.systems.flushing import flush_names
from chaosprep.systems.names import LONGEST_PATH, too_long
from chaosprep.systems.opening import TO_MAKE, TO_READ, open_itself
from chaosprep.systems.replacing import is_busy, replace, unlink


def sha256(data: bytes | memoryview) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read; a FIFO, device or directory never blocks and is refused.

    Raises:
        FileError: `file-missing`, `file-link`, `file-kind` or `file-unreadable`.
    """
    return os.fdopen(open_handle(path, follow=False)[0], "rb")


def read_regular(path: Path | str, *, follow: bool = False, most: int | None = None) -> bytes:
    """Read a regular file whole, opened as `open_regular` does.

    With ``follow``, the last component may be a symbolic link; ``most`` is the largest in bytes.

    Raises:
        FileError: `file-missing`, `file-link`, `file-kind`, `file-unreadable` or `too-large`.
    """
    handle, size = open_handle(path, follow)
    try:
        if most is not None and size > most:
            raise FileError(f"it is above {most} bytes", "Check what it is.", code="too-large")
        parts = [os.read(handle, size + 1)]
        parts += iter(partial(os.read, handle, _MORE), b"")  # it may have grown
    except OSError as error:
        raise unread(error) from error
    finally:
        os.close(handle)
    return parts[0] if len(parts) == 1 else b"".join(parts)


_MORE = 2**16  # bytes at once behind the size that was told


def read_part(path: Path | str, offset: int, size: int) -> bytes:
    """Read some bytes of a regular file, fewer where it ends before; see `read_regular`."""
    handle, whole = open_handle(path, follow=False)
    begin = min(offset, whole)
    size = min(size, whole - begin)  # whoever tells the size may have made it up
    try:
        os.lseek(handle, begin, os.SEEK_SET)
        data = os.read(handle, size)
        while len(data) < size and (more := os.read(handle, size - len(data))):
            data += more
    except OSError as error:
        raise unread(error) from error
    finally:
        os.close(handle)
    return data


def read_start(path: Path, size: int) -> bytes:
    """Read the first bytes of a regular file, all where it has no more; see `read_regular`."""
    return read_part(path, 0, size)


def open_handle(path: Path | str, follow: bool) -> tuple[int, int]:
    """Open a regular file as `open_regular` does; also tell its size in bytes."""
    try:
        handle = os.open(path, TO_READ) if follow else open_itself(path, os.O_RDONLY)
    except OSError as error:
        raise unread(error) from error
    except ValueError as error:  # a NUL, or half a letter
        reason = "no file can have this name"
        raise FileError(reason, "Check its name.", code="file-unreadable") from error
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        raise _irregular()
    return handle, found.st_size


def unread(error: OSError) -> FileError:
    """Why a file cannot be opened or read; raises what runs out, such as memory, as it is."""
    if error.errno in SHORT:
        raise error
    if error.errno == errno.ENOENT:
        return FileError("the file is missing", "Bring it back.", code="file-missing")
    if error.errno == errno.ELOOP:
        return FileError("it is a symbolic link", "Put the file in its place.", code="file-link")
    if error.errno in (errno.ENXIO, errno.EISDIR):  # a socket, a directory to write to
        return _irregular()
    reason = f"it cannot be read ({error.strerror})"
    return FileError(reason, "Make it readable.", code="file-unreadable")


def _irregular() -> FileError:
    return FileError("it is not a regular file", "Move it out of the folder.", code="file-kind")


def open_own(path: Path, flags: int) -> int:
    """Open a file of one's own, or make it: a regular file that has no other name.

    `flags` are those of `os.open`; it is never followed, and never emptied before it is known.

    Raises:
        FileError: `file-link`, `file-kind` or `file-shared`; OSError: what the system says.
    """
    try:
        handle = open_itself(path, flags)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise unread(error) from error
        raise
    try:
        check_own(os.fstat(handle))
    except FileError:
        os.close(handle)
        raise
    return handle


def check_own(found: os.stat_result) -> None:
    """Refuse what is no regular file, or has another name by which others reach it.

    Raises:
        FileError: `file-link`, `file-kind` or `file-shared`.
    """
    if stat.S_ISLNK(found.st_mode):
        raise unread(OSError(errno.ELOOP, ""))
    if not stat.S_ISREG(found.st_mode):
        raise _irregular()
    if found.st_nlink > 1:
        reason = "it is a hard link to a file that has another name"
        raise FileError(reason, "Put a copy in its place.", code="file-shared")


def real(path: Path) -> Path:
    """The absolute path without links; what loops stays as it is (`Path.resolve` would raise)."""
    return Path(os.path.realpath(path))


def check_apart(source: Path, output: Path) -> None:
    """Refuse an output that is the input, inside it or around it.

    Raises:
        UsageError: `output-place`.
    """
    here, there = real(source), real(output)
    if here == there or here in there.parents or there in here.parents:
        raise UsageError(
            f"{output}: the output must not be the input, inside it or around it",
            "Give a directory next to the input.",
            code="output-place",
        )


def write_new(path: Path | str, data: bytes) -> None:
    """Write a file that is always a new one on disk.

    What stood there before is unlinked, never written through: it may be a hard link to another
    stage's file.

    Raises:
        OutputError: the system does not let it be written.
    """
    with writing(path):
        try:
            handle = os.open(path, TO_MAKE, 0o666)
        except FileExistsError:
            unlink(path)
            handle = os.open(path, TO_MAKE, 0o666)
        try:
            left = memoryview(data)
            while left:  # a disk that is nearly full takes a part
                left = left[os.write(handle, left) :]
        finally:
            os.close(handle)


def write_durably(path: Path, data: bytes, folder: Path | None = None) -> None:
    """Write to a temporary name, flush to the disk, rename: there whole, or not at all.

    The temporary file lies in `folder`, of the same file system, else beside `path`.
    """
    temporary = temporary_in(folder or path.parent)
    try:
        write_new(temporary, data)
        settle(temporary, path)
    except BaseException:
        unlink(temporary, missing_ok=True)
        raise


def temporary_in(folder: Path) -> Path:
    """A name that nobody else has: what stands there is one's own, and is removed by its form."""
    return folder / f".{uuid.uuid4().hex}{PART}"


PART = ".part"


def settle(temporary: Path, path: Path, rename: Callable[[Path, Path], None] | None = None) -> None:
    """Flush a finished temporary file to the disk and give it its name.

    Whatever has that name is replaced, unless another `rename` is given.

    Raises:
        OutputError: the system does not let it be written.
    """
    with writing(path):
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        (rename or replace)(temporary, path)
        flush_names(path.parent)


_REMEDIES = dict.fromkeys((errno.EACCES, errno.EPERM), "Make it writable") | REMEDIES
GOES_ON = "; the same command continues from here."
"""How the remedy ends where a run can be taken up again."""


@contextmanager
def writing(output: Path | str, end: str = ".") -> Iterator[None]:
    """Write here or below; what the system refuses is an error of `output`.

    Of several, one in the other, the outermost is what a person named, and tells. `end` is how the
    remedy ends where something can be done about this output; it begins as that is done.

    Raises:
        OutputError: `output`, with what to do about it.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # nobody listens any more to what is told on the way
    except OutputError as error:
        raise _unwritten(output, error.number, error.why, end) from error
    except OSError as error:
        if error.errno in SHORT or not _is_of(error, output):
            raise refused(error) from error
        raise _unwritten(output, *_why(error), end) from error


def _why(error: OSError) -> tuple[int, str]:
    """The number of an error, or of what it comes to, and why it is in words."""
    if length := too_long(error):
        why = f"a path there has {length} letters, and the system takes {LONGEST_PATH}"
        return errno.ENAMETOOLONG, why
    if error.errno is None:
        return 0, type(error).__name__
    return errno.EBUSY if is_busy(error) else error.errno, os.strerror(error.errno)


def _unwritten(output: Path | str, number: int, why: str, end: str) -> OutputError:
    remedy = "Choose another output."
    if number in _REMEDIES:
        remedy = f"{_REMEDIES[number]} or choose another output{end}"
    error = OutputError(f"{Path(output)}: cannot be written ({why})", remedy, code="output")
    error.number, error.why = number, why
    return error


def _is_of(error: OSError, output: Path | str) -> bool:
    """Whether an error is of an output: it names no other path than one to it, or a file for it."""
    if not isinstance(error.filename, str):
        return True
    here, there = _placed(error.filename), _placed(output)
    if here == there or there in here.parents or here in there.parents:
        return True
    return there.parent in here.parents and here.relative_to(there.parent).parts[0].startswith(".")


def _placed(path: Path | str) -> Path:
    """Where a path is, links in its folders followed; as it is, if the current folder is gone."""
    try:
        return real(Path(path).absolute().parent) / Path(path).name
    except OSError:
        return Path(path)


def write_json(file: Path, value: object, folder: Path | None = None) -> None:
    """Write JSON to be read by people too; `folder` is that of `write_durably`."""
    write_durably(file, msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n", folder)
