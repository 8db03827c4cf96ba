"""Opening a file by its bytes, never by a link, and never waiting for another process."""

import errno
import os
from pathlib import Path

_BINARY = getattr(os, "O_BINARY", 0)  # Windows else turns \n into \r\n
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # a FIFO is else waited for
_NO_LINK: int | None = getattr(os, "O_NOFOLLOW", None)
TO_READ = os.O_RDONLY | _AT_ONCE | _BINARY
"""How any file is opened to read; a link is followed."""
TO_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
"""How a file is made that must be a new one."""


def open_itself(path: Path | str, flags: int, mode: int = 0o666) -> int:
    """Open what has a name, and not what it is a link to; `flags` are those of `os.open`.

    Raises:
        OSError: ELOOP, it is a link; EISDIR, a folder, where the system opens none; and whatever
            else the system says.
    """
    if _NO_LINK is not None:
        return os.open(path, flags | _NO_LINK | _AT_ONCE | _BINARY, mode)
    if is_link(path):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    try:
        return os.open(path, flags | _AT_ONCE | _BINARY, mode)
    except PermissionError as error:
        if Path(path).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path) from error
        raise


def is_link(path: Path | str) -> bool:
    """Whether a name leads elsewhere: a symbolic link, or a junction of Windows."""
    if Path(path).is_symlink():
        return True
    is_junction = getattr(os.path, "isjunction", None)  # from Python 3.12 on
    return is_junction is not None and bool(is_junction(path))
