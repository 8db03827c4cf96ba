"""`inspect`: what is below a root, and what is wrong with it."""

from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

import chaosprep
from chaosprep.errors import NothingFoundError, UsageError
from chaosprep.phantom import Patient, write_chaos
from tests.structures import phantoms

PATIENTS = [
    Patient(id=1, sequences=("t1-in", "t1-out"), slices=4, matrix=64),
    Patient(id=2, sequences=("t2-spir",), slices=3, matrix=48),
    Patient(id=1, modality="CT", sequences=("ct",), slices=3, matrix=64),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_chaos(tmp_path / "chaos", PATIENTS)


def test_cases_are_described_from_headers_and_masks(root: Path) -> None:
    found = chaosprep.inspect(root)
    assert found.patients == ("CT001", "MR001", "MR002")
    assert [(case.id, case.slices, case.masks) for case in found.cases] == [
        ("CT001_ct", 3, 3),
        ("MR001_t1-in", 4, 4),
        ("MR001_t1-out", 4, 4),
        ("MR002_t2-spir", 3, 3),
    ]
    spir = found.cases[-1]
    assert spir.matrices == ("48x48",)
    assert spir.spacing is not None
    assert spir.spacing[0] == 7.7
    assert found.problems == ()


def test_grey_levels_are_counted_over_all_masks(root: Path) -> None:
    levels = {case.id: case.levels for case in chaosprep.inspect(root).cases}
    assert set(levels["CT001_ct"]) == {0, 1}
    assert set(levels["MR001_t1-in"]) <= {0, 63, 126, 189, 252}
    assert sum(levels["MR001_t1-in"].values()) == 4 * 64 * 64


def test_a_test_set_has_no_masks(tmp_path: Path) -> None:
    root = write_chaos(tmp_path / "chaos", PATIENTS[:1], sets="Test_Sets")
    (case, _) = chaosprep.inspect(root).cases
    assert (case.pool, case.masks, case.levels) == ("test", None, {})


def test_a_problem_of_one_case_leaves_the_others_whole(root: Path) -> None:
    lost = next(root.glob("Train_Sets/MR/2/T2SPIR/Ground/*.png"))
    lost.unlink()
    found = chaosprep.inspect(root)
    assert [(problem.code, problem.id) for problem in found.problems] == [
        ("mask-missing", "MR002_t2-spir")
    ]
    assert len(found.cases) == 4


def test_swapped_phases_are_noticed_by_their_echo_times(root: Path) -> None:
    folder = root / "Train_Sets/MR/1/T1DUAL/DICOM_anon"
    for name, echo in (("InPhase", 2.3), ("OutPhase", 4.6)):
        for path in (folder / name).iterdir():
            dataset = pydicom.dcmread(path)
            dataset.EchoTime = echo
            dataset.save_as(path)
    (problem,) = chaosprep.inspect(root).problems
    assert (problem.code, problem.id) == ("phases-swapped", "MR001_t1-in")


def test_workers_find_the_same(root: Path) -> None:
    assert chaosprep.inspect(root, jobs=2) == chaosprep.inspect(root)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError):
        chaosprep.inspect(tmp_path)
    with pytest.raises(UsageError):
        chaosprep.inspect(tmp_path / "nowhere")


def test_values_and_transfer_syntaxes_are_told(root: Path) -> None:
    folder = root / "Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase"
    arrays = [pydicom.dcmread(path).pixel_array for path in folder.iterdir()]
    case = next(case for case in chaosprep.inspect(root).cases if case.id == "MR001_t1-in")
    assert case.values == (min(a.min() for a in arrays), max(a.max() for a in arrays))
    assert case.transfer_syntaxes == ("Explicit VR Little Endian",)


def test_pixels_cut_short_and_masks_of_no_organ_are_problems(root: Path) -> None:
    image = sorted(root.glob("Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase/*.dcm"))[0]
    image.write_bytes(image.read_bytes()[:-100])
    mask = sorted(root.glob("Train_Sets/MR/2/T2SPIR/Ground/*.png"))[0]
    mask.write_bytes(cv2.imencode(".png", np.full((48, 48), 100, np.uint8))[1].tobytes())
    found = chaosprep.inspect(root)
    assert [(problem.code, problem.id) for problem in found.problems] == [
        ("dicom-truncated", "MR001_t1-in"),
        ("mask-levels", "MR002_t2-spir"),
    ]


def test_a_stage_directory_is_told_from_its_table(root: Path, tmp_path: Path) -> None:
    made = chaosprep.split(root, tmp_path / "split", sequence="t1-in", val=0.0)
    found = chaosprep.inspect(made.directory)
    assert [(case.id, case.pool, case.slices) for case in found.cases] == [
        ("MR001_t1-in", "train", 4)
    ]
    assert 63 in found.cases[0].levels


def test_a_warning_of_one_slice_names_it(root: Path) -> None:
    folder = root / "Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase"
    path = sorted(folder.iterdir())[1]
    header = pydicom.dcmread(path)
    header.BurnedInAnnotation = "YES"
    header.save_as(path)
    case = next(case for case in chaosprep.inspect(root).cases if case.id == "MR001_t1-in")
    (warning,) = case.warnings
    assert "burned into the picture" in warning
    assert warning.endswith("(MR001_t1-in_s001)")


def test_the_label_map_is_told_with_how_many_cases_name_each_structure(tmp_path: Path) -> None:
    found = phantoms.total(tmp_path / "root")
    told = chaosprep.inspect(found.root, images=phantoms.IMAGES, masks=found.masks).labels
    assert [(one.value, one.name, one.cases) for one in told] == [
        (1, "aorta", 3),
        (2, "kidney_left", 1),
        (3, "liver", 3),
        (4, "portal_vein", 2),
        (5, "spleen", 2),
        (6, "splen", 1),
    ]
    assert [one.code and one.code.value for one in told][3:] == ["32764006", "78961009", None]


def test_of_a_stage_directory_the_label_map_is_told_too(tmp_path: Path) -> None:
    found = phantoms.total(tmp_path / "root")
    made = chaosprep.split(
        found.root, tmp_path / "s", images=phantoms.IMAGES, masks=found.masks, val=0.34
    )
    told = chaosprep.inspect(made.directory).labels
    assert [(one.name, one.cases) for one in told if one.cases != 3] == [
        ("kidney_left", 1),
        ("portal_vein", 2),
        ("spleen", 2),
        ("splen", 1),
    ]


def test_grey_levels_have_no_label_map(tmp_path: Path) -> None:
    root = write_chaos(tmp_path, [Patient(id=1, slices=3, matrix=32, sequences=("t1-in",))])
    assert chaosprep.inspect(root).labels == ()
