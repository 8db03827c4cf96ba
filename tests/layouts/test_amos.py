"""AMOS 2022 as a dataset root: CT and MR, its sides, its labels, and what is wrong."""

from pathlib import Path

import pytest

from chaosprep.errors import UsageError
from tests.layouts.named import labels, save, volume
from tests.layouts.published import amos, found, names, sides, told

EACH = {"patient_from_name": "amos_{patient}"}


def test_the_number_tells_ct_from_mr(tmp_path: Path) -> None:
    root = found(amos(tmp_path, {"Tr": (1, 499, 500, 507)}), "amos", **EACH)
    assert [case.id for case in root.cases] == ["P0001_ct", "P0499_ct", "P0500_mr", "P0507_mr"]
    assert root.problems == ()


def test_its_sides_are_kept(tmp_path: Path) -> None:
    root = found(amos(tmp_path, {"Tr": (1,), "Va": (8,), "Ts": (2,)}), "amos", **EACH)
    assert sides(root) == {
        "P0001_ct": ("train", "train"),
        "P0002_ct": ("test", "test"),
        "P0008_ct": ("train", "val"),
    }
    assert [case.masks for case in root.cases] == [
        ("labelsTr/amos_0001.nii.gz",),
        None,
        ("labelsVa/amos_0008.nii.gz",),
    ]


def test_masks_of_the_test_set_are_taken_where_they_are(tmp_path: Path) -> None:
    folder = amos(tmp_path, {"Tr": (1,), "Ts": (2,)})
    save(folder / "labelsTs/amos_0002.nii.gz", labels(0))
    (case,) = (case for case in found(folder, "amos", **EACH).cases if case.pool == "test")
    assert case.masks == ("labelsTs/amos_0002.nii.gz",)


def test_labels_are_named_without_a_file_that_says_it(tmp_path: Path) -> None:
    found_names = names(found(amos(tmp_path, {"Tr": (1,)}), "amos", **EACH))
    assert len(found_names) == 15
    assert (found_names[1], found_names[6], found_names[8], found_names[15]) == (
        "spleen",
        "liver",
        "aorta",
        "prostate/uterus",
    )


def test_names_of_its_own_file_are_spelt_right(tmp_path: Path) -> None:
    said = {"0": "background", "1": "spleen", "2": "gall bladder", "3": "arota", "4": "postcava"}
    root = found(amos(tmp_path, {"Tr": (1,)}, labels=said), "amos", **EACH)
    assert names(root) == {1: "spleen", 2: "gallbladder", 3: "aorta", 4: "inferior vena cava"}


def test_whose_a_scan_is_is_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        found(amos(tmp_path, {"Tr": (1, 2)}), "amos")
    assert caught.value.code == "patient-unknown"


def test_a_scan_that_is_on_two_sides_is_a_problem(tmp_path: Path) -> None:
    root = found(amos(tmp_path, {"Tr": (1, 2), "Va": (2,)}), "amos", **EACH)
    assert [case.id for case in root.cases] == ["P0001_ct"]
    assert [code for code, _, _ in told(root)] == ["case-twice"]


def test_what_is_missing_or_does_not_belong_there_is_named(tmp_path: Path) -> None:
    folder = amos(tmp_path, {"Tr": (1, 2, 3)})
    (folder / "labelsTr/amos_0002.nii.gz").unlink()
    (folder / "imagesTr/amos_0003.nii.gz").unlink()
    save(folder / "imagesTr/other.nii.gz", volume(0))
    save(folder / "imagesTr/amos_5001.nii.gz", volume(0))
    save(folder / "labelsTr/amos_5001.nii.gz", labels(0))
    (folder / "imagesTr/.DS_Store").write_bytes(b"")
    root = found(folder, "amos", **EACH)
    assert [case.id for case in root.cases] == ["P0001_ct"]
    assert [(code, file) for code, file, _ in told(root)] == [
        ("file-strange", "imagesTr/other.nii.gz"),
        ("mask-surplus", "labelsTr/amos_0003.nii.gz"),
        ("mask-missing", "imagesTr/amos_0002.nii.gz"),
        ("file-strange", "imagesTr/amos_5001.nii.gz"),
    ]


@pytest.mark.parametrize("wrapping", ["", "amos22", "download/amos22"])
def test_auto_takes_it_and_the_folder_around_it(tmp_path: Path, wrapping: str) -> None:
    said = {"training": [{"image": "./imagesTr/amos_0001.nii.gz"}], "labels": {"1": "spleen"}}
    amos(tmp_path / wrapping, {"Tr": (1,)}, **said)
    root = found(tmp_path, "auto", **EACH)
    assert root.notes[0] == "read as AMOS 2022: --layout amos"
    assert [one.name for one in root.licenses] == ["CC-BY-4.0"]


def test_nnunets_channels_of_it_are_not_taken_for_it(tmp_path: Path) -> None:
    save(tmp_path / "imagesTr/amos_0001_0000.nii.gz", volume(0))
    with pytest.raises(UsageError) as caught:
        found(tmp_path, "amos", **EACH)
    assert caught.value.code == "root"


def test_a_folder_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    folder = amos(tmp_path / "set", {"Tr": (1,)})
    amos(tmp_path / "else", {"Va": (2,)})
    for name in ("imagesVa", "labelsVa"):
        (folder / name).symlink_to(tmp_path / "else" / name)
    root = found(folder, "amos", **EACH)
    assert [case.id for case in root.cases] == ["P0001_ct"]
    assert {code for code, _, _ in told(root)} == {"folder-link"}
