"""Which patient goes to which side: a seeded ranking, cut into validation, test and folds."""

import hashlib
from collections.abc import Sequence

from chaosprep.division.params import SplitParams
from chaosprep.division.sides import Sides
from chaosprep.errors import UsageError, plural
from chaosprep.words import there_are


def assign(patients: Sequence[str], params: SplitParams) -> Sides:
    """Decide the side and the fold of every patient that is not a test patient by its folder.

    The patients are ranked by a hash of the seed and their id, so the order of the input does not
    matter. Validation takes the ranking's first patients, test its last, folds its runs of equal
    length: where a patient is added, at most one patient moves across each border.

    Raises:
        UsageError: it cannot be done with these patients; the message says what there is.
    """

    def rank(patient: str) -> tuple[bytes, str]:
        text = f"chaosprep.split.1\n{params.seed}\n{patient}"
        return hashlib.sha256(text.encode()).digest(), patient

    ranked = sorted(set(patients), key=rank)
    sides: Sides = dict.fromkeys(ranked, ("train", None))
    free = [patient for patient in ranked if patient not in params.val_patient]
    count = 0 if params.test_patient else _count(params.test, "test", len(ranked))
    test = params.test_patient or free[max(0, len(free) - count) :]
    _known(test, ranked, "test-patient")
    rest = [patient for patient in ranked if patient not in test]
    if params.folds is None:
        count = 0 if params.val_patient else _count(params.val, "val", len(ranked))
        val = params.val_patient or rest[:count]
        _known(val, ranked, "val-patient")
        sides.update(dict.fromkeys(val, ("val", None)))
    else:
        sides.update(_folds(rest, params.folds, params.fold or 0))
    sides.update(dict.fromkeys(test, ("test", None)))
    if ranked and not any(side == "train" for side, _ in sides.values()):
        raise UsageError(
            f"--val and --test leave none of the {plural(len(ranked), 'patient')} for training",
            "Give them a smaller part.",
            code="split",
        )
    return sides


def _count(fraction: float, name: str, patients: int) -> int:
    count = round(patients * fraction)
    if patients and fraction and not count:
        raise UsageError(
            f"--{name}: {fraction:g} of {plural(patients, 'patient')} rounds to nobody",
            f"Give a larger part, --{name} 0 for none, or name them with --{name}-patient.",
            code="split",
        )
    return count


def _known(wanted: Sequence[str], patients: Sequence[str], name: str) -> None:
    unknown = sorted(set(wanted) - set(patients))
    if unknown:
        raise UsageError(
            f"--{name}: no such patient to divide: {', '.join(unknown)}",
            there_are(sorted(patients), unknown),
            code="split",
        )


def _folds(ranked: list[str], folds: int, chosen: int) -> Sides:
    if ranked and len(ranked) < folds:
        raise UsageError(
            f"--folds: {folds} folds need as many patients, there are {len(ranked)}",
            f"Use --folds {len(ranked)} or fewer.",
            code="split",
        )
    sides: Sides = {}
    for place, patient in enumerate(ranked):
        fold = place * folds // len(ranked)
        sides[patient] = ("val" if fold == chosen else "train", fold)
    return sides
