"""Flushing to the disk what is not only to be written, but to last."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

_FOLDER: int | None = getattr(os, "O_DIRECTORY", None)  # Windows opens none
_FEW = 32  # files
# Windows flushes what can be written to only
_TO_FLUSH = os.O_RDONLY if _FOLDER is not None else os.O_RDWR


def flush_names(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can.

    Raises:
        OSError: what the system says.
    """
    if _FOLDER is not None:
        _flush(folder, os.fsync, os.O_RDONLY | _FOLDER)


def flush_folder(folder: Path) -> None:
    """Flush everything in a folder to the disk.

    Each file takes some milliseconds. Linux flushes the whole file system at once, which is sooner
    done for many, but waits for whatever others are writing.

    Raises:
        OSError: what the system says.
    """
    call = system_call("syncfs")
    files = [path for path in folder.rglob("*") if path.is_file()]
    if call is None or len(files) <= _FEW:
        for path in files:
            _flush(path, os.fsync, _TO_FLUSH)
    elif _flush(folder, call, os.O_RDONLY):
        raise last_error(folder)


def _flush(path: Path, call: Callable[[int], int | None], flags: int) -> int | None:
    handle = os.open(path, flags)
    try:
        return call(handle)
    finally:
        os.close(handle)


def last_error(path: Path) -> OSError:
    """What the last `system_call` says of a path."""
    import ctypes

    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), str(path))


@cache
def system_call(name: str) -> Callable[..., int] | None:
    """A function of the C library that Python has no name for; None where there is none."""
    import ctypes

    try:
        return getattr(ctypes.CDLL(None, use_errno=True), name, None)
    except TypeError:  # Windows has no library of this process
        return None
