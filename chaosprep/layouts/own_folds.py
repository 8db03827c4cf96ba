"""nnU-Net's `splits_final.json`: the folds, or the one split, that a data set has of its own."""

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

import msgspec

from chaosprep.dataset.records import Split
from chaosprep.errors import FileError, UsageError
from chaosprep.layouts.dataset_json import read_json
from chaosprep.layouts.named_cases import Faults

SPLITS = "splits_final.json"
Side = tuple[Split | None, int | None]

_ANEW = "divide the patients again: --redivide"


class OneSplit(msgspec.Struct, frozen=True):
    """One of the splits in the file: the names of the cases that train, and that validate.

    Some people write beside them those that test, which nnU-Net does not read.
    """

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All cases that it names."""
        return (*self.train, *self.val, *self.test)


def own_folds(names: Collection[str], faults: Faults) -> dict[str, Side] | None:
    """The side and the fold of each case, as a `splits_final.json` beside has them.

    Several splits are folds where each case validates in one and trains in all others; its fold is
    then where it validates. One that trains in all of them is on the side train. None where there
    is no such file, or the patients are to be divided anew; cases of no split are a problem and not
    there.

    Raises:
        UsageError: `splits-broken`, it cannot be used.
    """
    folder = faults.folder
    if faults.where.redivide or not (folder / SPLITS).exists():
        return None
    splits = _read(folder)
    trains, validates = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for at, one in enumerate(splits):
        for name in one.train:
            trains[name].append(at)
        for name in one.val:
            validates[name].append(at)
    strange = sorted((trains.keys() | validates.keys()).difference(names))
    faults.tell_cases(
        "splits-broken",
        strange,
        f"in {SPLITS}, but without an image and labels: {faults.cases(strange)}",
        f"Bring them back, correct that file, or {_ANEW}.",
    )
    found: dict[str, Side] = {}
    for name in names:
        val = validates[name]
        if len(val) > 1 or len(val) + len(trains[name]) != len(splits):
            continue
        alone = len(splits) == 1 or not val
        found[name] = ("val" if val else "train", None) if alone else (None, val[0])
    odd: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if name not in found:
            odd[_fault(trains[name], validates[name])].append(name)
    for fault, some in odd.items():
        faults.tell_cases(
            "splits-broken",
            some,
            f"{fault} of {SPLITS}: {faults.cases(some)}",
            f"Leave one split in that file, which names every case once, or {_ANEW}.",
        )
    return found


def _fault(trains: list[int], validates: list[int]) -> str:
    """What is wrong with a case that trains and validates in these splits."""
    if not (trains or validates):
        return "in no split"
    if len(validates) > 1:
        return "for validation in several splits"
    return "not in every split"


def _read(folder: Path) -> list[OneSplit]:
    try:
        return splits_of(read_json(folder / SPLITS))
    except FileError as error:
        raise UsageError(
            f"{SPLITS}: {error.reason}", f"Correct or remove it, or {_ANEW}.", code="splits-broken"
        ) from error


def splits_of(found: object) -> list[OneSplit]:
    """The splits that a `splits_final.json` says, one at least; none has a case twice.

    Raises:
        FileError: `splits-broken`.
    """
    try:
        splits = msgspec.convert(found, list[OneSplit])
    except msgspec.ValidationError as error:
        raise _useless("it is not a list of splits with train and val") from error
    if not splits:
        raise _useless("it has no split")
    if any(len({*one.names}) < len(one.names) for one in splits):
        raise _useless("a case occurs twice in one split")
    return splits


def _useless(why: str) -> FileError:
    return FileError(why, "Correct it.", code="splits-broken")
