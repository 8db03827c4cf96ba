"""Which patient goes to which side: a seeded ranking, cut into validation, test and folds."""

import hashlib
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from chaosprep.dataset.records import Split
from chaosprep.dataset.store import Link
from chaosprep.errors import UsageError, plural
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.layouts.find import LayoutParams
from chaosprep.words import there_are


def _fraction(side: str, of: str) -> Meta:
    remedy = (
        f"It is a part of the patients: --{side} 0.2 is 4 patients of 20, or 20 %; "
        f"--{side}-patient names them."
    )
    return Meta(ge=0, lt=1, description=f"Part of the patients for {of}.", extra={"remedy": remedy})


class SplitParams(LayoutParams, frozen=True, kw_only=True):
    """How to divide the patients, and which series to take."""

    APART = (("folds", "val"), ("folds", "val_patient"))

    val: Annotated[float, _fraction("val", "validation")] = 0.2
    test: Annotated[float, _fraction("test", "testing")] = 0.0
    folds: Annotated[
        Annotated[int, Meta(ge=2)] | None,
        Meta(description="Give every patient one of this many folds, instead of --val."),
    ] = None
    fold: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(
            description="The fold that is the validation side, from 0, of --folds or of those that "
            "the data set has. [default: 0]"
        ),
    ] = None
    val_patient: Annotated[
        tuple[str, ...],
        Meta(description="A validation patient, such as MR005, instead of --val. Repeatable."),
    ] = ()
    test_patient: Annotated[
        tuple[str, ...],
        Meta(description="A test patient, such as MR001, instead of --test. Repeatable."),
    ] = ()
    sequence: Annotated[
        tuple[str, ...],
        Meta(
            description="A series to take: t1-in, t1-out, t2-spir, ct; of a folder, a {sequence}; "
            "of nnunet and decathlon, a channel. Repeatable. [default: t1-in; else all]"
        ),
    ] = ()
    seed: Annotated[int, Meta(description="Seed of the ranking of the patients.")] = 0
    max_pixels: Annotated[
        Annotated[int, Meta(ge=1, le=2**30)],
        Meta(description="Largest file that is decoded, in pixels of all its frames."),
    ] = MAX_PIXELS
    link: Annotated[
        Link, Meta(description="Copy the files, or link to the originals (hard or symbolic).")
    ] = "copy"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fold is not None and self.folds is not None and self.fold >= self.folds:
            raise ValueError(f"--fold: the folds are 0 to {self.folds - 1} (given: {self.fold})")
        if set(self.val_patient) & set(self.test_patient):
            raise ValueError("--val-patient and --test-patient name the same patient")
        if self.pseudonymize is not None and self.link == "sym":
            raise ValueError("--link sym would show the paths that --pseudonymize hides")


def assign(patients: Sequence[str], params: SplitParams) -> dict[str, tuple[Split, int | None]]:
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
    sides: dict[str, tuple[Split, int | None]] = dict.fromkeys(ranked, ("train", None))
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


def _folds(ranked: list[str], folds: int, chosen: int) -> dict[str, tuple[Split, int | None]]:
    if ranked and len(ranked) < folds:
        raise UsageError(
            f"--folds: {folds} folds need as many patients, there are {len(ranked)}",
            f"Use --folds {len(ranked)} or fewer.",
            code="split",
        )
    sides: dict[str, tuple[Split, int | None]] = {}
    for place, patient in enumerate(ranked):
        fold = place * folds // len(ranked)
        sides[patient] = ("val" if fold == chosen else "train", fold)
    return sides
