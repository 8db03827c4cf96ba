"""Any other folder with train/val(/test) and images/masks: what can be said of it by its pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from chaosprep.errors import ChaosprepError, Problem
from chaosprep.formats.legend import legend_in
from chaosprep.layouts.sides import Tree
from chaosprep.quality.alike.leaks import duplicates, patients_by_name
from chaosprep.quality.findings import Findings
from chaosprep.quality.foreign.empties import empty_masks
from chaosprep.quality.foreign.listed import Listed, take_out, with_legend
from chaosprep.quality.foreign.pairs import Looked, Pair, level_faults, look, problem
from chaosprep.running.mapping import map_cases

NOTE = (
    "patients are unknown in a folder without a manifest: only equal and similar pixels, and names "
    "that look like patients, can show that one is on two sides"
)


def check_folder(root: Path, tree: Tree, listed: Listed, *, jobs: int = 1) -> Findings:
    """Check every pair of a folder, and its sides against each other; see `look_at_folder`."""
    total, _ = look_at_folder(root, tree, listed, jobs=jobs)
    total.warnings += patients_by_name(total.seen)
    total.add(duplicates(total.seen, jobs=jobs))
    if not all(one.patient for one in total.seen):
        total.notes.append(NOTE)
    total.cases = len({one.side for one in total.seen})
    return total


def look_at_folder(
    root: Path, tree: Tree, listed: Listed, *, jobs: int = 1
) -> tuple[Findings, list[Looked]]:
    """Check every pair of a folder by itself, and the levels of its masks together.

    Args:
        root: the folder.
        tree: its files, by the names of the folders.
        listed: what tables in it say, which goes before.
        jobs: worker processes.

    Returns:
        What was found, and what each pair showed.
    """
    take_out(tree, listed)
    unpaired = Findings(tree.faults, tree.warnings)
    unpaired.add(listed)
    legend = _legend(root, unpaired)
    pairs = [*listed.pairs, *_paired(root, tree, listed, unpaired)]
    unpaired.faults += _without_mask(listed.pairs)
    pairs = [with_legend(pair, legend) for pair in pairs]
    looked, failed = map_cases(look, pairs, lambda pair: pair.id, jobs)
    total = Findings.of([unpaired, *looked], failed)
    total.faults += level_faults(looked)
    total.add(empty_masks(looked))
    return total, looked


def _legend(root: Path, found: Findings) -> dict[int, str] | None:
    """What a legend in the folder names; one that cannot be understood is a note."""
    try:
        legend = legend_in(root)
    except ChaosprepError as error:
        found.notes.append(f"the names of values were not compared: {error.reason}")
        return None
    return {value: label.name for value, label in legend.items()} if legend else None


def _without_mask(pairs: Sequence[Pair]) -> Iterator[Problem]:
    """Images whose line names no mask, on a side where others have one."""
    with_masks = {pair.side for pair in pairs if pair.mask}
    for pair in pairs:
        if pair.mask is None and pair.side in with_masks:
            reason = "no mask belongs to this image"
            yield problem("mask-missing", pair.id, pair.image, reason)


def _paired(root: Path, tree: Tree, listed: Listed, found: Findings) -> Iterator[Pair]:
    """Yield each image with its mask, and note what has no partner, or two."""
    with_masks = {side for side, _ in tree.masks}
    for side in sorted({side for side, _ in tree.images} - with_masks):
        reason = f"no image of {side or 'the folder'} has a mask"
        found.warnings.append(problem("no-masks", side or ".", None, reason))
    for key, paths in sorted(tree.images.items()):
        side, id = key[0], _id(*key)
        masks = tree.masks.pop(key, [])
        found.faults += [*_twice(id, paths), *_twice(id, masks)]
        if not masks and side in with_masks:
            reason = "no mask belongs to this image"
            found.faults.append(problem("mask-missing", id, paths[0], reason))
        known = listed.unpaired.get(paths[0])
        pair = known or Pair(str(root), id, side, paths[0], None)
        yield replace(pair, mask=masks[0] if masks else None)
    for key, paths in tree.masks.items():
        reason = "no image belongs to this mask"
        found.faults.append(problem("mask-surplus", _id(*key), paths[0], reason))


def _twice(id: str, paths: list[str]) -> Iterator[Problem]:
    for path in paths[1:]:
        reason = f"it has the same name as {paths[0]}, except for its ending"
        yield problem("name-twice", id, path, reason)


def _id(side: str, name: str) -> str:
    return f"{side}/{name}" if side else name
