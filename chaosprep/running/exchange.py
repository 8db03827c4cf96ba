"""How what is finished takes its name: nothing is lost of what has that name before."""

import ctypes
import errno
import os
from pathlib import Path

from chaosprep.systems.flushing import flush_names, last_error, system_call
from chaosprep.systems.replacing import rename

# renameat2(2) of Linux: AT_FDCWD, RENAME_NOREPLACE, RENAME_EXCHANGE; renamex_np(2) of macOS:
# RENAME_EXCL, RENAME_SWAP
_HERE = -100
_NEW, _SWAP = {"renameat2": 1, "renamex_np": 4}, {"renameat2": 2, "renamex_np": 2}
_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
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
    rename(source, target)


def take_name(folder: Path, target: Path) -> None:
    """Give a folder its name, at which may be nothing, an empty folder, or what it replaces.

    What it replaces then lies where `folder` was, in a workspace, to be removed. It keeps its name
    until the new one has it; where the system cannot exchange two names it is set aside first, and
    `bring_back` is for a run that was killed between the two.

    Raises:
        OSError: what the system says; all is then as it was.
    """
    if is_free(target):
        rename(folder, target)
    elif not _renamed(folder, target, _SWAP):
        aside = folder.with_name(folder.name + ASIDE)
        rename(target, aside)
        try:
            rename(folder, target)
        except BaseException:
            rename(aside, target)
            raise
    flush_names(target.parent)


def bring_back(workspace: Path, target: Path) -> list[Path]:
    """Give a folder that a killed run has set aside in `workspace` its name again.

    Returns:
        Those that are still there, because something has that name by now.
    """
    found = []
    for aside in sorted(workspace.glob(f"*{ASIDE}")):
        if is_free(target):
            rename(aside, target)
        else:
            found.append(aside)
    return found


def is_free(target: Path) -> bool:
    """Whether nothing has a name, or an empty folder, of which nothing can be lost."""
    return not os.path.lexists(target) or (target.is_dir() and not any(target.iterdir()))


def _renamed(source: Path, target: Path, how: dict[str, int]) -> bool:
    """Rename in one step; False where the system or the file system does not know how."""
    from_, to = os.fsencode(source), os.fsencode(target)
    if call := system_call("renameat2"):
        failed = call(_HERE, from_, _HERE, to, how["renameat2"])
    elif call := system_call("renamex_np"):
        failed = call(from_, to, how["renamex_np"])
    else:
        return False
    if not failed:
        return True
    if ctypes.get_errno() in _UNKNOWN:
        return False
    raise last_error(target)
