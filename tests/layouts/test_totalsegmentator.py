"""TotalSegmentator's data as a dataset root: a mask for each structure, sides of meta.csv."""

from pathlib import Path

import pytest

from chaosprep.errors import UsageError
from tests.layouts.published import found, names, sides, told, totalsegmentator

EACH = {"patient_from_name": "{patient}"}
META = ("s0000;50;m;train", "s0001;60;f;val", "s0002;70;m;test")
SCANS = {"s0000": "ct", "s0001": "ct", "s0002": "ct"}


def test_structures_are_called_as_their_files(tmp_path: Path) -> None:
    (case,) = found(totalsegmentator(tmp_path, {"s0003": "ct"}), "totalsegmentator", **EACH).cases
    assert case.id == "s0003_ct"
    assert case.organs == {
        "s0003/segmentations/kidney_right.nii.gz": "kidney_right",
        "s0003/segmentations/liver.nii.gz": "liver",
    }


def test_structures_are_chosen_by_roi(tmp_path: Path) -> None:
    folder = totalsegmentator(tmp_path, {"s0003": "ct"})
    root = found(folder, "totalsegmentator", roi=("liv*",), **EACH)
    assert names(root) == {1: "liver"}
    assert root.cases[0].wanted == ("s0003/segmentations/liver.nii.gz",)


def test_mri_is_a_sequence_of_its_own(tmp_path: Path) -> None:
    root = found(totalsegmentator(tmp_path, {"s0001": "mri"}), "totalsegmentator", **EACH)
    assert [case.sequence for case in root.cases] == ["mr"]
    assert [one.path for one in root.sources] == ["https://doi.org/10.5281/zenodo.11367004"]


def test_sides_are_those_of_meta_csv(tmp_path: Path) -> None:
    root = found(totalsegmentator(tmp_path, SCANS, META), "totalsegmentator", **EACH)
    assert sides(root) == {
        "s0000_ct": ("train", "train"),
        "s0001_ct": ("train", "val"),
        "s0002_ct": ("test", "test"),
    }


def test_without_meta_csv_nobody_is_on_a_side(tmp_path: Path) -> None:
    root = found(totalsegmentator(tmp_path, SCANS), "totalsegmentator", **EACH)
    assert {case.split for case in root.cases} == {None}
    assert "there is no meta.csv: nothing says which patients validate" in root.notes


def test_a_scan_that_meta_csv_does_not_list_is_a_problem(tmp_path: Path) -> None:
    root = found(totalsegmentator(tmp_path, SCANS, META[:2]), "totalsegmentator", **EACH)
    assert told(root) == [("case-unlisted", None, "meta.csv has no side for them: 1 case (s0002)")]
    assert len(root.cases) == 2


def test_a_table_without_sides_is_refused(tmp_path: Path) -> None:
    folder = totalsegmentator(tmp_path, SCANS)
    (folder / "meta.csv").write_text("image_id;age\ns0000;50\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        found(folder, "totalsegmentator", **EACH)
    assert (caught.value.code, caught.value.reason) == (
        "table-broken",
        "meta.csv: it has no column split",
    )


def test_whose_a_scan_is_is_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        found(totalsegmentator(tmp_path, SCANS, META), "auto")
    assert caught.value.code == "patient-unknown"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    folder = totalsegmentator(tmp_path, SCANS)
    (folder / "s0000/ct.nii.gz").unlink()
    for path in (folder / "s0001/segmentations").iterdir():
        path.unlink()
    (folder / "s0002/segmentations/notes.txt").write_text("x", encoding="utf-8")
    root = found(folder, "totalsegmentator", **EACH)
    assert [case.id for case in root.cases] == ["s0002_ct"]
    assert [(code, file) for code, file, _ in told(root)] == [
        ("image-missing", "s0000"),
        ("mask-missing", "s0001"),
        ("file-strange", "s0002/segmentations/notes.txt"),
    ]
