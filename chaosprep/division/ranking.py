"""Which patient goes to which side: a seeded ranking, cut into validation, test and folds."""

import hashlib
from collections.abc import Collection, Iterable, Sequence

from chaosprep.division.params import SplitParams
from chaosprep.division.sides import Sides
from chaosprep.errors import UsageError, plural
from chaosprep.words import there_are


def assign(patients: Iterable[str], params: SplitParams) -> Sides:
    """Decide the side and the fold of every patient that is not a test patient by its folder.

    The patients are ranked by a hash of the seed and their id, so the order of the input does not
    matter. Validation takes the ranking's first patients, test its last, folds its runs of equal
    length: where a patient is added, at most one patient moves across each border.

    Raises:
        UsageError: it cannot be done with these patients; the message says what there is.
    """
    everybody = ranked(patients, params.seed)
    sides: Sides = dict.fromkeys(everybody, ("train", None))
    free = [patient for patient in everybody if patient not in params.val_patient]
    count = 0 if params.test_patient else _count(params.test, "test", len(everybody))
    test = params.test_patient or free[max(0, len(free) - count) :]
    check_named(test, everybody, "test-patient")
    chosen = {*test}
    rest = [patient for patient in everybody if patient not in chosen]
    if params.folds is None:
        count = 0 if params.val_patient else _count(params.val, "val", len(everybody))
        val = params.val_patient or rest[:count]
        check_named(val, everybody, "val-patient")
        sides.update(dict.fromkeys(val, ("val", None)))
    else:
        sides.update(_folds(rest, params.folds, params.fold or 0))
    sides.update(dict.fromkeys(test, ("test", None)))
    untrained(sides)
    return sides


def ranked(patients: Iterable[str], seed: int) -> list[str]:
    """The patients in the order in which a seed takes them, whatever order they come in."""

    def rank(patient: str) -> tuple[bytes, str]:
        text = f"chaosprep.split.1\n{seed}\n{patient}"
        return hashlib.sha256(text.encode()).digest(), patient

    return sorted(set(patients), key=rank)


def untrained(sides: Sides) -> None:
    """Refuse sides of which nobody trains.

    Raises:
        UsageError: `split`.
    """
    if sides and not any(side == "train" for side, _ in sides.values()):
        raise UsageError(
            f"--val and --test leave none of the {plural(len(sides), 'patient')} for training",
            "Give them a smaller part.",
            code="split",
        )


def _count(fraction: float, name: str, patients: int) -> int:
    count = round(patients * fraction)
    if patients and fraction and not count:
        raise UsageError(
            f"--{name}: {fraction:g} of {plural(patients, 'patient')} rounds to no patient",
            f"Give a larger part, --{name} 0 for none, or name them with --{name}-patient.",
            code="split",
        )
    return count


def check_named(wanted: Sequence[str], patients: Collection[str], name: str) -> None:
    """Refuse named patients that are not among those to be divided.

    Raises:
        UsageError: `split`.
    """
    unknown = sorted(set(wanted) - set(patients))
    if unknown:
        raise UsageError(
            f"--{name}: no such patient to divide: {', '.join(unknown)}",
            there_are(sorted(patients), unknown),
            code="split",
        )


def check_folds(patients: int, folds: int) -> None:
    """Refuse more folds than there are patients.

    Raises:
        UsageError: `split`.
    """
    if 0 < patients < folds:
        raise UsageError(
            f"--folds: {folds} folds need as many patients, there are {patients}",
            f"Use --folds {patients} or fewer.",
            code="split",
        )


def _folds(ranked: list[str], folds: int, chosen: int) -> Sides:
    check_folds(len(ranked), folds)
    sides: Sides = {}
    for place, patient in enumerate(ranked):
        fold = place * folds // len(ranked)
        sides[patient] = ("val" if fold == chosen else "train", fold)
    return sides
