"""Any folder with train/val(/test) and images/masks, its files sorted into sides and kinds."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from chaosprep.dataset.naming import is_of_system
from chaosprep.errors import Problem
from chaosprep.formats.masks import plane_endings
from chaosprep.formats.pictures import PICTURES

Key = tuple[str, str]
"""The side of a file, and its path without kind and ending."""

SIDES = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "ts"), "test"),
}
"""Folder name -> side of the split."""

KINDS = {
    **dict.fromkeys(("images", "image", "imgs", "img", "data"), "image"),
    **dict.fromkeys(("masks", "mask", "ground", "labels", "label"), "mask"),
    **dict.fromkeys(("segmentations", "segmentation", "segs", "seg", "gt"), "mask"),
}
"""Folder name -> what is in it; the innermost one on a path counts."""

_SUFFIX = {
    "image": re.compile(r"[-_ ](image|img)$", re.IGNORECASE),
    "mask": re.compile(r"[-_ ](mask|seg|segmentation|labels?|gt)$", re.IGNORECASE),
}
_PREFIX = {
    "image": re.compile(r"(images?|imgs?|im|volume|vol)[-_ ]?(?=\d)", re.IGNORECASE),
    "mask": re.compile(r"(masks?|segmentation|seg|labels?|lb|gt)[-_ ]?(?=\d)", re.IGNORECASE),
}
_MASK = re.compile(r"(?:^|[-_ /])(?:mask|seg|segmentation|labels?|gt)$", re.IGNORECASE)


@dataclass
class Tree:
    """The files of a folder by key: side and path without kind and ending."""

    images: dict[Key, list[str]] = field(default_factory=lambda: defaultdict(list))
    masks: dict[Key, list[str]] = field(default_factory=lambda: defaultdict(list))
    faults: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def sort_sides(root: Path, endings: tuple[str, ...] = ()) -> Tree:
    """Sort the files below a folder by side and kind; links are not followed.

    They are pictures and other masks of one slice, or have one of these ``endings``.
    """
    known = endings or slice_endings()
    tree = Tree()

    def unreadable(error: OSError) -> None:
        path = Path(error.filename).relative_to(root).as_posix()
        reason = f"the folder cannot be read ({error.strerror})"
        tree.faults.append(_problem("folder-unreadable", path, reason, "Make it readable."))

    for folder, folders, files in os.walk(root, onerror=unreadable):
        place = PurePosixPath(Path(folder).relative_to(root).as_posix())
        for name in sorted(folders):
            if (Path(folder) / name).is_symlink():
                reason = "the folder is a link and was not read"
                remedy = "Put the folder itself in its place."
                tree.warnings.append(_problem("folder-link", str(place / name), reason, remedy))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not (name.startswith(".") or is_of_system(name)):
                _sort_in(tree, place / name, known)
    _take_masks_among_images(tree)
    _pair_by_number(tree)
    return tree


def is_called_mask(name: str) -> bool:
    """Whether a name without its ending says of itself that it is a mask: `case7_seg`."""
    return bool(_MASK.search(name))


def _take_masks_among_images(tree: Tree) -> None:
    """Where no folder is of masks: `a_mask` among the images is the mask of the image `a`."""
    if tree.masks:
        return
    for side, name in list(tree.images):
        image = side, _SUFFIX["mask"].sub("", name)
        if image[1] != name and image in tree.images:
            tree.masks[image] += tree.images.pop((side, name))


def _pair_by_number(tree: Tree) -> None:
    """Give masks without an image the key of the only one of their number: `img7` and `label7`."""
    lone = (tree.images.keys() - tree.masks.keys(), tree.masks.keys() - tree.images.keys())
    images, masks = (_by_number(keys, kind) for keys, kind in zip(lone, _PREFIX, strict=True))
    for number in images.keys() & masks.keys():
        if len(images[number]) == len(masks[number]) == 1:
            tree.masks[images[number][0]] = tree.masks.pop(masks[number][0])


def _bare(stem: str, kind: str) -> str:
    match = _PREFIX[kind].match(stem)
    return stem[match.end() :] if match else stem


def _by_number(keys: Iterable[Key], kind: str) -> dict[tuple[str, ...], list[Key]]:
    """The keys by what is left of them without what their files are called by their kind."""
    found: dict[tuple[str, ...], list[Key]] = defaultdict(list)
    for side, name in keys:
        folder, _, stem = name.rpartition("/")
        found[side, folder, _bare(stem, kind)].append((side, name))
    return found


def slice_endings() -> tuple[str, ...]:
    """The endings of files that hold one slice: pictures, and other masks of one."""
    return tuple(dict.fromkeys((*PICTURES, *plane_endings())))


def _sort_in(tree: Tree, path: PurePosixPath, endings: tuple[str, ...]) -> None:
    key, kind = key_of(path, endings)
    if not kind:
        return
    if not path.name.casefold().endswith(endings):
        reason = f"not one of the formats that are read ({', '.join(endings)})"
        remedy = "Save it as PNG, or move it out of the folder."
        tree.warnings.append(_problem("format", str(path), reason, remedy))
        return
    (tree.images if kind == "image" else tree.masks)[key].append(str(path))


def key_of(path: PurePosixPath, endings: tuple[str, ...]) -> tuple[Key, str]:
    """The key of a file, its side and the rest of its path, and its kind; either may be empty."""
    side, kind, rest = "", "", list[str]()
    for part in path.parts[:-1]:
        name = part.casefold()
        if not side and name in SIDES:
            side = SIDES[name]
        elif name in KINDS:
            rest += [] if not kind else [kind]
            kind = KINDS[name]
        else:
            rest.append(part)
    known = [end for end in endings if path.name.casefold().endswith(end)]
    stem = path.name[: -len(max(known, key=len))] if known else path.name
    stem = _SUFFIX[kind].sub("", stem or path.name) if kind else stem or path.name
    return (side, "/".join([*rest, stem])), kind


def _problem(code: str, path: str, reason: str, remedy: str) -> Problem:
    return Problem(code=code, id=path, file=path, reason=reason, remedy=remedy)
