"""What lies in the folders of the sides of a directory, by names: a stage's own, and others'."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from chaosprep.dataset.containers.table import is_folder
from chaosprep.dataset.naming import KINDS, Kind, is_of_slice
from chaosprep.dataset.records import SPLITS

INNER: dict[str, Kind] = {f"{split}/{kind}": kind for split in SPLITS for kind in KINDS}
FOLDERS = (*INNER, *SPLITS)


def entries(folder: Path) -> "Iterator[tuple[str, os.DirEntry[str]]]":
    """What a folder holds, one by one, by names in it; nothing where there is none.

    Of a container that is a folder, what it holds.
    """
    for entry in _listed(folder):
        if not _is_container(entry):
            yield entry.name, entry
            continue
        for inner in _listed(entry.path):
            yield f"{entry.name}/{inner.name}", inner


def containers(folder: Path) -> Iterator[Path]:
    """The containers in a folder that are folders themselves."""
    return (Path(entry.path) for entry in _listed(folder) if _is_container(entry))


def is_of_stage(folder: str, name: str, entry: "os.DirEntry[str]") -> bool:
    """Whether a stage calls so what it puts into this folder of a directory."""
    kind = INNER.get(folder)
    if kind is None:
        return name in KINDS
    is_file = entry.is_file(follow_symlinks=False) or entry.is_symlink()
    return is_file and is_of_slice(kind, name)


def remove_empty(folder: Path) -> None:
    """Remove a folder where it is there and empty."""
    with suppress(OSError):
        folder.rmdir()


def _listed(folder: Path | str) -> "Iterator[os.DirEntry[str]]":
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as found:
        yield from found


def _is_container(entry: "os.DirEntry[str]") -> bool:
    return is_folder(entry.name) and entry.is_dir(follow_symlinks=False)
