"""Each patient is unseen once.

A fold is a split of its own, its patients on the side val: what is learned from the training side,
landmarks as well as weights, never knows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import chaosprep
from benchmarks.training.arms import COPIES, Arm, Input, Organs
from chaosprep import Dataset
from chaosprep.errors import UsageError

FEWEST = 5


@dataclass(frozen=True)
class Grid:
    """The pixels that every arm learns on: `size` as convert has it, mm; None is as scanned."""

    size: str | None
    spacing: float | None


def patients_of(data: Path, place: Path, sequence: Sequence[str]) -> tuple[str, ...]:
    """Everybody who has a series to learn on."""
    return chaosprep.split(data, place, val=0, sequence=sequence, link="hard").patients


def divided(
    data: Path, place: Path, folds: int, sequence: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    """The patients of each fold, by `split --folds`.

    There are as many folds as patients (leave one out) where these are fewer than two for each.

    Args:
        data: a dataset root.
        place: an empty folder, or that of an earlier call.
        folds: how many are asked for, at least `FEWEST`.
        sequence: the series to take; empty takes `split`'s own choice.

    Raises:
        UsageError: `folds`, fewer than `FEWEST` are asked for, or there are too few patients.
    """
    patients = patients_of(data, place / "patients", sequence)
    if folds < FEWEST or len(patients) < 3:
        raise UsageError(
            f"--folds: {folds} of {len(patients)} patients",
            f"Ask for {FEWEST} folds or more, of 3 patients or more.",
            code="folds",
        )
    count = folds if len(patients) >= 2 * folds else len(patients)
    made = chaosprep.split(data, place / "folds", folds=count, sequence=sequence, link="hard")
    return tuple(
        tuple(sorted({row.patient for row in made.slices if row.fold == fold}))
        for fold in range(count)
    )


@dataclass(frozen=True)
class Fold:
    """One fold: who is unseen, and the folder of what is made for it."""

    number: int
    unseen: tuple[str, ...]
    place: Path
    grid: Grid

    def pairs(self) -> Path:
        """The split: the fold's patients on the side val, all others on train."""
        return self.place / "pairs"

    def masks(self, organs: Organs) -> Path:
        """Labels of the organs, on the pixels of the scanner."""
        return self.place / organs / "masks"

    def images(self, given: Input, organs: Organs) -> Path:
        """What a network sees."""
        return self.place / organs / given.name

    def copies(self, given: Input, organs: Organs) -> Path:
        """The same with offline copies of the training slices."""
        return self.place / organs / f"{given.name}-copies"

    def prepare(self, data: Path, arms: Sequence[Arm], sequence: Sequence[str], jobs: int) -> None:
        """Make all that these arms need; what is there already is only looked at.

        Raises:
            ChaosprepError: what the stages raise.
        """
        pairs = chaosprep.split(
            data,
            self.pairs(),
            val_patient=self.unseen,
            sequence=sequence,
            link="hard",
            jobs=jobs,
        )
        check_apart(pairs, self.unseen)
        for arm in arms:
            whole = arm.organs == "all"
            masks = chaosprep.extract_liver(
                pairs, self.masks(arm.organs), all_organs=whole, jobs=jobs
            )
            if arm.way == "tutorial":
                continue
            images = chaosprep.convert(
                masks,
                self.images(arm.input, arm.organs),
                jobs=jobs,
                size=self.grid.size,
                spacing=self.grid.spacing,
                **arm.input.convert,
            )
            if arm.augment == "copies":
                chaosprep.augment(
                    images,
                    self.copies(arm.input, arm.organs),
                    preset="tutorial",
                    copies=COPIES,
                    jobs=jobs,
                )


def check_apart(pairs: Dataset, unseen: Sequence[str]) -> None:
    """The fold's patients are val, and nobody else is.

    Raises:
        RuntimeError: somebody would be learned from and judged by.
    """
    sides = {(row.patient, row.split) for row in pairs.slices}
    wrong = [one for one in sides if one[1] != ("val" if one[0] in unseen else "train")]
    if wrong or {patient for patient, side in sides if side == "val"} != set(unseen):
        raise RuntimeError(f"the sides are not those of the fold: {sorted(sides)}")
