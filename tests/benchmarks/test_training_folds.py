"""Nobody is learned from and judged by: the folds, and what is learned for them."""

from pathlib import Path

import numpy as np
import pytest

import chaosprep
from benchmarks.training.arms import NYUL, PREPARED, Arm
from benchmarks.training.folds import Fold, Grid, check_apart, divided
from chaosprep import Dataset
from chaosprep.errors import UsageError
from chaosprep.phantom import Patient, write_chaos

GRID = Grid("32", 12.5)
OURS = PREPARED[0]
WITH_NYUL = Arm("nyul-mri", ("", ""), NYUL)


def people(place: Path, count: int) -> Path:
    """Patients MR001, MR002, ... with three slices each."""
    phantoms = [
        Patient(id=id + 1, slices=3, matrix=32, sequences=("t1-in",)) for id in range(count)
    ]
    return write_chaos(place / "chaos", phantoms)


def test_every_patient_is_unseen_in_one_fold(tmp_path: Path) -> None:
    found = divided(people(tmp_path, 11), tmp_path / "out", 5, ())
    assert len(found) == 5
    assert sorted(one for fold in found for one in fold) == [f"MR{id:03}" for id in range(1, 12)]
    assert {len(fold) for fold in found} == {2, 3}


def test_one_is_left_out_where_patients_are_fewer_than_two_for_each_fold(tmp_path: Path) -> None:
    found = divided(people(tmp_path, 6), tmp_path / "out", 5, ())
    assert sorted(found) == [(f"MR{id:03}",) for id in range(1, 7)]


@pytest.mark.parametrize(("folds", "patients"), [(4, 12), (5, 2)])
def test_too_few_are_refused(folds: int, patients: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"folds: {folds} of {patients} patients"):
        divided(people(tmp_path, patients), tmp_path / "out", folds, ())


@pytest.mark.parametrize("unseen", ["MR001", "MR002"])
def test_the_patients_of_a_fold_are_val_in_all_that_is_made_for_it(
    unseen: str, tmp_path: Path
) -> None:
    seen = {"MR001", "MR002", "MR003"} - {unseen}
    copies = next(arm for arm in PREPARED if arm.augment == "copies")
    fold = Fold(0, (unseen,), tmp_path / "fold", GRID)
    fold.prepare(people(tmp_path, 3), [OURS, copies], (), 1)
    made = [
        fold.pairs(),
        fold.masks("liver"),
        fold.images(OURS.input, "liver"),
        fold.copies(OURS.input, "liver"),
    ]
    for place in made:
        sides = {(row.patient, row.split) for row in chaosprep.open(place).slices}
        assert sides == {(unseen, "val"), *((patient, "train") for patient in seen)}
    copied = chaosprep.open(made[-1]).slices
    assert {row.patient for row in copied if row.copy} == seen
    assert sum(row.copy > 0 for row in copied) == 2 * 6


def test_a_patient_on_the_wrong_side_ends_it(pairs: Dataset) -> None:
    (unseen,) = {row.patient for row in pairs.slices if row.split == "val"}
    check_apart(pairs, [unseen])
    for wrong in ([], ["MR001"], [unseen, "MR001"], [unseen, "MR009"]):
        with pytest.raises(RuntimeError, match="the sides are not those of the fold"):
            check_apart(pairs, wrong)


@pytest.mark.skipif(WITH_NYUL.missing() is not None, reason="convert has no landmarks")
def test_landmarks_do_not_know_the_unseen(tmp_path: Path) -> None:
    """Other pixels of the unseen patient change no pixel that a network learns from."""
    root = people(tmp_path, 4)
    before = learned_from(root, tmp_path / "before")
    for file in (root / "Train_Sets/MR/2").rglob("*.dcm"):
        darken(file)
    assert learned_from(root, tmp_path / "after") == before
    for file in (root / "Train_Sets/MR/1").rglob("*.dcm"):
        darken(file)
    assert learned_from(root, tmp_path / "others") != before


def learned_from(root: Path, place: Path) -> dict[str, bytes]:
    """The pixels of MR003 and MR004, in the fold in which MR002 is unseen, with their scale."""
    fold = Fold(0, ("MR002",), place, GRID)
    fold.prepare(root, [WITH_NYUL], (), 1)
    made = chaosprep.open(fold.images(NYUL, "liver"))
    return {
        row.id: np.asarray(case.pixels(row)[1], np.float64).tobytes()
        + repr((row.slope, row.intercept)).encode()
        for case in made.cases
        for row in case.slices
        if row.patient in ("MR003", "MR004")
    }


def darken(file: Path) -> None:
    """Take the square root of every pixel."""
    import pydicom

    dataset = pydicom.dcmread(file)
    pixels = np.sqrt(dataset.pixel_array.astype(np.float64))
    dataset.PixelData = np.round(pixels).astype(dataset.pixel_array.dtype).tobytes()
    dataset.save_as(file)
