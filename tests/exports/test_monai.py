"""The datalist: relative paths, our split or our folds, and nothing in training that validates."""

from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import NothingFoundError
from chaosprep.exports import monai, nnunet, volumes
from tests.exports.seen import content, load


def test_without_folds_training_and_validation_are_our_split(
    phases: Dataset, tmp_path: Path
) -> None:
    made = monai.export(phases, tmp_path / "out", sequences=["t1-in"])

    def item(patient: str, side: str = "Tr") -> dict[str, str]:
        return {
            "image": f"images{side}/{patient}_t1-in_0000.nii.gz",
            "label": f"labels{side}/{patient}_t1-in.nii.gz",
        }

    said = load(made.path / "dataset.json")
    assert said["training"] == [item("MR001"), item("MR002")]
    assert said["validation"] == [item("MR003")]
    assert said["test"] == ["imagesTs/MR004_t1-in_0000.nii.gz"]
    assert said["testing"] == [item("MR004", "Ts")]
    assert (said["numTraining"], said["numTest"]) == (2, 1)
    assert said["modality"] == {"0": "t1-in"}
    assert said["labels"] == {"0": "background", "1": "liver"}
    assert made.notes == ()


def test_with_folds_training_holds_everybody_and_validation_nobody(
    folds: Dataset, tmp_path: Path
) -> None:
    said = load(monai.export(folds, tmp_path / "out").path / "dataset.json")
    fold = {row.case: row.fold for row in folds.slices if row.split != "test"}
    assert [(item["label"], item["fold"]) for item in said["training"]] == [
        (f"labelsTr/{case}.nii.gz", fold[case]) for case in sorted(fold)
    ]
    assert "validation" not in said
    assert said["numTraining"] == 3


def test_the_channels_of_a_case_are_a_list(phases: Dataset, tmp_path: Path) -> None:
    said = load(monai.export(phases, tmp_path / "out").path / "dataset.json")
    assert said["training"][0]["image"] == [
        "imagesTr/MR001_t1_0000.nii.gz",
        "imagesTr/MR001_t1_0001.nii.gz",
    ]
    assert said["modality"] == {"0": "t1-in", "1": "t1-out"}


def test_the_volumes_are_those_of_nnunet(phases: Dataset, tmp_path: Path) -> None:
    ours = content(monai.export(phases, tmp_path / "out").path)
    theirs = content(nnunet.export(phases, tmp_path / "raw").path)
    for name in ours:
        if name.endswith(".nii.gz"):
            assert ours[name] == theirs[name], name
    assert sum(name.endswith(".nii.gz") for name in ours) == 12


def test_lists_without_an_item_are_not_there(two_phases: Path, tmp_path: Path) -> None:
    pairs = chaosprep.split(two_phases, tmp_path / "s", val=0)
    made = monai.export(chaosprep.extract_liver(pairs, tmp_path / "l"), tmp_path / "out")
    said = load(made.path / "dataset.json")
    assert not {"validation", "test", "testing"} & set(said)
    assert made.notes == (volumes.NOBODY_VALIDATES,)


def test_a_datalist_with_nobody_to_train_is_an_error() -> None:
    with pytest.raises(NothingFoundError) as error:
        monai.datalist([])
    assert error.value.code == "no-training"
