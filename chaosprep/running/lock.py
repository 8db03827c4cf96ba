"""One run at a time per output."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chaosprep.errors import ChaosprepError
from chaosprep.running.kept import open_kept
from chaosprep.systems.locking import FileLock
from chaosprep.systems.replacing import patiently

# Lustre without `-o flock`, NFS without a lock server, and others that know none
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}
_TRIES = 1000  # of which each fails only where another run ends in the same moment


@contextmanager
def locked(path: Path, output: Path) -> Iterator[None]:
    """Hold an advisory lock that the kernel releases however the process ends.

    `path` is made where it is not there, with its folder; `output` is what an error names.

    Raises:
        ChaosprepError: `locked`, another run holds it, whose process id is named; `workspace`, what
            stands there is no file of a run; `output`, the file system has no locks.
        OSError: it cannot be made.
    """
    lock = _acquire(path, output)
    try:
        yield
    finally:
        lock.close()


def _acquire(path: Path, output: Path) -> FileLock:
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(_TRIES):
        with suppress(FileExistsError):
            path.parent.mkdir()
        try:
            handle = patiently(lambda: open_kept(path, os.O_RDWR | os.O_CREAT))
        except FileNotFoundError:  # its run finished and removed the folder in between
            continue
        lock = FileLock(handle)
        try:
            _take(lock, handle, output)
            if _is_current(path, handle):
                with suppress(OSError):  # on a full disk others do not read who holds it
                    os.truncate(handle, 0)
                    os.write(handle, f"{os.getpid()}\n".encode())
                return lock
        except BaseException:
            lock.close()
            raise
        lock.close()  # its run finished and removed the file in between
    raise _held(output, "")


def _take(lock: FileLock, handle: int, output: Path) -> None:
    try:
        lock.take()
    except BlockingIOError as error:
        raise _held(output, os.read(handle, 20).decode(errors="replace").strip()) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise ChaosprepError(
            f"{output}: its file system cannot lock files ({error.strerror})",
            "Give an output on another one, or have it mounted with locks: they keep two runs "
            "apart.",
            code="output",
        ) from error


def _held(output: Path, holder: str) -> ChaosprepError:
    who = f"process {holder}" if holder.isdecimal() else "another process"
    return ChaosprepError(
        f"{output}: {who} is writing there",
        "Wait for it to finish, or give another output.",
        code="locked",
    )


def _is_current(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(handle))
    except FileNotFoundError:
        return False
