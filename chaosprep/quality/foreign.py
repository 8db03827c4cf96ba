"""Any other folder with train/val(/test) and images/masks: what can be said of it by its pixels."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from chaosprep.errors import NothingFoundError, Problem
from chaosprep.quality.findings import Findings
from chaosprep.quality.foreign_pairs import Pair, level_faults, look, problem
from chaosprep.quality.leaks import Sighting, duplicates, patients_by_name
from chaosprep.running.mapping import map_cases

SIDES = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "ts"), "test"),
}
"""Folder name -> side of the split."""

KINDS = {
    **dict.fromkeys(("images", "image", "imgs", "img", "data"), "image"),
    **dict.fromkeys(("masks", "mask", "ground", "labels", "label"), "mask"),
}
"""Folder name -> what is in it; the innermost one on a path counts."""

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".npy")
_SUFFIX = {
    "image": re.compile(r"[-_ ](image|img)$", re.IGNORECASE),
    "mask": re.compile(r"[-_ ](mask|seg|segmentation|labels?|gt)$", re.IGNORECASE),
}
_NOTE = (
    "patients are unknown in a folder without a manifest: only equal and similar pixels, and names "
    "that look like patients, can show that one is on two sides"
)


@dataclass
class Tree:
    """The files of a folder by key: side and path without kind and ending."""

    images: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    masks: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    problems: Findings = field(default_factory=Findings)


@dataclass(frozen=True)
class FolderFindings:
    """What was found: sides, number of image files, problems, and what cannot be known."""

    sides: int
    images: int
    found: Findings
    note: str = _NOTE


def is_foreign(root: Path) -> bool:
    """Whether a folder has images that this module can check."""
    return bool(walk(root).images)


def check_folder(root: Path, *, jobs: int = 1) -> FolderFindings:
    """Check every pair of a folder, and its sides against each other.

    Raises:
        NothingFoundError: no images are where they would be looked for.
    """
    tree = walk(root)
    if not tree.images:
        raise NothingFoundError(
            f"{root}: no images in folders such as train/images and train/masks",
            "Give the folder that holds the sides of the split.",
            "nothing",
        )
    total = tree.problems
    pairs = list(_paired(root, tree, total))
    looked, failed = map_cases(look, pairs, lambda pair: pair.id, jobs)
    total.faults += failed
    for one in looked:
        total.faults += one.faults
        total.warnings += one.warnings
    looked.sort(key=lambda one: (one.pair.side, one.pair.id))
    total.faults += level_faults(looked)
    sides = [Sighting(o.pair.id, o.pair.side, o.pair.image, o.digest, o.picture) for o in looked]
    found = duplicates(sides, jobs=jobs)
    total.faults += found.faults
    total.warnings += [*found.warnings, *patients_by_name(sides)]
    return FolderFindings(len({one.pair.side for one in looked}), len(pairs), total)


def walk(root: Path) -> Tree:
    """Sort the files below a folder by side and kind; links are not followed."""
    tree = Tree()

    def unreadable(error: OSError) -> None:
        path = Path(error.filename).relative_to(root).as_posix()
        reason = f"the folder cannot be read ({error.strerror})"
        tree.problems.faults.append(problem("folder-unreadable", path, path, reason))

    for folder, folders, files in os.walk(root, onerror=unreadable):
        place = Path(folder).relative_to(root)
        for name in sorted(folders):
            if (Path(folder) / name).is_symlink():
                path = (place / name).as_posix()
                reason = "the folder is a link and was not read"
                tree.problems.warnings.append(problem("folder-link", path, path, reason))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                _sort_in(tree, PurePosixPath((place / name).as_posix()))
    return tree


def _sort_in(tree: Tree, path: PurePosixPath) -> None:
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
    if not kind:
        return
    if path.suffix.casefold() not in ENDINGS:
        text = str(path)
        reason = f"not one of the formats that are read ({', '.join(ENDINGS)})"
        tree.problems.warnings.append(problem("format", text, text, reason))
        return
    stem = _SUFFIX[kind].sub("", path.stem)
    key = (side, "/".join([*rest, stem]))
    (tree.images if kind == "image" else tree.masks)[key].append(str(path))


def _paired(root: Path, tree: Tree, total: Findings) -> Iterator[Pair]:
    """Yield each image with its mask, and note what has no partner, or two."""
    with_masks = {side for side, _ in tree.masks}
    for side in sorted({side for side, _ in tree.images} - with_masks):
        reason = f"no image of {side or 'the folder'} has a mask"
        total.warnings.append(problem("no-masks", side or ".", None, reason))
    for key, paths in sorted(tree.images.items()):
        side, name = key
        id = f"{side}/{name}" if side else name
        masks = tree.masks.pop(key, [])
        total.faults += _twice(id, paths)
        total.faults += _twice(id, masks)
        if not masks and side in with_masks:
            reason = "no mask belongs to this image"
            total.faults.append(problem("mask-missing", id, paths[0], reason))
        yield Pair(str(root), id, side, paths[0], masks[0] if masks else None)
    for (side, name), paths in sorted(tree.masks.items()):
        id = f"{side}/{name}" if side else name
        reason = "no image belongs to this mask"
        total.faults.append(problem("mask-surplus", id, paths[0], reason))


def _twice(id: str, paths: list[str]) -> Iterator[Problem]:
    for path in paths[1:]:
        reason = f"it has the name of {paths[0]} but for its ending"
        yield problem("name-twice", id, path, reason)
