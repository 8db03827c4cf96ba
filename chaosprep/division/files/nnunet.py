"""nnU-Net's `splits_final.json`: a list of splits, each with the cases of `train` and `val`.

Source: nnU-Net v2, documentation/manual_data_splits.md.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from chaosprep.division.files.content import Content
from chaosprep.division.files.said import Said, settled, unknown_fold
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

    One that trains in all of them is on the side train. Where cases validate in several (random
    splits), `--fold` chooses the split, the first by default, and there are no folds.

    Raises:
        FileError: `splits-broken`, or as `settled` does.
    """
    splits = splits_of(content.json)
    if len(splits) > 1 and _are_folds(splits):
        return KnownSplit(settled(_folds(splits), fold))
    chosen = fold or 0
    if chosen >= len(splits):
        raise unknown_fold(range(len(splits)), chosen)
    others = "" if len(splits) == 1 else sha256(msgspec.json.encode(splits))
    return KnownSplit(settled(_sides(splits[chosen]), None), others=others)


def _are_folds(splits: Sequence[OneSplit]) -> bool:
    """Whether every case is in every split, and validates in one at most."""
    validates = Counter(name for one in splits for name in one.val)
    there = [{*one.train, *one.val} for one in splits]
    return set(validates.values()) == {1} and all(names == there[0] for names in there)


def _folds(splits: Sequence[OneSplit]) -> Iterator[Said]:
    of = {name: at for at, one in enumerate(splits) for name in one.val}
    for name in (*splits[0].train, *splits[0].val):
        fold = of.get(name)
        yield Said(name, "train" if fold is None else None, fold)


def _sides(split: OneSplit) -> Iterator[Said]:
    yield from (Said(name, "train", None) for name in split.train)
    yield from (Said(name, "val", None) for name in split.val)
