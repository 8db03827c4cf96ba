"""Folders images and masks (or labels) of volumes, with or without sides around them."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from chaosprep.dataset.records import Split
from chaosprep.errors import NothingFoundError, Problem
from chaosprep.formats.label_table import parse_labels
from chaosprep.formats.legend import legend_in
from chaosprep.formats.masks import volume_endings
from chaosprep.layouts.find import LayoutParams
from chaosprep.layouts.label_map import with_label_map
from chaosprep.layouts.layout import Where
from chaosprep.layouts.named_cases import Channel, Faults, NamedCase, make_root
from chaosprep.layouts.root import Root, read_origin
from chaosprep.layouts.sides import Tree, is_called_mask, sort_sides
from chaosprep.quality.foreign.pairs import problem
from chaosprep.quality.foreign.volume_file import is_volume

_SHOWN = 3  # files that are named in notes
_SPLITS: dict[str, Split] = {"train": "train", "val": "val", "test": "test"}

NO_MASKS = "no image has a mask: only images were looked at"


def refuse_volumes(root: Path) -> None:
    """Refuse a folder of volumes of which nothing tells the images from the masks.

    Raises:
        NothingFoundError: `volumes-only`.
    """
    if any(is_volume(name) for _, _, files in os.walk(root) for name in files):
        raise NothingFoundError(
            f"{root}: there are volumes below it, but nothing tells images from masks",
            "Say where they are: --images 'images/{patient}.nii.gz' --masks "
            "'labels/{patient}.nii.gz'.",
            code="volumes-only",
        )


def find_plain(root: Path, params: LayoutParams) -> Root | None:
    """The cases of such a folder; None where it has no volume among its images.

    Raises:
        ChaosprepError: a legend beside the masks, or what was said of patients, will not do.
    """
    tree = sort_sides(root, volume_endings())
    if not any(is_volume(path) for paths in tree.images.values() for path in paths):
        return None
    if not tree.masks and any(is_called_mask(name) for _, name in tree.images):
        return None  # images and masks in one folder: which is which is told by patterns
    notes = [*([] if tree.masks else [NO_MASKS]), *_unread(tree)]
    where = Where(
        strict=False,
        patient_from_name=params.patient_from_name,
        patients=params.patients,
    )
    faults = Faults(root, where)
    cases = _cases(tree, faults)
    legend = legend_in(root) or {}
    found = make_root(cases, faults, legend=legend, origin=read_origin(root))
    found = replace(found, notes=(*notes, *found.notes))
    table = None if params.labels is None else parse_labels(params.labels)
    return with_label_map(found, table, params.roi, params.threshold)


def _unread(tree: Tree) -> Iterator[str]:
    """What lies among the volumes and was not read: links to folders, and files of other kinds."""
    for one in tree.warnings[:_SHOWN]:
        yield f"{one.file}: {one.reason}"
    if len(tree.warnings) > _SHOWN:
        yield f"{len(tree.warnings) - _SHOWN} more files or folders were not read"


def _cases(tree: Tree, faults: Faults) -> list[NamedCase]:
    faults.problems += tree.faults
    with_masks = {side for side, _ in tree.masks}
    found, count = [], Counter(name for _, name in tree.images)
    for (side, name), paths in sorted(tree.images.items()):
        masks = tree.masks.pop((side, name), [])
        faults.problems += [*_twice(name, paths), *_twice(name, masks)]
        if not masks and side in with_masks:
            reason = "no mask belongs to this image"
            faults.problems.append(problem("mask-missing", name, paths[0], reason))
        own = name if count[name] == 1 else f"{side}-{name}"
        found.append(
            NamedCase(
                own,
                (Channel("image", paths[0]),),
                masks[0] if masks else None,
                "test" if side == "test" else "train",
                split=_SPLITS.get(side),
            )
        )
    for (_, name), paths in tree.masks.items():
        reason = "no image belongs to this mask"
        faults.problems.append(problem("mask-surplus", name, paths[0], reason))
    return found


def _twice(name: str, paths: list[str]) -> list[Problem]:
    reason = f"it has the same name as {paths[0]}, except for its ending" if paths else ""
    return [problem("name-twice", name, path, reason) for path in paths[1:]]
