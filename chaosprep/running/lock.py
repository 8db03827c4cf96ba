"""One run at a time per output."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaosprep.errors import ChaosprepError, FileError
from chaosprep.files import open_own

try:
    import fcntl
except ImportError:  # Windows has no flock: the user keeps runs apart
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(path: Path, output: Path) -> Iterator[None]:
    """Hold an advisory lock that the kernel releases however the process ends.

    `path` is made where it is not there, with its folder; `output` is what an error names.

    Raises:
        ChaosprepError: `locked`, another run holds it, whose process id is named; `workspace`, what
            stands there is no file of a run.
    """
    handle = _acquire(path, output)
    try:
        yield
    finally:
        os.close(handle)


def _acquire(path: Path, output: Path) -> int:
    while True:
        try:
            handle = _opened(path)
        except FileNotFoundError:  # its run finished and removed the folder in between
            continue
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = os.read(handle, 20).decode(errors="replace").strip()
                os.close(handle)
                raise _held(output, holder) from error
        if _is_current(path, handle):
            os.truncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
            return handle
        os.close(handle)  # its run finished and removed the file in between


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return open_own(path, os.O_RDWR | os.O_CREAT)
    except FileError as error:
        remedy = "Look at it, move it away, and run the same command again."
        raise ChaosprepError(f"{path}: {error.reason}", remedy, code="workspace") from error


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
