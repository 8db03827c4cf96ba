"""DICOM SEG and RTSTRUCT as predictions: laid on the reference's grid, wherever it starts."""

from io import BytesIO
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

import chaosprep
from chaosprep.errors import FileError, ProblemsError, UsageError
from tests.formats.structure_sets import ORIENTATIONS, SCAN, Scan, Structure, drawn, rtstruct

FACING = ("axial", "sagittal", "oblique")


def box(*ends: tuple[int, int]) -> NDArray[np.uint8]:
    """A box of ones in the scan: (slices, rows, cols)."""
    voxels = np.zeros((SCAN.count, SCAN.rows, SCAN.cols), np.uint8)
    voxels[tuple(slice(*one) for one in ends)] = 1
    return voxels


REF = box((1, 4), (4, 12), (6, 20))
PRED = box((1, 3), (4, 12), (8, 20))
DICE = 2 * PRED.sum() / (PRED.sum() + REF.sum())  # what is predicted lies in the reference


def corners(low: tuple[int, int], high: tuple[int, int]) -> NDArray[np.float64]:
    """The outline of a rectangle of pixels, its ends in it: (4, 2) rows and columns."""
    top, left, bottom, right = low[0] - 0.5, low[1] - 0.5, high[0] + 0.5, high[1] + 0.5
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)])


def as_nifti(file: Path, voxels: NDArray[np.uint8], scan: Scan) -> Path:
    """A label volume with columns first, as most programs write it: RAS is LPS turned by x, y."""
    steps = np.eye(4)
    right, down = np.array(scan.orientation[:3]), np.array(scan.orientation[3:])
    steps[:3, 0], steps[:3, 1] = right * scan.spacing[1], down * scan.spacing[0]
    steps[:3, 2], steps[:3, 3] = np.cross(right, down) * scan.step, scan.corner(0)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ steps
    file.parent.mkdir(exist_ok=True)
    made: Any = nibabel
    made.save(made.Nifti1Image(voxels.transpose(2, 1, 0), affine), file)
    return file


def reference(tmp_path: Path, scan: Scan, voxels: NDArray[np.uint8] = REF) -> Path:
    file = as_nifti(tmp_path / "ref" / "case.nii.gz", voxels, scan)
    (file.parent / "labels.json").write_text('{"liver": 1}')
    return file.parent


def structures(tmp_path: Path, *found: Structure) -> Path:
    (tmp_path / "pred").mkdir()
    (tmp_path / "pred" / "case.dcm").write_bytes(rtstruct(*found))
    return tmp_path / "pred"


