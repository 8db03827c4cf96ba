"""Every file below a root, whatever it is called; links are never followed."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from chaosprep.files import real
from chaosprep.layouts.headers.head import Entry, Kind
from chaosprep.series.source import is_litter

FOLDER = "folder-unreadable"
"""What an entry of a folder is that cannot be listed."""
LINK = "link that leads elsewhere"
OTHER = "pipe or device"


class Listed(NamedTuple):
    """A regular file: its path below the root, its bytes, and its times in ns."""

    path: str
    size: int
    mtime: int
    changed: int


def list_below(root: Path) -> tuple[list[Listed], list[Entry]]:
    """The regular files below a root, by path, and an entry for each thing that cannot be read.

    A link to what is listed anyway is passed over, as litter is.

    Raises:
        OSError: the root itself cannot be listed.
    """
    files, strange, links = list[Listed](), list[Entry](), list[str]()
    folders, todo = {""}, [""]
    while todo:
        folder = todo.pop()
        try:
            for one in _inside(root, folder):
                path = f"{folder}{one.name}"
                if one.is_symlink():
                    links.append(path)
                elif one.is_dir(follow_symlinks=False):
                    folders.add(path)
                    todo.append(f"{path}/")
                else:
                    _sort_in(one, path, files, strange)
        except OSError:
            if not folder:
                raise
            strange.append(_entry(folder.removesuffix("/"), "unreadable", FOLDER))
    strange += _leading_elsewhere(root, links, {*folders, *(file.path for file in files)})
    return sorted(files), strange


def _inside(root: Path, folder: str) -> "Iterator[os.DirEntry[str]]":
    with os.scandir(root / folder) as found:
        for one in found:
            if not is_litter(one.name):
                yield one


def _sort_in(one: "os.DirEntry[str]", path: str, files: list[Listed], strange: list[Entry]) -> None:
    try:
        is_file = one.is_file(follow_symlinks=False)
        status = one.stat(follow_symlinks=False)
    except FileNotFoundError:  # it went while the folder was read
        return
    except OSError:
        strange.append(_entry(path, "unreadable", "file-unreadable"))
        return
    if is_file:
        files.append(Listed(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    else:
        strange.append(_entry(path, "beside", OTHER))


def _leading_elsewhere(root: Path, links: Iterable[str], listed: set[str]) -> Iterator[Entry]:
    """An entry for each link that does not lead to something that is listed."""
    place = real(root)
    for path in links:
        target = real(root / path)
        here = target.relative_to(place).as_posix() if target.is_relative_to(place) else None
        if here is None or ("" if here == "." else here) not in listed:
            yield _entry(path, "beside", LINK)


def _entry(path: str, kind: Kind, what: str) -> Entry:
    return Entry(path, 0, 0, kind, what)
