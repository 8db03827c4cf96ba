"""Two directories side by side: every change that was planted is found, and nothing else."""

import hashlib
import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import NothingFoundError, ProblemsError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.diff.found import Diff, Set
from chaosprep.quality.diff.lines import lines


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_chaos(tmp_path / "root", [Patient(id=id, slices=3, matrix=32) for id in (1, 2, 3)])


def split(root: Path, place: Path, **more: object) -> Dataset:
    return chaosprep.split(root, place, **{"val": 0, **more})  # type: ignore[arg-type]


def test_a_directory_is_no_other_than_itself(images: Dataset) -> None:
    found = chaosprep.diff(images.directory, images.directory)
    assert not found.differs
    assert (found.case_ids.both, found.same, found.rewritten) == (4, len(images.slices), 0)


def test_what_split_made_is_what_its_download_has(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "a", sequence=("t1-in", "t1-out", "t2-spir"))
    found = chaosprep.diff(root, made.directory)
    assert not found.differs
    assert found.same == len(made.slices)
    assert "rows and stages are not compared" in found.notes[0]


def test_patients_that_came_and_went(root: Path, tmp_path: Path) -> None:
    a = split(root, tmp_path / "a", patient=["MR001", "MR002"])
    b = split(root, tmp_path / "b", patient=["MR002", "MR003"])
    found = chaosprep.diff(a.directory, b.directory)
    assert found.patients == Set(came=("MR003",), went=("MR001",), both=1)
    assert found.case_ids == Set(came=("MR003_t1-in",), went=("MR001_t1-in",), both=1)


def test_patients_on_another_side(root: Path, tmp_path: Path) -> None:
    a = split(root, tmp_path / "a", val_patient=["MR001"])
    b = split(root, tmp_path / "b", val_patient=["MR003"])
    found = chaosprep.diff(a.directory, b.directory)
    assert [(one.name, one.a, one.b) for one in found.sides] == [
        ("MR001", "val", "train"),
        ("MR003", "train", "val"),
    ]
    assert [one.name for one in found.stages] == ["split val_patient"]


def test_pixels_that_changed_are_counted_in_modality_units(root: Path, tmp_path: Path) -> None:
    a = chaosprep.convert(split(root, tmp_path / "s"), tmp_path / "a", format="npy")
    other = shutil.copytree(root, tmp_path / "other")
    file = sorted((other / "Train_Sets/MR/2/T1DUAL/DICOM_anon/InPhase").iterdir())[0]
    added(file, 7)
    b = chaosprep.convert(split(other, tmp_path / "t"), tmp_path / "b", format="npy")
    found = chaosprep.diff(a.directory, b.directory)
    (case,) = found.cases
    assert case.id == "MR002_t1-in"
    assert [(one.pixels, one.most) for one in case.images] == [(5, 7.0)]
    assert (found.same, case.masks) == (8, ())


def added(file: Path, value: int) -> None:
    """Add a value to the first five stored pixels of a DICOM file."""
    import pydicom

    read = pydicom.dcmread(file)
    stored = np.frombuffer(read.PixelData, "<u2").copy()
    stored[:5] += value
    read.PixelData = stored.tobytes()
    read.save_as(file)


def test_masks_that_changed_are_told_by_structure(root: Path, tmp_path: Path) -> None:
    pairs = split(root, tmp_path / "s")
    a = chaosprep.extract_liver(pairs, tmp_path / "a")
    b = chaosprep.extract_liver(pairs, tmp_path / "b", range=(60, 63))
    same = chaosprep.diff(a.directory, b.directory)
    assert not same.cases
    c = chaosprep.extract_liver(pairs, tmp_path / "c", organ="spleen")
    found = chaosprep.diff(a.directory, c.directory)
    expected = {
        (row.id, organ, *counts)
        for row, other in zip(a.slices, c.slices, strict=True)
        for organ, counts in (
            ("liver", (row.pixels["liver"], 0, 0)),
            ("spleen", (0, other.pixels["spleen"], 0)),
        )
        if any(counts)
    }
    told = {(m.id, m.organ, m.a, m.b, m.both) for case in found.cases for m in case.masks}
    assert told == expected


def test_mask_values_of_another_meaning(root: Path, tmp_path: Path) -> None:
    pairs = split(root, tmp_path / "s")
    a = chaosprep.extract_liver(pairs, tmp_path / "a", all_organs=True)
    b = chaosprep.extract_labels(a, tmp_path / "b", rename=["liver=hepar"])
    found = chaosprep.diff(a.directory, b.directory)
    assert ("1", "liver", "hepar") in [(one.name, one.a, one.b) for one in found.labels]


def test_a_stage_that_one_alone_went_through_is_one_line(images: Dataset, tmp_path: Path) -> None:
    b = chaosprep.augment(images, tmp_path / "b")
    found = chaosprep.diff(images.directory, b.directory)
    assert [(one.name, one.a, one.b) for one in found.stages] == [("augment", "", "run")]
    copies = [row.id for row in b.slices if row.copy]
    assert [id for case in found.cases for id in case.came] == copies


