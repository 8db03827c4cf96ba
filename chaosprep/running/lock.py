"""One run at a time per output directory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaosprep.errors import ChaosprepError

try:
    import fcntl
except ImportError:  # Windows has no flock: the user keeps runs apart
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock that the kernel releases however the process ends.

    Raises:
        ChaosprepError: another run holds it; its process id is named.
    """
    handle = _acquire(path)
    try:
        yield
    finally:
        os.close(handle)


def _acquire(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = os.read(handle, 20).decode(errors="replace").strip()
                os.close(handle)
                raise ChaosprepError(
                    f"{path.parent.parent}: process {holder} is writing there",
                    "Wait for it to finish, or give another output directory.",
                    code="locked",
                ) from error
        if _is_current(path, handle):
            os.truncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
            return handle
        os.close(handle)  # its run finished and removed the file in between


def _is_current(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