def segmentation(scan: Scan, voxels: NDArray[np.uint8]) -> bytes:
    """A SEG by highdicom, which leaves out the frames that show nothing."""
    written = pytest.importorskip("tests.formats.test_segmentations", exc_type=ImportError)
    more = dict.fromkeys(("PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID"), "")
    more |= dict.fromkeys(("StudyDate", "StudyTime", "ReferringPhysicianName"), "")
    more |= {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4", "PatientID": "A"}
    images = [scan.image(at, SeriesNumber=1, **more) for at in range(scan.count)]

    def called(made: Dataset) -> None:
        made.SegmentSequence[0].SegmentLabel = "Liver"

    data: bytes = written.seg_of([dcmread(BytesIO(one)) for one in images], voxels, edit=called)
    return data


def liver(scan: Scan, name: str = "Liver") -> Structure:
    return Structure(name, drawn(scan, {at: [corners((4, 8), (11, 19))] for at in (1, 2)}))


@pytest.mark.parametrize("facing", FACING)
def test_an_rtstruct_is_laid_on_the_voxels_of_the_reference(tmp_path: Path, facing: str) -> None:
    scan = Scan(ORIENTATIONS[facing])
    pred = structures(tmp_path, liver(scan))
    (row,) = chaosprep.evaluate(pred, reference(tmp_path, scan)).results
    assert (row.organ, row.pred_voxels, row.ref_voxels) == ("liver", PRED.sum(), REF.sum())
    assert row.dice == pytest.approx(DICE)
    assert row.mssd == pytest.approx(5.0)  # 4 mm to the missing slice, 3 mm to its missing columns


@pytest.mark.parametrize("facing", FACING)
def test_frames_that_a_seg_leaves_out_are_empty(tmp_path: Path, facing: str) -> None:
    scan = Scan(ORIENTATIONS[facing])
    (tmp_path / "pred").mkdir()
    (tmp_path / "pred" / "case.dcm").write_bytes(segmentation(scan, PRED))
    (row,) = chaosprep.evaluate(tmp_path / "pred", reference(tmp_path, scan)).results
    assert (row.organ, row.pred_voxels) == ("liver", PRED.sum())
    assert row.dice == pytest.approx(DICE)


def test_one_file_is_of_the_only_case_whatever_its_name(tmp_path: Path) -> None:
    file = structures(tmp_path, liver(SCAN)) / "case.dcm"
    other = file.rename(tmp_path / "RS.1.2.3")
    assert chaosprep.evaluate(other, reference(tmp_path, SCAN)).results[0].dice == DICE


def as_written(folder: Path) -> Path:
    """The folder that `assemble --format seg` and `predict --mask-format seg` make."""
    (folder / "masks").mkdir(parents=True)
    (folder / "masks/case.dcm").write_bytes(segmentation(SCAN, PRED))
    (folder / "labels.json").write_text('{"liver": 1}')
    return folder


def test_the_folder_of_segmentations_that_assemble_or_predict_wrote_is_taken(
    tmp_path: Path,
) -> None:
    found = chaosprep.evaluate(as_written(tmp_path / "pred"), reference(tmp_path, SCAN))
    assert found.results[0].dice == pytest.approx(DICE)


def test_two_files_of_one_name_are_a_problem_and_none_of_them_is_taken(tmp_path: Path) -> None:
    pred = structures(tmp_path, liver(SCAN))
    (pred / "case").write_bytes((pred / "case.dcm").read_bytes())
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(pred, reference(tmp_path, SCAN))
    assert [(one.id, one.code) for one in error.value.problems] == [("case", "name-twice")]


@pytest.mark.parametrize("first", [0, 1])
def test_a_reader_may_draw_on_the_grid_of_another_whoever_comes_first(
    tmp_path: Path, first: int
) -> None:
    readers = [reference(tmp_path, SCAN), as_written(tmp_path / "seg")]
    found = chaosprep.agree([readers[first], readers[1 - first]], tmp_path / "both")
    assert found.results[0].dice == pytest.approx(DICE)
    made: Any = nibabel
    image = made.load(tmp_path / "both/masks/case.nii.gz")
    assert np.array_equal(image.get_fdata().transpose(2, 1, 0), PRED & REF)


def test_a_file_on_other_voxels_is_refused(tmp_path: Path) -> None:
    moved = Scan(origin=(-20.0, 30.5, 102.25))
    pred = structures(tmp_path, liver(moved))
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(pred, reference(tmp_path, SCAN))
    assert [problem.code for problem in error.value.problems] == ["grid-mismatch"]


def test_structures_that_overlap_are_compared_one_by_one(tmp_path: Path) -> None:
    spleen = Structure("spleen", drawn(SCAN, {1: [corners((6, 10), (9, 12))]}))
    pred = structures(tmp_path, liver(SCAN), spleen)
    both = REF.copy()
    both[1, 6:10, 10:13] = 2
    ref = reference(tmp_path, SCAN, both)
    (ref / "labels.json").write_text('{"liver": 1, "spleen": 2}')
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(pred, ref)
    assert [problem.code for problem in error.value.problems] == ["structures-overlap"]
    (row,) = chaosprep.evaluate(pred, ref, organs=["spleen"]).results
    assert row.dice == 1
    (row,) = chaosprep.evaluate(pred, ref, organs=["liver"]).results
    assert row.pred_voxels == PRED.sum()


def test_a_name_that_identifies_is_never_said(tmp_path: Path) -> None:
    def called(made: Dataset) -> None:
        made.PatientName = "Quixote^Alonso"

    (tmp_path / "pred").mkdir()
    file = tmp_path / "pred" / "case.dcm"
    file.write_bytes(rtstruct(liver(SCAN, "Liver Quixote"), edit=called))
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(file.parent, reference(tmp_path, SCAN))
    assert [problem.code for problem in error.value.problems] == ["labels-unknown"]
    assert "Quixote" not in f"{error.value} {error.value.problems}"


def test_a_reference_must_have_a_grid(tmp_path: Path) -> None:
    pred = structures(tmp_path, liver(SCAN))
    with pytest.raises(UsageError, match="chaosprep split"):
        chaosprep.evaluate(reference(tmp_path, SCAN), pred)


def test_a_damaged_file_is_a_problem_of_its_case(tmp_path: Path) -> None:
    file = structures(tmp_path, liver(SCAN)) / "case.dcm"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(file.parent, reference(tmp_path, SCAN))
    assert [problem.id for problem in error.value.problems] == ["case"]


def test_a_reference_whose_structures_overlap_says_how_to_take_one_whole(tmp_path: Path) -> None:
    spleen = Structure("spleen", drawn(SCAN, {1: [corners((6, 10), (9, 12))]}))
    root = tmp_path / "root"
    (root / "images").mkdir(parents=True)
    for at in range(SCAN.count):
        image = SCAN.image(at, PatientID="A1", StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.4")
        (root / "images" / f"{at}.dcm").write_bytes(image)
    (root / "set.dcm").write_bytes(rtstruct(liver(SCAN), spleen))
    ref = chaosprep.split(root, tmp_path / "ref", val=0)
    pred = root / "set.dcm"
    with pytest.raises(FileError, match="Or take one whole: chaosprep extract-labels") as error:
        chaosprep.evaluate(pred, ref.directory)
    assert error.value.code == "structures-overlap"
    one = chaosprep.extract_labels(ref, tmp_path / "one", organ=["Liver"])
    (row,) = chaosprep.evaluate(pred, one.directory, organs=["Liver"]).results
    assert (row.dice, row.ref_voxels) == (1, PRED.sum())
