"""Names of files that every system takes."""

import os
import re
from pathlib import Path

# learn.microsoft.com/windows/win32/fileio/naming-a-file; a name counts up to its first point
_RESERVED = re.compile(r"(?i)(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[1-9¹²³]) *(\.|\Z)")
_SIGNS = re.compile(r'[<>:"|?*\\/\x00-\x1f]')
_NO_SUCH = {3, 206}  # winerror.h: PATH_NOT_FOUND, FILENAME_EXCED_RANGE
LONGEST_PATH = 259
"""The letters of a path that Windows takes, where nobody told it to take more."""


def begins_reserved(name: str) -> bool:
    """Whether Windows takes a name for one of its devices, as `con` and `aux.txt`."""
    return _RESERVED.match(name) is not None


def why_not(name: str) -> str:
    """Why not every system takes a name of a file, as a clause; empty where each does."""
    if begins_reserved(name):
        return f"{name.split('.', maxsplit=1)[0]} is a device of Windows"
    if found := _SIGNS.search(name):
        return f"Windows has no {found[0]!r} in a name"
    return "Windows has no name that ends in a point or a space" if name[-1:] in " ." else ""


def too_long(error: OSError) -> int:
    """The letters of a path that is refused for having so many; 0 where that is not why."""
    name = error.filename2 or error.filename
    if getattr(error, "winerror", None) not in _NO_SUCH or not isinstance(name, str | Path):
        return 0
    length = len(os.path.abspath(name))  # noqa: PTH100 - `Path.absolute` leaves `..`
    return length if length > LONGEST_PATH else 0
