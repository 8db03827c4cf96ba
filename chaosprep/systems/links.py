"""Links to files: some file systems have none, and some systems let not everybody make them."""

import errno
import os
from pathlib import Path

from chaosprep.systems.replacing import unlink

# exFAT, network shares, containers: EPERM, ENOTSUP, EACCES; another volume: EXDEV;
# Windows: ERROR_INVALID_FUNCTION and the like become EINVAL
_NONE = {
    errno.EPERM,
    errno.EACCES,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EINVAL,
    errno.EXDEV,
    errno.EMLINK,
}
_NO_PRIVILEGE = 1314  # winerror.h


def hard_link(origin: Path | str, target: Path | str) -> bool:
    """Link a file, whatever has the name now; False where the file system will not."""
    if os.path.islink(origin):  # noqa: PTH114 - a Path would take most of the time
        origin = Path(origin).resolve()
    try:
        try:
            os.link(origin, target)
        except FileExistsError:
            unlink(target)
            os.link(origin, target)
    except OSError:
        return False
    return True


def hard_link_new(origin: Path, target: Path) -> bool:
    """Link a file to a name that nothing has; False where the file system has no links.

    Raises:
        FileExistsError: something has it; OSError: what else the system says.
    """
    try:
        os.link(origin, target)
    except OSError as error:
        if error.errno not in _NONE:
            raise
        return False
    return True


def symbolic_link(origin: Path, target: Path) -> bool:
    """Make a symbolic link to a file, whatever has the name now; False where that is not allowed.

    Raises:
        OSError: what else the system says.
    """
    unlink(target, missing_ok=True)
    try:
        target.symlink_to(origin)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            return False
        if getattr(error, "winerror", None) in (1, _NO_PRIVILEGE):
            return False
        raise
    return True
