"""How what is finished takes its name: nothing is lost of what has that name before."""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from chaosprep.files import settle_names

# renameat2(2) of Linux: AT_FDCWD, RENAME_NOREPLACE, RENAME_EXCHANGE; renamex_np(2) of macOS:
# RENAME_EXCL, RENAME_SWAP
_HERE = -100
_NEW, _SWAP = (4, 2) if sys.platform == "darwin" else (1, 2)
_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
_FEW = 32  # files
ASIDE = ".old"
"""The ending of a folder that was set aside, until the new one has its name."""


def rename_new(source: Path, target: Path) -> None:
    """Give a file a name that nothing has.

    Raises:
        FileExistsError: something has it; OSError: what else the system says.
    """
    if _renamed(source, target, _NEW):
        return
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    source.rename(target)


def take_name(folder: Path, target: Path) -> None:
    """Give a folder its name, at which may be nothing, an empty folder, or what it replaces.

    What it replaces then lies where `folder` was, in a workspace, to be removed. It keeps its name
    until the new one has it; where the system cannot exchange two names it is set aside first, and
    `bring_back` is for a run that was killed between the two.

    Raises:
        OSError: what the system says; all is then as it was.
    """
    if is_free(target):
        folder.rename(target)
    elif not _renamed(folder, target, _SWAP):
        aside = folder.with_name(folder.name + ASIDE)
        target.rename(aside)
        try:
            folder.rename(target)
        except BaseException:
            aside.rename(target)
            raise
    settle_names(target.parent)


def bring_back(workspace: Path, target: Path) -> list[Path]:
    """Give a folder that a killed run has set aside in `workspace` its name again.

    Returns:
        Those that are still there, because something has that name by now.
    """
    found = []
    for aside in sorted(workspace.glob(f"*{ASIDE}")):
        if is_free(target):
            aside.rename(target)
        else:
            found.append(aside)
    return found


def is_free(target: Path) -> bool:
    """Whether nothing has a name, or an empty folder, of which nothing can be lost."""
    return not os.path.lexists(target) or (target.is_dir() and not any(target.iterdir()))


def settle_folder(folder: Path) -> None:
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
            _flush(path, os.fsync, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    elif _flush(folder, call):
        raise _refused(folder)


def _flush(path: Path, call: Callable[[int], int | None], flags: int = os.O_RDONLY) -> int | None:
    handle = os.open(path, flags)
    try:
        return call(handle)
    finally:
        os.close(handle)


def _renamed(source: Path, target: Path, how: int) -> bool:
    """Rename in one step; False where the system or the file system does not know how."""
    from_, to = os.fsencode(source), os.fsencode(target)
    if call := system_call("renameat2"):
        failed = call(_HERE, from_, _HERE, to, how)
    elif call := system_call("renamex_np"):
        failed = call(from_, to, how)
    else:
        return False
    if not failed:
        return True
    if ctypes.get_errno() in _UNKNOWN:
        return False
    raise _refused(target)


def _refused(path: Path) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), str(path))


@cache
def system_call(name: str) -> Callable[..., int] | None:
    """A function of the C library that Python has no name for; None where there is none."""
    if os.name == "nt":
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), name, None)
