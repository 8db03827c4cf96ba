"""Giving a file another name, and removing it: also while somebody looks at it.

Windows does neither to what any process has open: a virus scanner and an indexer look at each new
file for a moment. What is refused for that reason is tried again for a second. What this process
has open itself has to be closed before.
"""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

OPEN_FILES_STAY = os.name == "nt"
"""Whether a file that is open cannot be removed."""
# winerror.h: ACCESS_DENIED, SHARING_VIOLATION, LOCK_VIOLATION, DIR_NOT_EMPTY (of what goes later)
_BUSY = {5, 32, 33, 145}
_OPEN = {32, 33}
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4)  # seconds


def replace(source: Path, target: Path) -> None:
    """Give a file a name, whatever file has it now.

    Raises:
        OSError: what the system says.
    """
    _patiently(lambda: source.replace(target))


def rename(source: Path, target: Path) -> None:
    """Give a file or folder a name that nothing has.

    POSIX replaces a file, and an empty folder by a folder, all the same: Windows neither.

    Raises:
        OSError: what the system says.
    """
    if OPEN_FILES_STAY and source.is_dir():
        with suppress(OSError):
            target.rmdir()
    _patiently(lambda: source.rename(target))


def unlink(path: Path | str, *, missing_ok: bool = False) -> None:
    """Remove a file, or a link.

    Raises:
        OSError: what the system says.
    """
    try:
        _patiently(Path(path).unlink)
    except FileNotFoundError:
        if not missing_ok:
            raise


def remove_tree(path: Path) -> None:
    """Remove a folder and all that it holds.

    Raises:
        OSError: what the system says.
    """
    _patiently(lambda: shutil.rmtree(path))


def is_open_elsewhere(error: OSError) -> bool:
    """Whether a system refuses something because a process has the file open."""
    return getattr(error, "winerror", None) in _OPEN


def _patiently(call: Callable[[], object]) -> None:
    for pause in _PAUSES:
        try:
            call()
        except OSError as error:
            if getattr(error, "winerror", None) not in _BUSY:
                raise
            time.sleep(pause)
        else:
            return
    call()
