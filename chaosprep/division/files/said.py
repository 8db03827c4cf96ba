"""What a file of a split says of each name, and what all of it comes to."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from chaosprep.dataset.records import Split
from chaosprep.division.sides import KnownSplit, Side, Sides
from chaosprep.errors import FileError, plural
from chaosprep.printable import printable
from chaosprep.words import shortened

_SIDES: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training", "tr"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "ts"),
}
SIDES: dict[str, Split] = {word: side for side, words in _SIDES.items() for word in words}
"""What people call a side, in small letters -> the side."""
PATIENTS = (
    *("patient", "patient_id", "patientid", "subject", "subject_id", "subjectid"),
    *("participant", "participant_id"),
)
NAMES = (*PATIENTS, "case", "case_id", "caseid", "name", "id")
SIDE_NAMES = ("side", "split", "set", "subset", "partition")
"""What people call these columns, the usual first; a fold is called `fold`."""

_NO_FOLD = ("", "-", "-1", "none", "null", "nan", "na", "n/a")
_FOLD = re.compile(r"\d{1,9}(?:\.0*)?", re.ASCII)  # tables with gaps write 2.0
_SHOWN = 3
_LONGEST = 255  # letters of a name that is shown: no file has more
_MOST = 200_000  # names, and folds: no data set has as many patients
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
        raise useless(f"{place} has a side that is not train, val or test")
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
        raise useless(f"{place} has a fold that is not a whole number")
    number = int(text.partition(".")[0])
    if number > _MOST:  # a date, or a number of a patient
        raise useless(f"{place} has a fold above {_MOST}, which no data set has")
    return number


def said_of(name: str, side: str, fold: object, folds: object, place: str) -> Said:
    """What a line says of a name: a side, a fold or both; of repeated folds, a number each time.

    Raises:
        FileError: `split-file`.
    """
    texts = folds if isinstance(folds, list) else str(folds or "").split()
    times = tuple(at for text in texts if (at := fold_of(text, place)) is not None)
    first = fold_of(fold, place)
    said = Said(name, side_of(side, place), times[0] if first is None and times else first, times)
    if said.side == "test":
        return Said(name, "test", None)
    if said.side is None and said.fold is None:
        raise useless(f"{place} gives neither a side nor a fold")
    if times and said.fold not in times:
        raise useless(f"{place} has a fold that is not one of its folds")
    return said


def known(said: Iterable[Said], fold: int | None) -> KnownSplit:
    """The split that all lines tell; see `settled`.

    Raises:
        FileError: as `settled` does.
    """
    lines = list(islice(said, _MOST + 1))
    _check_times(lines)
    lines = at_fold(lines, fold)
    sides = settled(lines, fold)
    folds: dict[str, tuple[int, ...]] = {}
    torn = [one.name for one in lines if folds.setdefault(one.name, one.folds) != one.folds]
    if torn:
        raise leak(torn)
    return KnownSplit(sides, folds={name: own for name, own in folds.items() if own})


def known_elsewhere(said: Iterable[Said], fold: int | None) -> KnownSplit:
    """The split that all lines of others tell, as `known`; folds alone may count from 1.

    Where sides stand beside them, as in what split writes, 0 is a fold that has lost its patients.

    Raises:
        FileError: as `settled` does.
    """
    lines = list(islice(said, _MOST + 1))
    folded = [one for one in lines if one.fold is not None]
    folds = {one.fold for one in folded}
    alone = not any(one.side or one.folds for one in folded)
    if not alone or len(folds) <= 1 or folds != {*range(1, len(folds) + 1)}:
        return known(lines, fold)
    if fold is not None and fold >= len(folds):
        raise FileError(
            f"its folds are 1 to {len(folds)}, which are 0 to {len(folds) - 1} here "
            f"(--fold: {fold})",
            "Choose one of these with --fold.",
            code="fold-unknown",
        )
    lines = [one if one.fold is None else replace(one, fold=one.fold - 1) for one in lines]
    return replace(known(lines, fold), counts_from_1=True)


def _check_times(lines: Sequence[Said]) -> None:
    """Refuse repeated folds that are not as many for everybody, or not numbered on."""
    if len({len(one.folds) for one in lines if one.side != "test"}) > 1:
        raise useless("not all patients that train or validate have the same number of folds")
    times = [{*time} for time in zip(*(one.folds for one in lines if one.folds), strict=True)]
    if sum(map(len, times)) > len(set[int]().union(*times)):
        raise useless(
            "its folds are not numbered on from repeat to repeat: with 5 folds, the second repeat "
            "has 5 to 9"
        )


def settled(said: Iterable[Said], fold: int | None) -> Sides:
    """The side and the fold of every name.

    A chosen ``fold`` validates, and all others train; else the sides count, and where there are
    folds alone, the first of them validates. Whoever tests has no fold.

    Raises:
        FileError: `split-file-leak`, a name is on several sides; `fold-unknown`, or `split-file`.
    """
    lines = list(said)
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
                f"part of fold {at} validates and part of it trains",
                "Correct the file, or say which fold validates: --fold N.",
            )
    if not sides:
        raise useless("it gives no patient's side")
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
        "Correct the file: everything of one patient belongs on one side, in one fold.",
        code="split-file-leak",
    )


def useless(why: str, remedy: str = CORRECT) -> FileError:
    """A file that cannot be used as a split."""
    return FileError(why, remedy, code="split-file")


def shown(names: Iterable[str]) -> str:
    """The first of some names: `a, b, c, ...`."""
    listed = list(names)
    first = (shortened(printable(name), _LONGEST) for name in listed[:_SHOWN])
    return f"{', '.join(first)}{', ...' if len(listed) > _SHOWN else ''}"
