"""nnU-Net's `splits_final.json`: a list of splits, each with the cases of `train` and `val`.

Source: nnU-Net v2, documentation/manual_data_splits.md.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from chaosprep.division.files.content import Content
from chaosprep.division.files.said import Said, known, unknown_fold
from chaosprep.division.sides import KnownSplit
from chaosprep.files import sha256
from chaosprep.layouts.own_folds import OneSplit, splits_of


def takes(content: Content) -> bool:
    """Whether it is a list of objects with `train` and `val`."""
    found = content.json
    return isinstance(found, list) and bool(found) and all(map(_is_split, found))


def _is_split(found: object) -> bool:
    return isinstance(found, dict) and {"train", "val"} <= found.keys()


def read(content: Content, fold: int | None) -> KnownSplit:
    """The sides of its cases; they have folds where each validates in one of several splits.

    So they do, repeated, where the splits are folds several times over. One that trains in all of
    them is on the side train. Where cases validate at random, `--fold` chooses the split, the
    first by default, and there are no folds.

    Raises:
        FileError: `splits-broken`, or as `known` does.
    """
    splits = splits_of(content.json)
    if len(splits) > 1 and _are_folds(splits):
        return known(_folds(splits), fold)
    chosen = fold or 0
    if chosen >= len(splits):
        raise unknown_fold(range(len(splits)), chosen)
    others = "" if len(splits) == 1 else sha256(msgspec.json.encode(splits))
    return replace(known(_sides(splits[chosen]), None), others=others)


def _are_folds(splits: Sequence[OneSplit]) -> bool:
    """Whether all cases are in every split, and validate once, or all of them time for time."""
    everybody = {*splits[0].train, *splits[0].val}
    if any(everybody.symmetric_difference((*one.train, *one.val)) for one in splits):
        return False
    validating = {name for one in splits for name in one.val}
    begun = set[str]()
    folds, sizes = 0, set[int]()
    for one in splits:
        if not one.val or begun.intersection(one.val):
            return False
        begun.update(one.val)
        folds += 1
        if begun == validating:
            sizes.add(folds)
            begun, folds = set(), 0
    is_once = sizes == {len(splits)}
    return not folds and len(sizes) == 1 and 1 not in sizes and (is_once or validating == everybody)


def _folds(splits: Sequence[OneSplit]) -> Iterator[Said]:
    of = defaultdict[str, list[int]](list)
    for at, one in enumerate(splits):
        for name in one.val:
            of[name].append(at)
    for name in (*splits[0].train, *splits[0].val):
        folds = tuple(of[name])
        if folds:
            yield Said(name, None, folds[0], folds if len(folds) > 1 else ())
        else:
            yield Said(name, "train", None)


def _sides(split: OneSplit) -> Iterator[Said]:
    yield from (Said(name, "train", None) for name in split.train)
    yield from (Said(name, "val", None) for name in split.val)
