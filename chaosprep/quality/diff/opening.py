"""What A and B are: stage directories, dataset roots, folders of pictures, or masks alone."""

from pathlib import Path

from chaosprep.dataset.manifest import DESCRIPTOR, WORKSPACE
from chaosprep.dataset.opening import is_stage_directory, open_dataset
from chaosprep.dataset.table import FIRST
from chaosprep.errors import NothingFoundError, UsageError
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.mask_set import MaskSet
from chaosprep.layouts.sides import Tree, sort_sides
from chaosprep.layouts.table import find_masks
from chaosprep.quality.diff.of_masks import masks_side
from chaosprep.quality.diff.of_pictures import pictures_side
from chaosprep.quality.diff.of_root import plain_side, root_side
from chaosprep.quality.diff.of_stage import stage_side
from chaosprep.quality.diff.sides import Side
from chaosprep.quality.foreign.plain_volumes import find_plain

_Found = Side | MaskSet | Tree


def open_sides(a: Path, b: Path, params: LayoutParams) -> tuple[Side, Side]:
    """Open what is to be compared; what one does not say of itself, the other may.

    Raises:
        UsageError: there is nothing, or a parameter will not do.
        NothingFoundError: one is none of these.
        ProblemsError: one is a dataset root of which no case can be taken.
    """
    first, second = _found(a, params), _found(b, params)
    before = _side(a, first, second, _side(b, second, first, None))
    return before, _side(b, second, first, before)


def _side(path: Path, found: _Found, beside: _Found, other: Side | None) -> Side:
    if isinstance(found, Side):
        return found
    if isinstance(found, Tree):
        return pictures_side(path, found, other)
    if not isinstance(beside, MaskSet):
        return masks_side(found, other)
    pair = (found, beside)
    are_files = all(one.path.is_file() and len(one.members) == 1 for one in pair)
    sole = min(id for one in pair for id in one.members) if are_files else None
    return masks_side(found, other, sole_id=sole, by_value=len(beside.labels) > 1)


def _found(path: Path, params: LayoutParams) -> _Found:
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder", "Check the path.", "root")
    if path.is_file():
        return find_masks(path)
    if not path.is_dir():
        reason = f"{path}: it is neither a file nor a folder"
        raise UsageError(reason, "Give a folder, or a file of masks.", "root")
    has_table = any((path / name).exists() for name in FIRST)
    has_parts = has_table and (path / DESCRIPTOR).exists()
    if has_parts or (path / WORKSPACE).exists() or is_stage_directory(path):
        return stage_side(open_dataset(path))
    try:
        return root_side(path, find(path, params, strict=False))
    except NothingFoundError as error:
        plain = find_plain(path, params)
        if plain is not None:
            told = bool(params.patients or params.patient_from_name)
            return plain_side(path, plain, has_patients=told)
        tree = sort_sides(path)
        if tree.images:
            return tree
        try:
            return find_masks(path)
        except NothingFoundError:
            raise error from None
