"""Folders of pictures: named by slice ids beside a reference, or by anything on both sides."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from chaosprep.errors import ChaosprepError, FileError, Problem
from chaosprep.formats.legend import legend_in, named
from chaosprep.formats.masks import plane_endings
from chaosprep.imaging.levels import level_histogram
from chaosprep.layouts.layout import Layout
from chaosprep.layouts.mask_set import (
    BINARY,
    CaseMasks,
    MaskCase,
    MaskSet,
    Organs,
    as_organs,
    in_order,
    name_twice,
    name_values,
    plane_of,
    stack,
)
from chaosprep.series.pairing import natural_key
from chaosprep.series.source import is_litter

_KIND = "folder of pictures"
_DEPTH = 3  # of folders below the one that was given: val/masks
SLICE_ID = re.compile(r"(?P<case>.+)_s\d{3,}(?P<copy>_a\d+)?")


def open_pictures(folder: Path, reference: MaskSet | None, asked: Organs = ()) -> MaskSet | None:
    """A folder of pictures, if it is one; named by slice ids they are cases, else each folder is.

    Args:
        folder: the folder; up to three levels of folders below it are looked at, of these those
            named `masks` alone where there are any.
        reference: the other side, whose values count; without one, those found here, with the names
            that a legend (`formats.legend`) in the folder or the one around it has for them. What
            lies in the folder itself is one case, with what does in the reference's.
        asked: the organs to compare; one alone is that of masks with one value, 1 or 255.

    Raises:
        FileError: a picture of the reference cannot be read; `mask-values`, there is one value
            that any organ may have.
    """
    cases, problems = _cases(folder, reference) if folder.is_dir() else ({}, ())
    if not cases:
        return None
    files = [file for found in cases.values() for file in found]
    is_unnamed = False
    if reference is not None:
        values = _values(files, reference, asked)
    else:
        said: dict[int, str] = {}
        with suppress(ChaosprepError):  # what is no legend names nothing
            said = named(legend_in(folder, folder.resolve().parent) or {})
        every = (plane_of(file) for file in files)
        values = name_values(level for array in every for level in level_histogram(array))
        values = {value: said.get(value, name) for value, name in values.items()}
        is_unnamed = not said
    organs = in_order(values)
    return MaskSet(
        kind=_KIND,
        in_patients=False,
        path=folder,
        members={
            id: MaskCase(id, id, organs, partial(_read, tuple(files), values))
            for id, files in cases.items()
        },
        organs=organs,
        values=values,
        labels=values,
        in_mm=False,
        is_unnamed=is_unnamed,
        problems=problems,
    )


def _read(files: tuple[Path, ...], values: Mapping[int, str], organs: Organs) -> CaseMasks:
    """The pictures of a case's slices, in order; names are their stems."""
    planes = (as_organs(plane_of(file), values, organs, file.name) for file in files)
    return CaseMasks(stack(planes, len(files)), tuple(file.stem for file in files))


def _values(files: Iterable[Path], reference: MaskSet, asked: Organs) -> Mapping[int, str]:
    """What the values of a prediction stand for: the reference's organs.

    Binary masks are of one organ, but they do not say which: 255 may be an organ's own level.
    """
    if len(reference.organs) < 2:
        return reference.values
    value = _only_value(files)
    if value not in BINARY:
        return reference.values
    if len(asked) == 1:
        return {value: asked[0]}
    if value == 1 and value in reference.values:
        return reference.values
    raise FileError(
        f"PRED holds one value, {value}, but REF has {len(reference.organs)} organs",
        "Give its stage directory, or name the organ with --organ.",
        code="mask-values",
    )


def _only_value(files: Iterable[Path]) -> int | None:
    """The one value but 0 that all files share; None where there is none, or another."""
    found: set[int] = set()
    for file in files:
        with suppress(FileError):  # it becomes a problem of its case
            found |= level_histogram(plane_of(file)).keys() - {0}
        if len(found) > 1:
            return None
    return next(iter(found), None)


def pictures_below(folder: Path, depth: int = _DEPTH) -> list[Path]:
    """The PNG and npy files of a folder and of those in it, in natural order; links are skipped."""
    found: list[Path] = []
    endings = plane_endings()
    for path in sorted(folder.iterdir(), key=lambda path: natural_key(path.name)):
        if is_litter(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            found += pictures_below(path, depth - 1) if depth else []
        elif path.name.casefold().endswith(endings):
            found.append(path)
    return found


def _cases(
    folder: Path, reference: MaskSet | None
) -> tuple[dict[str, list[Path]], tuple[Problem, ...]]:
    files = pictures_below(folder)
    masks = [file for file in files if "masks" in file.relative_to(folder).parts[:-1]]
    named = [(file, SLICE_ID.fullmatch(file.stem)) for file in masks or files]
    are_ids = all(match for _, match in named)
    cases: defaultdict[str, list[Path]] = defaultdict(list)
    own = folder.resolve().name
    if reference is not None and reference.kind == _KIND:
        there = reference.path.resolve().name
        own = there if there in reference.members else own
    for file, match in named:
        if are_ids and match:
            if not match["copy"]:
                cases[match["case"]].append(file)
        else:
            place = file.parent.relative_to(folder).as_posix()
            cases[own if place == "." else place].append(file)
    problems = [
        name_twice(id, stem)
        for id, files in cases.items()
        for stem, count in Counter(file.stem for file in files).items()
        if count > 1
    ]
    return cases, tuple(problems)


LAYOUT = Layout("pictures", "a folder of PNG or npy masks", masks=open_pictures)