def test_predicted_volumes_are_compared_by_their_masks(tmp_path: Path) -> None:
    for name, size in (("a", 8), ("b", 9)):
        (tmp_path / name).mkdir()
        mask = np.zeros((16, 16, 4), np.uint8)
        mask[:size, :5, 1] = 1
        image = nibabel.Nifti1Image(mask, np.eye(4))  # type: ignore[no-untyped-call]
        nibabel.save(image, tmp_path / name / "P1.nii.gz")
    found = chaosprep.diff(tmp_path / "a", tmp_path / "b")
    ((change,),) = (case.masks for case in found.cases)
    assert (change.a, change.b, change.both) == (40, 45, 40)
    assert "only masks are compared" in found.notes[0]


def swapped(found: Diff) -> tuple[object, ...]:
    def turned(one: Set) -> Set:
        return Set(one.went, one.came, one.both)

    return (
        turned(found.patients),
        turned(found.case_ids),
        [(one.name, one.b, one.a) for one in found.sides],
        [(m.id, m.organ, m.b, m.a, m.both) for case in found.cases for m in case.masks],
    )


def test_the_other_way_round_what_came_went(root: Path, tmp_path: Path) -> None:
    a = split(root, tmp_path / "a", patient=["MR001", "MR002"], val_patient=["MR002"])
    pairs = split(root, tmp_path / "b", patient=["MR002", "MR003"], val_patient=["MR003"])
    b = chaosprep.extract_liver(pairs, tmp_path / "c")
    there = chaosprep.diff(a.directory, b.directory)
    back = chaosprep.diff(b.directory, a.directory)
    assert swapped(there) == (
        back.patients,
        back.case_ids,
        [(one.name, one.a, one.b) for one in back.sides],
        [(m.id, m.organ, m.a, m.b, m.both) for case in back.cases for m in case.masks],
    )


@pytest.mark.parametrize("jobs", [1, 2])
def test_any_number_of_workers_finds_the_same(images: Dataset, tmp_path: Path, jobs: int) -> None:
    b = chaosprep.augment(images, tmp_path / "b", copies=2)
    assert chaosprep.diff(images.directory, b.directory, jobs=jobs) == chaosprep.diff(
        images.directory, b.directory
    )


def test_data_with_no_case_in_common_are_refused(images: Dataset, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(NothingFoundError):
        chaosprep.diff(images.directory, tmp_path / "other")


def test_what_a_root_has_wrong_is_noted(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "a")
    shutil.rmtree(root / "Train_Sets/MR/3/T1DUAL/Ground")
    found = chaosprep.diff(root, made.directory)
    assert found.case_ids.came == ("MR003_t1-in",)
    assert any("which inspect lists" in note for note in found.notes)


def test_a_root_without_a_case_says_why(tmp_path: Path, root: Path) -> None:
    odd = tmp_path / "odd"
    shutil.copytree(root / "Train_Sets/MR/1", odd / "somebody")
    made = split(root, tmp_path / "a")
    with pytest.raises(ProblemsError) as caught:
        chaosprep.diff(odd, made.directory, layout="chaos")
    assert caught.value.problems


def test_a_download_is_compared_with_what_its_headers_gave(root: Path, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    shutil.copytree(root / "Train_Sets/MR/1", scans / "one")
    made = chaosprep.split(scans, tmp_path / "a", layout="headers", val=0)
    with pytest.raises(NothingFoundError, match="pseudonymize"):
        chaosprep.diff(scans, made.directory, layout="headers")
    key = str(tmp_path / "chaosprep.key")
    found = chaosprep.diff(scans, made.directory, layout="headers", pseudonymize=key)
    assert not found.differs
    assert found.same == len(made.slices)


def test_masks_of_another_size_are_told_with_both(tmp_path: Path) -> None:
    for name, size in (("a", 16), ("b", 18)):
        (tmp_path / name).mkdir()
        mask = np.zeros((size, size, 2), np.uint8)
        mask[:4, :4] = 1
        image = nibabel.Nifti1Image(mask, np.eye(4))  # type: ignore[no-untyped-call]
        nibabel.save(image, tmp_path / name / "P1.nii.gz")
    told = list(lines(chaosprep.diff(tmp_path / "a", tmp_path / "b")))
    assert told == ["2 masks changed", *(f"  P1_s00{k}: size 16x16 -> 18x18" for k in (0, 1))]


def test_a_case_that_cannot_be_read_is_a_problem(images: Dataset, tmp_path: Path) -> None:
    place = tmp_path / "b"
    shutil.copytree(images.directory, place)
    row = images.slices[0]
    table = place / "slices.jsonl"
    table.write_text(table.read_text().replace(row.image_sha256, "0" * 64))
    descriptor = place / "datapackage.json"
    told = json.loads(descriptor.read_text())
    told["resources"][0]["hash"] = f"sha256:{hashlib.sha256(table.read_bytes()).hexdigest()}"
    descriptor.write_text(json.dumps(told))
    with pytest.raises(ProblemsError) as caught:
        chaosprep.diff(images.directory, place)
    assert [problem.id for problem in caught.value.problems] == [row.case]


def test_the_lines_count_first_and_name_a_few(images: Dataset, tmp_path: Path) -> None:
    b = chaosprep.augment(images, tmp_path / "b")
    found = chaosprep.diff(images.directory, b.directory)
    told = list(lines(found))
    copies = sum(row.copy > 0 for row in b.slices)
    assert f"{copies} slices came or went" in told
    assert told[-1] == f"  and {copies - 5} more; -v shows all"
    assert len(list(lines(found, whole=True))) == len(told) + copies - 6
