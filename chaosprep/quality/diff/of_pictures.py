"""Folders images and masks of pictures as a side: every picture that is there, with its mask."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from chaosprep.errors import ChaosprepError, FileError, plural
from chaosprep.formats.legend import legend_in, named
from chaosprep.layouts.pictures import SLICE_ID
from chaosprep.layouts.sides import Tree
from chaosprep.quality.diff.sides import (
    BORROWED,
    Member,
    One,
    Plane,
    Read,
    Side,
    Structures,
    names_for,
)
from chaosprep.quality.foreign.pairs import Looked, Pair, opened

_MOST = 255  # values of a mask


@dataclass(frozen=True)
class _Picture:
    """A picture and its mask, relative to the folder; either may be missing."""

    id: str
    image: str | None
    mask: str | None


def pictures_side(path: Path, tree: Tree, other: Side | None = None) -> Side:
    """The pictures of a folder; those named by slice ids are cases, else each is one.

    What the values of masks stand for says a legend in the folder, else the other side.
    """
    said: dict[int, str] = {}
    with suppress(ChaosprepError):  # what is no legend names nothing
        said = named(legend_in(path) or {})
    known = {} if other is None else dict(other.labels)
    cases: defaultdict[tuple[str, str], list[_Picture]] = defaultdict(list)
    keys = sorted(tree.images.keys() | tree.masks.keys())
    count = Counter(name for _, name in keys)
    for side, name in keys:
        images, masks = (some.get((side, name), [None]) for some in (tree.images, tree.masks))
        stem = name.rpartition("/")[2]
        match = SLICE_ID.fullmatch(stem)
        id = stem if match else name if count[name] == 1 else f"{side}/{name}"
        case = match["case"] if match else id
        cases[case, side].append(_Picture(id, images[0], masks[0]))
    members = {}
    for (case, side), pictures in cases.items():
        read = partial(_slices, str(path), tuple(pictures), said, known)
        own = case if case not in members else f"{side}/{case}"
        members[own] = Member(own, "", side, "", read)
    twice = sum(len(paths) > 1 for some in (tree.images, tree.masks) for paths in some.values())
    problems = twice + len(tree.faults) + len(tree.warnings)
    notes = []
    if problems:
        several = plural(problems, "problem")
        notes.append(f"{path}: {several}, which verify lists: not everything is compared")
    if not said and known:
        notes.append(f"{path}: {BORROWED}")
    labels = {str(value): name for value, name in said.items()}
    return Side("folder of pictures", members, labels, notes=tuple(notes))


def _slices(
    root: str, pictures: Sequence[_Picture], said: Mapping[int, str], known: Mapping[str, str]
) -> Read:
    return Read(
        [
            One(
                one.id,
                None,
                partial(_plane, root, one.id, one.image, "image"),
                partial(_mask, root, one, said, known),
            )
            for one in pictures
        ]
    )


def _plane(root: str, id: str, path: str | None, kind: str) -> Plane | None:
    if path is None:
        return None
    looked = Looked(pair=Pair(root, id, "", path, None))
    array = opened(looked, path, kind)
    if array is None:
        fault = looked.faults[0]
        error = FileError(fault.reason, fault.remedy, fault.code)
        error.file = path
        raise error
    return array


def _mask(
    root: str, one: _Picture, said: Mapping[int, str], known: Mapping[str, str]
) -> Structures | None:
    array = _plane(root, one.id, one.mask, "mask")
    if array is None:
        return None
    values = np.unique(array)
    histogram = values[values != 0]
    if len(histogram) > _MOST or not np.array_equal(histogram, np.rint(histogram)):
        reason = f"the mask is not a label map: it holds {len(histogram)} different values"
        error = FileError(reason, "Save it with one whole number for each organ.", "mask-values")
        error.file = one.mask
        raise error
    names = names_for([int(value) for value in histogram], said, known)
    found: dict[str, Plane] = {}
    for value, name in names.items():
        here = array == value
        found[name] = found[name] | here if name in found else here
    return found
