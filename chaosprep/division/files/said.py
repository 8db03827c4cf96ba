"""What a file of a split says of each name, and what all of it comes to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice

from chaosprep.dataset.records import Split
from chaosprep.division.sides import Side, Sides
from chaosprep.errors import FileError, plural

_SIDES: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training", "tr"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "ts"),
}
SIDES: dict[str, Split] = {word: side for side, words in _SIDES.items() for word in words}
"""What people call a side, in small letters -> the side."""
NAMES = ("patient", "patient_id", "subject", "subject_id", "case", "case_id", "name", "id")
SIDE_NAMES = ("side", "split", "set", "subset", "partition")
"""What people call the two columns, the usual first; a fold is called `fold`."""

_NO_FOLD = ("", "-", "-1", "none", "null", "nan", "na", "n/a")
_FOLD = re.compile(r"\d{1,9}(?:\.0*)?", re.ASCII)  # tables with gaps write 2.0
_SHOWN = 3
_MOST = 200_000  # names: no data set has as many patients
CORRECT = "Correct the file."


@dataclass(frozen=True)
class Said:
    """A line of a split: a name, its side where one is given, its fold where it has one.

    ``folds`` are those of every time that the patients were divided, where that was repeated.
    """

    name: str
    side: Split | None
    fold: int | None
    folds: tuple[int, ...] = ()


def side_of(text: str, place: str) -> Split | None:
    """The side that a text tells; None where it is empty.

    Raises:
        FileError: `split-file`.
    """
    word = text.strip().casefold()
    if word and word not in SIDES:
        raise useless(f"{place} has a side that is none of train, val and test")
    return SIDES[word] if word else None


def fold_of(value: object, place: str) -> int | None:
    """The fold that a cell or a number tells; None where it is empty, or says that there is none.

    Raises:
        FileError: `split-file`.
    """
    text = "" if value is None else str(value).strip().casefold()
    if text in _NO_FOLD:
        return None
    if isinstance(value, bool) or not _FOLD.fullmatch(text):
        raise useless(f"{place} has a fold that is no whole number")
    return int(text.partition(".")[0])


def settled(said: Iterable[Said], fold: int | None) -> Sides:
    """The side and the fold of every name.

    A chosen ``fold`` validates, and all others train; else the sides count, and where there are
    folds alone, the first of them validates. Whoever tests has no fold.

    Raises:
        FileError: `split-file-leak`, a name is on several sides; `fold-unknown`, or `split-file`.
    """
    lines = [one for one in islice(said, _MOST + 1) if one.side or one.fold is not None]
    if len(lines) > _MOST:
        raise useless(f"it has more than {_MOST} names", "Check what it is.")
    folds = sorted({one.fold for one in lines if one.fold is not None and one.side != "test"})
    if fold is not None and fold not in folds:
        raise unknown_fold(folds, fold)
    first = folds[0] if folds else None
    sides: Sides = {}
    torn: dict[str, None] = {}
    for one in lines:
        side = _side(one, fold, first)
        if sides.setdefault(one.name, side) != side:
            torn[one.name] = None
    if torn:
        raise leak(list(torn))
    for at in folds:
        if len({side for side, own in sides.values() if own == at}) > 1:
            raise useless(
                f"a part of fold {at} validates and a part of it trains",
                "Correct the file, or say which fold validates: --fold N.",
            )
    if not sides:
        raise useless("it tells nobody's side")
    return sides


def at_fold(said: Iterable[Said], fold: int | None) -> list[Said]:
    """The same as they were divided the time that has a fold, where it was several times."""
    lines = list(said)
    times = {at: time for one in lines for time, at in enumerate(one.folds)}
    if fold not in times:
        return lines
    return [replace(one, fold=one.folds[times[fold]]) if one.folds else one for one in lines]


def _side(one: Said, chosen: int | None, first: int | None) -> Side:
    if one.side == "test":
        return "test", None
    if one.fold is None or (chosen is None and one.side is not None):
        return one.side or "train", one.fold
    return ("val" if one.fold == (first if chosen is None else chosen) else "train"), one.fold


def unknown_fold(folds: Iterable[int], fold: int) -> FileError:
    """The error of a fold that the file does not have."""
    there = ", ".join(map(str, folds))
    return FileError(
        f"it has {f'the folds {there}' if there else 'no folds'} (--fold: {fold})",
        "Choose one of them with --fold." if there else "Leave --fold out.",
        code="fold-unknown",
    )


def leak(names: list[str]) -> FileError:
    """The error of names that are on several sides or folds."""
    return FileError(
        f"{plural(len(names), 'name')} on several sides or folds: the split leaks",
        "Correct the file: all that is of one patient belongs on one side, into one fold.",
        code="split-file-leak",
    )


def useless(why: str, remedy: str = CORRECT) -> FileError:
    """A file that cannot be used as a split."""
    return FileError(why, remedy, code="split-file")


def shown(names: Iterable[str]) -> str:
    """The first of some names: `a, b, c, ...`."""
    listed = list(names)
    return f"{', '.join(listed[:_SHOWN])}{', ...' if len(listed) > _SHOWN else ''}"
