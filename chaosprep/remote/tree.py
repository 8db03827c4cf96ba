"""The files of a working copy, by the names of their objects."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from chaosprep.dataset.manifest import DESCRIPTOR, SHARD, WORKSPACE
from chaosprep.dataset.naming import is_of_system
from chaosprep.errors import ChaosprepError
from chaosprep.running.standing_folder import RECORD

RUN = "run.json"  # what train writes last
COMMITS = (DESCRIPTOR, SHARD, RECORD, RUN)
"""What is written last, and says that all else is there."""


def files_below(place: Path) -> Iterator[tuple[str, Path]]:
    """Every file of a folder with its relative name, sorted; of a single file `""`.

    Raises:
        ChaosprepError: `workspace`, something is neither a file nor a folder.
    """
    if place.is_file():
        yield "", place
    for folder, folders, files in os.walk(place):
        folders.sort()
        for name in sorted(files):
            path = Path(folder, name)
            if is_of_system(name):
                continue
            if not stat.S_ISREG(path.lstat().st_mode):
                raise ChaosprepError(
                    f"{path}: it is not a regular file", "Remove it.", code="workspace"
                )
            yield path.relative_to(place).as_posix(), path


def unfinished(place: Path) -> tuple[str, ...]:
    """The folders in which a run has begun and not ended, as beginnings of names."""
    found = []
    for folder, folders, files in os.walk(place):
        inside = Path(folder).relative_to(place).as_posix()
        start = "" if inside == "." else f"{inside}/"
        if WORKSPACE in folders:
            folders.remove(WORKSPACE)
            found.append(start if set(files).isdisjoint(COMMITS) else f"{start}{WORKSPACE}/")
    return tuple(found)


def prune(place: Path) -> None:
    """Remove folders that are empty."""
    for folder, _, _ in os.walk(place, topdown=False):
        with suppress(OSError):
            Path(folder).rmdir()
