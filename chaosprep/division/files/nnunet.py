"""nnU-Net's `splits_final.json`: a list of splits, each with the cases of `train` and `val`.

Source: nnU-Net v2, documentation/manual_data_splits.md.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from chaosprep.division.files.content import Content
from chaosprep.division.files.said import Said, known, unknown_fold
from chaosprep.division.sides import KnownSplit
from chaosprep.files import sha256
from chaosprep.layouts.own_folds import OneSplit, splits_of
from chaosprep.layouts.root import listing

_CHANNEL = re.compile(r"([^.].*)_\d{4}\.", re.ASCII)  # CASE_0000.nii.gz


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

    Those who test are not for nnU-Net to know: they are the cases of an `imagesTs` beside the file,
    and of a list `test` that some people add.

    Raises:
        FileError: `splits-broken`, or as `known` does.
        ChaosprepError: `folder-unreadable`.
    """
    splits = splits_of(content.json)
    tested = {*_beside(content.path)}
    if len(splits) > 1 and _are_folds(splits):
        tested.update(*(one.test for one in splits))
        found = known((*_folds(splits), *_tests(tested)), fold)
    else:
        chosen = fold or 0
        if chosen >= len(splits):
            raise unknown_fold(range(len(splits)), chosen)
        tested.update(splits[chosen].test)
        others = "" if len(splits) == 1 else sha256(msgspec.json.encode(splits))
        found = replace(known((*_sides(splits[chosen]), *_tests(tested)), None), others=others)
    return replace(found, leaves_out_tests=not tested)


def _beside(file: Path) -> Iterator[str]:
    """The cases of the `imagesTs` beside a file of nnU-Net's raw data, by its channels' files."""
    folder = file.parent / "imagesTs"
    if folder.is_dir():
        with listing(), os.scandir(folder) as entries:
            names = (_CHANNEL.match(one.name) for one in entries)
            yield from (fit[1] for fit in names if fit)


def _tests(names: Iterable[str]) -> Iterator[Said]:
    return (Said(name, "test", None) for name in sorted(names))


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
