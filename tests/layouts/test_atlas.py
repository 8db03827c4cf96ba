"""ATLAS 2023 as a dataset root: each case another patient's."""

from pathlib import Path

import pytest

from chaosprep.errors import UsageError
from tests.layouts.named import labels, save, volume
from tests.layouts.published import atlas, found, names, told


def test_each_number_is_a_patient(tmp_path: Path) -> None:
    root = found(atlas(tmp_path), "atlas")
    assert [(case.id, case.images, case.masks, case.split) for case in root.cases] == [
        ("P000_t1-ce", ("imagesTr/im0.nii.gz",), ("labelsTr/lb0.nii.gz",), None),
        ("P007_t1-ce", ("imagesTr/im7.nii.gz",), ("labelsTr/lb7.nii.gz",), None),
    ]
    assert names(root) == {1: "liver", 2: "tumor"}
    assert [one.name for one in root.licenses] == ["CC-BY-NC-SA-4.0"]


def test_labels_are_named_without_a_file_that_says_it(tmp_path: Path) -> None:
    (atlas(tmp_path) / "dataset.json").unlink()
    assert names(found(tmp_path, "atlas")) == {1: "liver", 2: "tumor"}


def test_a_broken_dataset_json_is_refused(tmp_path: Path) -> None:
    (atlas(tmp_path) / "dataset.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"dataset\.json"):
        found(tmp_path, "atlas")


@pytest.mark.parametrize("wrapping", ["train", "atlas-train-dataset-1.0.1/train"])
def test_auto_takes_it_as_it_is_unpacked(tmp_path: Path, wrapping: str) -> None:
    atlas(tmp_path / wrapping)
    assert found(tmp_path, "auto").notes == ("read as ATLAS 2023: --layout atlas",)


def test_what_lacks_its_other_half_is_named(tmp_path: Path) -> None:
    folder = atlas(tmp_path)
    save(folder / "imagesTr/im8.nii.gz", volume(8))
    save(folder / "labelsTr/lb9.nii.gz", labels(9))
    root = found(folder, "atlas")
    assert len(root.cases) == 2
    assert [(code, file) for code, file, _ in told(root)] == [
        ("mask-surplus", "labelsTr/lb9.nii.gz"),
        ("mask-missing", "imagesTr/im8.nii.gz"),
    ]


def test_what_tells_patients_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        found(atlas(tmp_path), "atlas", patient_from_name="im{patient}")
    assert caught.value.code == "layout"


def test_masks_of_elsewhere_are_refused_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        found(atlas(tmp_path), "auto", masks="labelsTr")
    assert caught.value.code == "layout"


def test_two_of_them_are_not_taken_for_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        atlas(tmp_path / name)
    with pytest.raises(UsageError, match="several folders of ATLAS 2023"):
        found(tmp_path, "atlas")
