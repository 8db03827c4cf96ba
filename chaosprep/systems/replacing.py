"""Giving a file another name, and removing it: also while somebody looks at it.

Windows does neither to what any process has open: a virus scanner and an indexer look at each new
file for a moment. What is refused for that reason is tried again for a second. What this process
has open itself has to be closed before.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

OPEN_FILES_STAY = os.name == "nt"
"""Whether a file that is open cannot be removed."""
# winerror.h: ACCESS_DENIED, SHARING_VIOLATION, LOCK_VIOLATION, DIR_NOT_EMPTY (of what goes later)
_BUSY = {5, 32, 33, 145}
T = TypeVar("T")
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4)  # seconds


def replace(source: Path, target: Path) -> None:
    """Give a file a name, whatever file has it now.

    Raises:
        OSError: what the system says.
    """
    patiently(lambda: source.replace(target))


def rename(source: Path, target: Path) -> None:
    """Give a file or folder a name that nothing has.

    POSIX replaces a file, and an empty folder by a folder, all the same: Windows neither.

    Raises:
        OSError: what the system says.
    """
    if OPEN_FILES_STAY and source.is_dir():
        with suppress(OSError):
            target.rmdir()
    patiently(lambda: source.rename(target))


def unlink(path: Path | str, *, missing_ok: bool = False) -> None:
    """Remove a file, or a link.

    Raises:
        OSError: what the system says.
    """
    try:
        patiently(Path(path).unlink)
    except FileNotFoundError:
        if not missing_ok:
            raise


def remove_tree(path: Path) -> None:
    """Remove a folder and all that it holds.

    Raises:
        OSError: what the system says.
    """
    from shutil import rmtree

    patiently(lambda: rmtree(path))


def is_busy(error: OSError) -> bool:
    """Whether a system may refuse something because a process has the file open."""
    return getattr(error, "winerror", None) in _BUSY


def patiently(call: Callable[[], T]) -> T:
    """Do something with a file, and try again for a second where others have it.

    Raises what the call raises.
    """
    for pause in _PAUSES:
        try:
            return call()
        except OSError as error:
            if not is_busy(error):
                raise
            time.sleep(pause)
    return call()
