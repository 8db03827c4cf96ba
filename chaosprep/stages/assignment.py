"""Which patient goes to which side: a seeded ranking, cut into validation, test and folds."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

from chaosprep.dataset.records import Split
from chaosprep.errors import UsageError


class Shares(Protocol):
    """How much goes where, and who; as the parameters of `split` say it."""

    @property
    def val(self) -> float:
        """Part of the patients for validation."""

    @property
    def test(self) -> float:
        """Part for testing."""

    @property
    def folds(self) -> int | None:
        """How many folds, instead of `val`."""

    @property
    def fold(self) -> int | None:
        """The fold that is the validation side."""

    @property
    def val_patient(self) -> tuple[str, ...]:
        """The validation patients, instead of `val`."""

    @property
    def test_patient(self) -> tuple[str, ...]:
        """The test patients, instead of `test`."""

    @property
    def seed(self) -> int:
        """Seed of the ranking."""


def assign(patients: Sequence[str], params: Shares) -> dict[str, tuple[Split, int | None]]:
    """Decide the side and the fold of every patient that is not a test patient by its folder.

    The patients are ranked by a hash of the seed and their id, so the order of the input does not
    matter. Validation takes the ranking's first patients, test its last, folds its runs of equal
    length: where a patient is added, at most one patient moves across each border.

    Raises:
        UsageError: it cannot be done with these patients; the message says what there is.
    """
    ranked = sorted(set(patients), key=lambda patient: _rank(params.seed, patient))
    sides: dict[str, tuple[Split, int | None]] = dict.fromkeys(ranked, ("train", None))
    free = [patient for patient in ranked if patient not in params.val_patient]
    count = 0 if params.test_patient else _count(params.test, "test", len(ranked))
    test = params.test_patient or _last(free, count)
    _known(test, ranked, "test_patient")
    rest = [patient for patient in ranked if patient not in test]
    if params.folds is None:
        count = 0 if params.val_patient else _count(params.val, "val", len(ranked))
        val = params.val_patient or rest[:count]
        _known(val, ranked, "val_patient")
        sides.update(dict.fromkeys(val, ("val", None)))
    else:
        sides.update(_folds(rest, params.folds, params.fold or 0))
    sides.update(dict.fromkeys(test, ("test", None)))
    if ranked and not any(side == "train" for side, _ in sides.values()):
        raise UsageError(
            f"val and test: they leave none of the {len(ranked)} patients for training",
            "Give them a smaller part.",
            code="split",
        )
    return sides


def _rank(seed: int, patient: str) -> tuple[bytes, str]:
    return hashlib.sha256(f"chaosprep.split.1\n{seed}\n{patient}".encode()).digest(), patient


def _last(ranked: list[str], count: int) -> list[str]:
    return ranked[max(0, len(ranked) - count) :]


def _count(fraction: float, name: str, patients: int) -> int:
    count = round(patients * fraction)
    if patients and fraction and not count:
        raise UsageError(
            f"{name}: {fraction:g} of {patients} patients rounds to nobody",
            f"Give a larger part, --{name} 0 for none, or name them with --{name}-patient.",
            code="split",
        )
    return count


def _known(wanted: Sequence[str], patients: Sequence[str], name: str) -> None:
    unknown = sorted(set(wanted) - set(patients))
    if unknown:
        raise UsageError(
            f"{name}: no such patient to divide: {', '.join(unknown)}",
            f"There are: {', '.join(sorted(patients)) or 'none'}.",
            code="split",
        )


def _folds(ranked: list[str], folds: int, chosen: int) -> dict[str, tuple[Split, int | None]]:
    if ranked and len(ranked) < folds:
        raise UsageError(
            f"folds: {folds} folds need as many patients, there are {len(ranked)}",
            f"Use --folds {len(ranked)} or fewer.",
            code="split",
        )
    sides: dict[str, tuple[Split, int | None]] = {}
    for place, patient in enumerate(ranked):
        fold = place * folds // len(ranked)
        sides[patient] = ("val" if fold == chosen else "train", fold)
    return sides
