"""CirrMRI600+ as a dataset root: patients by their numbers, its sides, healthy subjects."""

from pathlib import Path

import pytest

from chaosprep.division.divide import divide
from chaosprep.division.params import SplitParams
from chaosprep.errors import UsageError
from tests.layouts.published import cirrmri, found, names, sides, told

T1, T2 = "Cirrhosis_T1_3D", "Cirrhosis_T2_3D"
HEALTHY = "Healthy_subjects/T1_W_Healthy/T1_images/12.nii.gz"


def test_one_number_is_one_patient_in_t1_and_t2(tmp_path: Path) -> None:
    folder = cirrmri(tmp_path, f"{T1}/train_images/12.nii.gz", f"{T2}/train_images/12.nii.gz")
    root = found(folder, "cirrmri")
    assert [(case.id, case.masks) for case in root.cases] == [
        ("P012_t1", (f"{T1}/train_masks/12.nii.gz",)),
        ("P012_t2", (f"{T2}/train_masks/12.nii.gz",)),
    ]
    assert names(root) == {1: "liver"}
    assert root.problems == ()


def test_its_sides_are_kept(tmp_path: Path) -> None:
    files = [f"{T1}/{side}_images/{n}.nii.gz" for n, side in enumerate(("train", "valid", "test"))]
    assert sides(found(cirrmri(tmp_path, *files), "cirrmri")) == {
        "P000_t1": ("train", "train"),
        "P001_t1": ("train", "val"),
        "P002_t1": ("test", "test"),
    }


def test_a_healthy_subject_is_not_the_patient_of_its_number(tmp_path: Path) -> None:
    root = found(cirrmri(tmp_path, f"{T1}/train_images/12.nii.gz", HEALTHY), "cirrmri")
    assert [case.id for case in root.cases] == ["P012_t1", "healthy-12_healthy-t1"]


def test_healthy_subjects_are_taken_where_they_are_asked_for(tmp_path: Path) -> None:
    root = found(cirrmri(tmp_path, f"{T1}/train_images/12.nii.gz", HEALTHY), "cirrmri")
    assert [case.sequence for case in root.only().cases] == ["t1"]
    assert [case.sequence for case in root.only(("healthy-t1",)).cases] == ["healthy-t1"]
    assert root.notes[1] == (
        "1 healthy subject, on no side of its own, taken only with --sequence healthy-t1 and "
        "healthy-t2"
    )


def test_healthy_subjects_alone_are_taken_as_they_are(tmp_path: Path) -> None:
    root = found(cirrmri(tmp_path, HEALTHY), "cirrmri")
    assert [case.split for case in root.only().cases] == [None]


def test_a_patient_on_two_of_its_sides_is_a_leak(tmp_path: Path) -> None:
    folder = cirrmri(tmp_path, f"{T1}/train_images/12.nii.gz", f"{T2}/valid_images/12.nii.gz")
    with pytest.raises(UsageError) as caught:
        divide(root := found(folder, "cirrmri"), root.cases, SplitParams())
    assert caught.value.code == "official-leak"


def test_what_is_missing_is_named_once_for_a_folder(tmp_path: Path) -> None:
    folder = cirrmri(tmp_path, *(f"{T1}/train_images/{n}.nii.gz" for n in range(3)))
    for number in (1, 2):
        (folder / f"{T1}/train_masks/{number}.nii.gz").unlink()
    root = found(folder, "cirrmri")
    assert [case.id for case in root.cases] == ["P000_t1"]
    assert told(root) == [
        (
            "mask-missing",
            f"{T1}/train_images/1.nii.gz",
            f"without a mask: 2 files of {T1}/train_images",
        )
    ]


def test_auto_takes_the_folder_around_it(tmp_path: Path) -> None:
    cirrmri(tmp_path / "CirrMRI600+", f"{T2}/test_images/3.nii.gz")
    root = found(tmp_path, "auto")
    assert root.notes[0] == "read as CirrMRI600+: --layout cirrmri"
    assert root.directory == tmp_path / "CirrMRI600+"
