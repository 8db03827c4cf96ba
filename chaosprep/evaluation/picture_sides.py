"""Folders of pictures as sides: named by slice ids beside a reference, or by anything on both."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chaosprep.errors import NothingFoundError, Problem
from chaosprep.evaluation.sides import (
    PICTURES,
    Masks,
    Organs,
    Side,
    as_organs,
    in_order,
    name_twice,
    name_values,
    read_picture,
    stack,
)
from chaosprep.imaging.organs import level_histogram
from chaosprep.layouts.pairing import natural_key
from chaosprep.layouts.source import is_litter

_DEPTH = 3  # of folders below the one that was given: val/masks
_SLICE = re.compile(r"(?P<case>.+)_s\d{3,}(?P<copy>_a\d+)?")


@dataclass(frozen=True)
class PictureCase:
    """One case as pictures of its slices, in order; names are their stems."""

    id: str
    files: tuple[Path, ...]
    values: Mapping[int, str]
    split: str | None = None
    sequence: str | None = None

    @property
    def patient(self) -> str:
        """Not known: the case."""
        return self.id

    @property
    def organs(self) -> Organs:
        """What the values stand for."""
        return in_order(self.values)

    def read(self, organs: Organs) -> Masks:
        """Its pictures, one after the other."""
        planes = (
            as_organs(read_picture(file), self.values, organs, file.name) for file in self.files
        )
        return Masks(stack(planes, len(self.files)), tuple(file.stem for file in self.files))


def open_pictures(folder: Path, reference: Side | None) -> Side:
    """A folder of pictures; files named by slice ids are cases, else each folder is one.

    Args:
        folder: the folder; up to three levels of folders below it are looked at, of these those
            named `masks` alone where there are any.
        reference: the other side, whose values count; without one, those found here.

    Raises:
        NothingFoundError: there is no picture.
        FileError: a picture of the reference cannot be read.
    """
    cases, problems = _cases(folder)
    if not cases:
        raise NothingFoundError(
            f"{folder}: no PNG or npy is in it", "Give the folder that holds the masks.", "nothing"
        )
    if reference is not None:
        values = reference.values
    else:
        every = (read_picture(file) for files in cases.values() for file in files)
        values = name_values(level for array in every for level in level_histogram(array))
    return Side(
        kind="folder of pictures",
        path=folder,
        members={id: PictureCase(id, tuple(files), values) for id, files in cases.items()},
        organs=in_order(values),
        values=values,
        labels=values,
        in_mm=False,
        problems=problems,
    )


def pictures_below(folder: Path, depth: int = _DEPTH) -> list[Path]:
    """The PNG and npy files of a folder and of those in it, in natural order; links are skipped."""
    found: list[Path] = []
    for path in sorted(folder.iterdir(), key=lambda path: natural_key(path.name)):
        if is_litter(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            found += pictures_below(path, depth - 1) if depth else []
        elif path.suffix.casefold() in PICTURES:
            found.append(path)
    return found


def _cases(folder: Path) -> tuple[dict[str, list[Path]], tuple[Problem, ...]]:
    files = pictures_below(folder)
    masks = [file for file in files if "masks" in file.relative_to(folder).parts[:-1]]
    named = [(file, _SLICE.fullmatch(file.stem)) for file in masks or files]
    cases: defaultdict[str, list[Path]] = defaultdict(list)
    for file, match in named:
        if all(match for _, match in named) and match:
            if not match["copy"]:
                cases[match["case"]].append(file)
        else:
            place = file.parent.relative_to(folder).as_posix()
            cases[folder.resolve().name if place == "." else place].append(file)
    problems = [
        name_twice(id, stem)
        for id, files in cases.items()
        for stem, count in Counter(file.stem for file in files).items()
        if count > 1
    ]
    return cases, tuple(problems)
