"""Names of BIDS: entities and a suffix, in folders of subjects and sessions."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from chaosprep.errors import FileError, plural
from chaosprep.files import real
from chaosprep.layouts.named_cases import Faults
from chaosprep.layouts.root import listing
from chaosprep.series.source import is_litter

MASKS = ("dseg", "mask")
"""The suffixes of label maps and of masks of one structure."""

_DERIVATIVES = "derivatives"
_NO_IMAGES = (*MASKS, "probseg", "defacemask")
_FILE = re.compile(r"(.+)\.nii(\.gz)?")
_ENTITY = re.compile(r"([a-z]+)-([A-Za-z0-9+]+)")
_DEPTH = 6  # folders: derivatives/pipeline/sub-01/ses-a/anat, and one around


@dataclass(frozen=True)
class Named:
    """A file by its name: entities, what stands between them and the suffix, and the suffix."""

    path: str
    entities: Mapping[str, str]
    suffix: str
    between: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name without the ending."""
        found = _FILE.fullmatch(PurePosixPath(self.path).name)
        return found[1] if found else PurePosixPath(self.path).stem


def entities_of(stem: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """The entities of a name without its ending, and its other parts; the last is the suffix."""
    entities, others = dict[str, str](), list[str]()
    for part in stem.split("_"):
        if fit := _ENTITY.fullmatch(part):
            entities[fit[1]] = fit[2]
        else:
            others.append(part)
    return entities, tuple(others)


def images_in(faults: Faults) -> tuple[list[Named], list[Named]]:
    """The images of anat, and the masks beside them and in derivatives, sorted by their paths.

    Raises:
        ChaosprepError: a folder cannot be listed.
    """
    root, links, odd = faults.folder, list[str](), list[str]()
    images, masks = list[Named](), list[Named]()
    tops = [top for top in _folders(root, ".", links) if PurePosixPath(top).name.startswith("sub-")]
    for top in tops:
        inner = _folders(root, top, links)
        places = [one for one in inner if PurePosixPath(one).name.startswith("ses-")]
        for place in (top, *places):
            for path in _files(root, f"{place}/anat", links):
                found = _named(path)
                if found is None or found.entities.get("sub") != top.removeprefix("sub-"):
                    odd += [path] if _FILE.fullmatch(path) else []
                elif found.suffix in MASKS:
                    masks.append(found)
                elif found.suffix not in _NO_IMAGES:
                    images.append(found)
    masks += [one for one in _derived(root, links) if one.suffix in MASKS]
    says = f"not named as in BIDS, or not like their folder: {plural(len(odd), 'file')} of anat"
    faults.tell_files("file-strange", odd, says, "Rename them, or move them out.")
    says = f"a link to a folder, and not followed: {plural(len(links), 'folder')}"
    faults.tell_files("folder-link", links, says, "Copy the folder in.")
    return images, sorted(masks, key=lambda one: one.path)


def file_at(root: Path, path: str) -> Path:
    """The file of a path, which may be a link inside the root, as DataLad has them.

    Raises:
        FileError: `file-link`, it leads out.
    """
    file = real(root / path)
    if not file.is_relative_to(real(root)):
        raise FileError("it is a link out of the dataset", "Copy the file in.", code="file-link")
    return file


def _named(path: str) -> Named | None:
    fit = _FILE.fullmatch(PurePosixPath(path).name)
    entities, others = entities_of(fit[1]) if fit else ({}, ())
    return Named(path, entities, others[-1], others[:-1]) if others else None


def _derived(root: Path, links: list[str]) -> Iterator[Named]:
    places = [_DERIVATIVES] if (root / _DERIVATIVES).is_dir() else []
    for _ in range(_DEPTH):
        inner = list[str]()
        for place in places:
            found = (_named(path) for path in _files(root, place, links))
            yield from (one for one in found if one is not None and "sub" in one.entities)
            inner += _folders(root, place, links)
        places = inner


def _folders(root: Path, place: str, links: list[str]) -> list[str]:
    """The folders in one, relative to the root; those that are links go to ``links``."""
    found = list[str]()
    with listing(), os.scandir(root / place) as entries:
        for one in entries:
            if not one.is_dir() or is_litter(one.name):
                continue
            path = PurePosixPath(place, one.name).as_posix()
            (links if one.is_symlink() else found).append(path)
    return sorted(found)


def _files(root: Path, place: str, links: list[str]) -> list[str]:
    """The files in a folder, which need not be there, relative to the root."""
    folder = root / place
    if not folder.is_dir() or folder.is_symlink():
        return []
    with listing(), os.scandir(folder) as entries:
        there = [one.name for one in entries if not one.is_dir() and not is_litter(one.name)]
    return [f"{place}/{name}" for name in sorted(there)]
