"""Which releases of other packages are installed: told sooner than Python's own module loads."""

import os
import re
import sys
from functools import cache
from pathlib import Path

_ENDING = ".dist-info"


def version_of(package: str) -> str:
    """The version of an installed package, as `importlib.metadata.version` gives it, and sooner.

    Raises:
        importlib.metadata.PackageNotFoundError: it is not installed.
    """
    name = _plain(package)
    for folder in sys.path:
        file = _descriptions(folder).get(name)
        if file is not None and (version := _version_in(file)):
            return version
    from importlib.metadata import version as slowly  # an archive, or an older kind of package

    return slowly(package)


@cache
def _descriptions(folder: str) -> dict[str, Path]:
    """The descriptions of the packages in a folder of the path, by their names."""
    try:
        with os.scandir(folder or os.curdir) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(_ENDING)]
    except OSError:
        return {}
    return {_plain(name.partition("-")[0]): Path(folder, name, "METADATA") for name in names}


def _version_in(file: Path) -> str | None:
    """What a description's header says; none where it is no such file."""
    try:
        header = file.read_text("utf-8").partition("\n\n")[0]
    except (OSError, UnicodeDecodeError):
        return None
    told = re.search(r"^Version: *(\S+) *$", header, re.MULTILINE)
    return told and told[1]


def _plain(package: str) -> str:
    """A name as all its spellings have it: the binary distribution format of PyPA."""
    return re.sub(r"[-_.]+", "_", package).casefold()
