"""DICOM SEG on the original series: read back by highdicom, and by split."""

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset as Dicom
from pydicom import dcmread

import chaosprep
from chaosprep import Dataset
from chaosprep.assembly.assemble import assemble
from chaosprep.errors import ChaosprepError, ProblemsError, UsageError
from chaosprep.facts import Code, Label
from chaosprep.phantom import Patient, write_chaos
from tests.exports.volumes import read_series, turn
from tests.labelled import labelled, renamed

hd = pytest.importorskip("highdicom")

CASE = "MR001_t1-in"
FOLDERS = {CASE: "MR/1/T1DUAL/DICOM_anon/InPhase", "CT001_ct": "CT/1/DICOM_anon"}
SNOMED = {
    "liver": "10200004",
    "right-kidney": "9846003",
    "left-kidney": "18639004",
    "spleen": "78961009",
}
Edit = Callable[[int, Dicom], None]


@pytest.fixture(scope="module", params=["straight", "oblique"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    patients = (
        Patient(id=1, slices=5, matrix=40, sequences=("t1-in",)),
        Patient(id=1, modality="CT", slices=5, matrix=40),
    )
    place = write_chaos(tmp_path_factory.mktemp("root"), patients)
    if request.param == "oblique":
        turn(place, (20.0, -35.0))
    return place


@pytest.fixture(scope="module")
def pairs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    place = tmp_path_factory.mktemp("pairs") / "out"
    return chaosprep.split(root, place, sequence=["t1-in", "ct"], val=0.0)


@pytest.fixture(scope="module")
def organs(pairs: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return chaosprep.extract_liver(pairs, tmp_path_factory.mktemp("organs"), all_organs=True)


@pytest.fixture(scope="module")
def made(organs: Dataset, pairs: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("seg") / "out"
    return assemble(organs, output, format="seg", dicom=pairs.directory).path


def sources(root: Path, case: str) -> dict[str, Dicom]:
    files = (dcmread(path) for path in sorted((root / "Train_Sets" / FOLDERS[case]).glob("*.dcm")))
    return {str(file.SOPInstanceUID): file for file in files}


def expected(organs: Dataset, case: str) -> dict[str, Any]:
    """DICOM file below the root -> its labels, in anatomical order."""
    return {row.source: organs.mask(row) for row in organs.case(case).slices}


@pytest.mark.parametrize("case", FOLDERS)
def test_highdicom_finds_the_labels_on_their_images(
    made: Path, root: Path, organs: Dataset, case: str
) -> None:
    seg = hd.seg.segread(made / "masks" / f"{case}.dcm")
    for source, labels in expected(organs, case).items():
        uid = str(dcmread(root / source, stop_before_pixels=True).SOPInstanceUID)
        found = seg.get_pixels_by_source_instance(
            [uid],
            combine_segments=True,
            ignore_spatial_locations=True,
            assert_missing_frames_are_empty=True,
        )
        assert np.array_equal(found[0], labels)


@pytest.mark.parametrize("case", FOLDERS)
def test_frames_lie_where_their_images_lie(made: Path, root: Path, case: str) -> None:
    seg, images = dcmread(made / "masks" / f"{case}.dcm"), sources(root, case)
    first = next(iter(images.values()))
    assert seg.FrameOfReferenceUID == first.FrameOfReferenceUID
    assert seg.StudyInstanceUID == first.StudyInstanceUID
    (series,) = seg.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == first.SeriesInstanceUID
    referenced = {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence}
    assert referenced == set(images)
    shared = seg.SharedFunctionalGroupsSequence[0]
    plane = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    assert np.allclose(plane, first.ImageOrientationPatient, atol=1e-6)
    measures = shared.PixelMeasuresSequence[0]
    assert np.allclose(measures.PixelSpacing, first.PixelSpacing, atol=1e-6)
    assert seg.PerFrameFunctionalGroupsSequence
    for frame in seg.PerFrameFunctionalGroupsSequence:
        (source,) = frame.DerivationImageSequence[0].SourceImageSequence
        image = images[source.ReferencedSOPInstanceUID]
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        assert np.allclose(position, image.ImagePositionPatient, atol=1e-3)


def test_the_volume_lies_on_the_series(made: Path, root: Path, organs: Dataset) -> None:
    """highdicom's own volume of the SEG, beside SimpleITK's of the series."""
    seg = hd.seg.segread(made / "masks" / f"{CASE}.dcm")
    volume = seg.get_volume(combine_segments=True, allow_missing_positions=True)
    series = read_series(root / "Train_Sets" / FOLDERS[CASE])
    labels = np.stack([*expected(organs, CASE).values()])
    shown = np.argwhere(labels == 1)[0]
    columns = np.reshape(series.direction, (3, 3)) * series.spacing
    place = np.array(series.position) + columns @ shown[::-1]
    index = np.rint(volume.map_reference_to_indices(place[None]))[0].astype(int)
    assert volume.array[tuple(index)] == 1


def test_split_takes_the_segmentation_as_masks(
    made: Path, root: Path, organs: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "t" / "i" / "1").mkdir(parents=True)
    for path in (root / "Train_Sets" / FOLDERS[CASE]).glob("*.dcm"):
        shutil.copy(path, tmp_path / "t" / "i" / "1")
    (tmp_path / "t" / "m").mkdir()
    shutil.copy(made / "masks" / f"{CASE}.dcm", tmp_path / "t" / "m" / "1.dcm")
    patterns: dict[str, Any] = {"images": "i/{patient}/{slice}.dcm", "masks": "m/{patient}.dcm"}
    again = chaosprep.split(tmp_path / "t", tmp_path / "out", val=0.0, **patterns)
    assert len(again.slices) == 5
    for labels, row in zip(expected(organs, CASE).values(), again.slices, strict=True):
        found = again.mask(row)
        assert found is not None
        assert np.array_equal(found, labels)


def test_segments_are_named_by_snomed(made: Path) -> None:
    seg = dcmread(made / "masks" / f"{CASE}.dcm")
    found = {
        item.SegmentLabel: item.SegmentedPropertyTypeCodeSequence[0] for item in seg.SegmentSequence
    }
    assert {label: code.CodeValue for label, code in found.items()} == SNOMED
    assert {code.CodingSchemeDesignator for code in found.values()} == {"SCT"}
    assert {item.SegmentAlgorithmType for item in seg.SegmentSequence} == {"MANUAL"}


def test_the_output_is_not_in_the_folder_of_the_dicom_files(organs: Dataset, root: Path) -> None:
    for output in (root / "out", root, root.parent):
        with pytest.raises(UsageError) as error:
            assemble(organs, output, format="seg", dicom=root)
        assert error.value.code == "output-place"


def test_the_patient_is_the_series_patient(made: Path, root: Path) -> None:
    first = next(iter(sources(root, CASE).values()))
    assert dcmread(made / "masks" / f"{CASE}.dcm").PatientName == first.PatientName


def test_the_same_masks_give_the_same_bytes_from_either_place(
    made: Path, organs: Dataset, root: Path, tmp_path: Path
) -> None:
    again = assemble(organs, tmp_path / "out", format="seg", dicom=root).path
    for case in FOLDERS:
        name = f"masks/{case}.dcm"
        assert (again / name).read_bytes() == (made / name).read_bytes()


def test_other_masks_are_other_instances(made: Path, pairs: Dataset, tmp_path: Path) -> None:
    livers = chaosprep.extract_liver(pairs, tmp_path / "livers")
    other = assemble(livers, tmp_path / "out", format="seg", dicom=pairs.directory).path
    one, two = (dcmread(place / "masks" / f"{CASE}.dcm") for place in (made, other))
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.SeriesInstanceUID != two.SeriesInstanceUID


def test_another_grid_is_undone_first(
    made: Path, organs: Dataset, pairs: Dataset, tmp_path: Path
) -> None:
    wide = chaosprep.convert(organs, tmp_path / "wide", size="64")
    again = assemble(wide, tmp_path / "out", format="seg", dicom=pairs.directory).path
    name = f"masks/{CASE}.dcm"
    assert (again / name).read_bytes() == (made / name).read_bytes()


def test_predictions_are_drawn_by_an_algorithm(
    organs: Dataset, pairs: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "p").mkdir()
    for row in organs.case(CASE).slices:
        np.save(tmp_path / "p" / f"{row.id}.npy", organs.mask(row))  # type: ignore[arg-type]
    made = assemble(
        tmp_path / "p", tmp_path / "out", reference=organs, format="seg", dicom=pairs.directory
    )
    seg = dcmread(made.path / "masks" / f"{CASE}.dcm")
    assert {item.SegmentAlgorithmType for item in seg.SegmentSequence} == {"AUTOMATIC"}


def refused(organs: Dataset, dicom: Path, output: Path) -> set[str]:
    with pytest.raises(ProblemsError) as caught:
        assemble(organs, output, format="seg", dicom=dicom)
    assert not output.exists()
    return {problem.code for problem in caught.value.problems if problem.id == CASE}


def edited(root: Path, place: Path, edit: Edit) -> Path:
    copy = Path(shutil.copytree(root, place))
    for number, path in enumerate(sorted((copy / "Train_Sets" / FOLDERS[CASE]).glob("*.dcm"))):
        header = dcmread(path)
        edit(number, header)
        header.save_as(path)
    return copy


def another_series(number: int, header: Dicom) -> None:
    header.SeriesInstanceUID = f"{header.SeriesInstanceUID}.{number}"


def no_frame_of_reference(number: int, header: Dicom) -> None:
    del header.FrameOfReferenceUID


def elsewhere(number: int, header: Dicom) -> None:
    header.ImagePositionPatient[0] += 1


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (another_series, "dicom-series"),
        (no_frame_of_reference, "dicom-series"),
        (elsewhere, "dicom-mismatch"),
    ],
)
def test_a_series_that_the_slices_do_not_fit_is_a_problem(
    organs: Dataset, root: Path, tmp_path: Path, edit: Edit, code: str
) -> None:
    assert refused(organs, edited(root, tmp_path / "root", edit), tmp_path / "out") == {code}


def test_headers_without_a_person_are_enough(organs: Dataset, root: Path, tmp_path: Path) -> None:
    def anonymous(number: int, header: Dicom) -> None:
        for keyword in ("PatientID", "PatientName", "PatientSex", "StudyDate", "StudyID"):
            delattr(header, keyword)

    made = assemble(
        organs, tmp_path / "out", format="seg", dicom=edited(root, tmp_path / "root", anonymous)
    )
    assert dcmread(made.path / "masks" / f"{CASE}.dcm").PatientName == ""


def test_dates_are_the_series_dates(organs: Dataset, root: Path, tmp_path: Path) -> None:
    def dated(number: int, header: Dicom) -> None:
        header.StudyDate, header.ContentDate, header.ContentTime = "20010203", "20010204", "111213"

    place = edited(root, tmp_path / "root", dated)
    made = assemble(organs, tmp_path / "out", format="seg", dicom=place)
    seg = dcmread(made.path / "masks" / f"{CASE}.dcm")
    assert (seg.StudyDate, seg.ContentDate, seg.ContentTime) == ("20010203", "20010204", "111213")


@pytest.mark.parametrize("where", ["empty", "converted"])
def test_dicom_that_is_not_there_is_named(organs: Dataset, tmp_path: Path, where: str) -> None:
    (tmp_path / "empty").mkdir()
    if where == "converted":
        chaosprep.convert(organs, tmp_path / "converted")
    assert refused(organs, tmp_path / where, tmp_path / "out") == {"dicom-missing"}


def test_a_source_may_not_lead_out_of_the_root(organs: Dataset, root: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "root"))
    first = organs.case(CASE).slices[0].source
    (copy / first).unlink()
    (copy / first).symlink_to(root / first)
    assert refused(organs, copy, tmp_path / "out") == {"dicom-missing"}


def test_without_highdicom_the_error_names_the_extra(
    organs: Dataset, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(ChaosprepError) as caught:
        assemble(organs, tmp_path / "out", format="seg", dicom=root)
    assert caught.value.code == "extra"


def test_phases_that_share_series_and_mask_are_two_objects(tmp_path: Path) -> None:
    patient = Patient(id=1, slices=3, matrix=32, sequences=("t1-in", "t1-out"))
    root = write_chaos(tmp_path / "root", [patient])
    pairs = chaosprep.split(root, tmp_path / "s", sequence=["t1-in", "t1-out"], val=0.0)
    masks = chaosprep.extract_liver(pairs, tmp_path / "l")
    place = assemble(masks, tmp_path / "seg", format="seg", dicom=pairs.directory).path
    one, other = (dcmread(path) for path in sorted(place.glob("masks/*.dcm")))
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SeriesInstanceUID != other.SeriesInstanceUID


# Codes


def told_codes(organs: Dataset, pairs: Dataset, output: Path) -> dict[str, tuple[str, str]]:
    """Segment label -> scheme and value of its type, as highdicom reads them."""
    made = assemble(organs, output, format="seg", dicom=pairs.directory).path
    seg = hd.seg.segread(made / "masks" / f"{CASE}.dcm")
    return {
        one.segment_label: (
            one.segmented_property_type.scheme_designator,
            one.segmented_property_type.value,
        )
        for one in map(seg.get_segment_description, seg.segment_numbers)
    }


def test_names_and_codes_are_those_of_the_label_map(
    organs: Dataset, pairs: Dataset, tmp_path: Path
) -> None:
    names = {"right-kidney": "Left adrenal", "spleen": "odd thing", "left-kidney": "Pancreas"}
    told = {
        1: Label("liver", Code("SCT", "10200004", "Liver")),
        2: Label("Left adrenal", Code("SCT", "38360003", "Left adrenal gland")),
        3: Label("Pancreas", Code("99LOCAL", "P1", "Pancreas")),
        4: Label("odd thing"),
        7: Label("Bladder", Code("SCT", "89837001", "Bladder")),
    }
    dataset = labelled(organs, tmp_path / "d", told, renamed(names))
    assert told_codes(dataset, pairs, tmp_path / "out") == {
        "liver": ("SCT", "10200004"),
        "Left adrenal": ("SCT", "38360003"),
        "Pancreas": ("99LOCAL", "P1"),
        "odd thing": ("99CHAOSPREP", sha256(b"odd thing").hexdigest()[:16].upper()),
        "Bladder": ("SCT", "89837001"),
    }


def test_another_structure_called_liver_gets_no_code_of_the_liver(
    pairs: Dataset, tmp_path: Path
) -> None:
    false = chaosprep.extract_liver(pairs, tmp_path / "l", range=(126, 126), on_error="skip")
    # An earlier release had no label map, and called whatever a range showed by the organ's name.
    earlier = labelled(false, tmp_path / "d", {}, renamed({"levels-126-126": "liver"}))
    for number, (dataset, name) in enumerate(((false, "levels-126-126"), (earlier, "liver"))):
        found = told_codes(dataset, pairs, tmp_path / f"out{number}")
        digits = sha256(name.encode()).hexdigest()[:16].upper()
        assert found == {name: ("99CHAOSPREP", digits)}
