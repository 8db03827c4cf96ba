"""Volumes of labels find the series on whose grid they lie; paths decide between equal grids."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.layouts.headers.scans import (
    Labels,
    Scan,
    cases,
    codes,
    found,
    nibabel,
    split,
    take_first,
    write_nifti,
)

ONE = Scan()
OBLIQUE = Scan(patient="B-2", orientation="oblique", origin=(5.0, -7.5, 31.0))
SAME = Scan(patient="B-2")  # on the grid of ONE
LABELS: Labels = ONE.labels(1, 2)


def test_a_volume_is_of_the_series_on_whose_grid_it_lies(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    OBLIQUE.write(root / "b")
    write_nifti(root / "1.nii.gz", ONE, LABELS)
    write_nifti(root / "deep" / "er" / "x.nii", OBLIQUE, LABELS)
    made = cases(root)
    assert made["a/1-0.dcm"].masks == ("1.nii.gz",)
    assert made["b/1-0.dcm"].masks == ("deep/er/x.nii",)


@pytest.mark.parametrize("flip", [(), (0,), (2,), (0, 1, 2)])
@pytest.mark.parametrize("scan", [ONE, OBLIQUE], ids=["axial", "oblique"])
def test_split_writes_what_was_drawn_however_it_is_stored(
    tmp_path: Path, scan: Scan, flip: tuple[int, ...]
) -> None:
    root = tmp_path / "root"
    scan.write(root / "a")
    write_nifti(root / "m.nii.gz", scan, LABELS, flip)
    (planes,) = split(root, labels="1=liver,2=spleen").values()
    assert np.array_equal(planes, LABELS)


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_volumes_of_other_kinds_do_as_well(tmp_path: Path, ending: str) -> None:
    import SimpleITK

    root = tmp_path / "root"
    OBLIQUE.write(root / "a")
    right, down, normal = OBLIQUE.axes
    image = SimpleITK.GetImageFromArray(LABELS)
    image.SetOrigin(OBLIQUE.origin)
    image.SetSpacing((OBLIQUE.spacing[1], OBLIQUE.spacing[0], OBLIQUE.step))
    image.SetDirection(np.stack([right, down, normal], axis=1).ravel().tolist())
    SimpleITK.WriteImage(image, str(root / f"m{ending}"))
    (planes,) = split(root, labels="1=liver,2=spleen").values()
    assert np.array_equal(planes, LABELS)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("scan", [ONE, OBLIQUE], ids=["axial", "oblique"])
def test_what_itk_draws_on_the_series_finds_it(tmp_path: Path, scan: Scan, ending: str) -> None:
    import SimpleITK

    root = tmp_path / "root"
    scan.write(root / "a")
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in sorted((root / "a").iterdir())])
    image = SimpleITK.BinaryThreshold(reader.Execute(), 2, 3)  # pixels are numbers of slices
    SimpleITK.WriteImage(image, str(root / f"m{ending}"))
    (planes,) = split(root, labels="1=liver").values()
    assert planes.max(axis=(1, 2)).tolist() == [0, 0, 1, 1]
    assert planes.min(axis=(1, 2)).tolist() == [0, 0, 1, 1]


def cropped(scan: Scan, first: tuple[int, int, int], labels: Labels) -> bytes:
    """A .seg.nrrd of Slicer that begins at a voxel (slice, row, col) and reaches so far."""
    right, down, normal = scan.axes
    k, i, j = first
    origin = np.array(scan.origin)
    origin = origin + normal * scan.step * k + down * scan.spacing[0] * i
    origin = origin + right * scan.spacing[1] * j
    steps = (right * scan.spacing[1], down * scan.spacing[0], normal * scan.step)
    directions = " ".join(f"({','.join(map(repr, map(float, step)))})" for step in steps)
    lines = [
        "NRRD0004",
        "type: uchar",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {labels.shape[2]} {labels.shape[1]} {labels.shape[0]}",
        f"space directions: {directions}",
        "kinds: domain domain domain",
        "encoding: raw",
        f"space origin: ({','.join(map(repr, map(float, origin)))})",
        "Segment0_LabelValue:=1",
        "Segment0_Layer:=0",
        "Segment0_Name:=liver",
        "Segmentation_ReferenceImageExtentOffset:=" + f"{j} {i} {k}",
    ]
    return "\n".join([*lines, "", ""]).encode() + labels.tobytes()


def test_a_mask_that_is_cropped_lies_on_the_grid_that_it_is_a_part_of(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    OBLIQUE.write(root / "b")
    part = np.zeros((2, 3, 4), np.uint8)
    part[0, :2, 1:] = 1
    (root / "m.seg.nrrd").write_bytes(cropped(OBLIQUE, (1, 2, 3), part))
    whole = np.zeros_like(LABELS)
    whole[1:3, 2:5, 3:7] = part
    (planes,) = split(root).values()
    assert np.array_equal(planes, whole)


@pytest.mark.parametrize(
    "off",
    [
        Scan(origin=(-20.0, 30.6, 100.25)),  # 0.08 of a pixel
        Scan(step=4.2),  # the first slices lie on each other, the last do not
        Scan(step=12.0),  # every slice lies on one of the mask, which reaches farther
        Scan(spacing=(1.25, 1.55)),
    ],
    ids=["moved", "stretched", "longer", "wider"],
)
def test_nearly_the_same_grid_is_another_one(tmp_path: Path, off: Scan) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_nifti(root / "m.nii.gz", off, LABELS)
    assert codes(root) == ["mask-grid"]


def test_a_mask_that_lies_nowhere_is_a_problem(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_nifti(root / "m.nii.gz", ONE, LABELS)
    write_nifti(root / "n.nii.gz", OBLIQUE, LABELS)
    (problem,) = found(root).problems
    assert problem.code == "mask-grid"
    assert "n.nii" not in problem.text


@pytest.mark.parametrize("flip", [(), (2,)])
@pytest.mark.parametrize("place", [0, 2, 3])
def test_an_image_that_is_missing_is_said(tmp_path: Path, place: int, flip: tuple[int]) -> None:
    root = tmp_path / "root"
    OBLIQUE.write(root / "a")
    (root / "a" / f"1-{place}.dcm").unlink()
    write_nifti(root / "m.nii.gz", OBLIQUE, LABELS, flip)
    (problem,) = found(root).problems
    assert problem.code == "mask-grid"
    assert "4 slices, and the series on whose grid it lies has 3" in problem.reason


def test_between_two_patients_none_is_guessed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "x" / "a")
    SAME.write(root / "x" / "b")
    write_nifti(root / "x" / "m.nii.gz", ONE, LABELS)
    made = found(root)
    (problem,) = made.problems
    assert problem.code == "mask-ambiguous"
    assert "2 series of 2 patients" in problem.reason
    assert all(case.refused and case.masks is None for case in made.cases)


@pytest.mark.parametrize(
    "path",
    [
        "b/m.nii.gz",  # in the patient's folder
        "masks/b/m.nii.gz",  # in a folder that is called so
        "masks/b.nii.gz",
        "masks/B_liver.nii.gz",
        "masks/B-2.nii.gz",  # as PatientID has it
        "masks/b-2/m.nii.gz",
        f"masks/{SAME.series_uid}.nii.gz",
    ],
)
def test_a_path_tells_the_patient(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    SAME.write(root / "b")
    write_nifti(root / path, ONE, LABELS)
    assert cases(root) == {"b/1-0.dcm": cases(root)["b/1-0.dcm"]}


def test_a_number_in_a_name_is_no_patient(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "1")
    SAME.write(root / "2")
    write_nifti(root / "masks" / "mask_2.nii.gz", ONE, LABELS)
    assert codes(root) == ["mask-ambiguous"]


def test_a_path_that_names_two_patients_tells_nothing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    SAME.write(root / "b")
    write_nifti(root / "masks" / "a" / "b.nii.gz", ONE, LABELS)
    assert codes(root) == ["mask-ambiguous"]


def test_a_path_that_names_another_patient_than_the_grid_is_a_problem(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    OBLIQUE.write(root / "b")
    write_nifti(root / "b" / "m.nii.gz", OBLIQUE, LABELS)
    write_nifti(root / "masks" / "b.nii.gz", ONE, LABELS)
    assert codes(root) == ["mask-patient"]


SECOND = Scan(series="2", more={"SeriesNumber": 2})


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("p/T2/m.nii.gz", "p/T2"),
        ("masks/p_t2_liver.nii.gz", "p/T2"),
        ("masks/t1.nii.gz", "p/T1"),
        (f"masks/{SECOND.series_uid}.nii.gz", "p/T2"),
        ("masks/2.nii.gz", "p/T2"),  # as SeriesNumber has it
    ],
)
def test_a_path_tells_the_series(tmp_path: Path, path: str, taken: str) -> None:
    root = tmp_path / "root"
    ONE.write(root / "p" / "T1")
    SECOND.write(root / "p" / "T2")
    write_nifti(root / path, ONE, LABELS)
    (case,) = cases(root).values()
    assert case.images[0].startswith(taken)


def test_between_two_series_none_is_guessed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "p")
    SECOND.write(root / "p")
    write_nifti(root / "p" / "m.nii.gz", ONE, LABELS)
    (problem,) = found(root).problems
    assert problem.code == "mask-ambiguous"
    assert "2 series of 1 patient" in problem.reason


def test_the_only_series_that_is_taken_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    ONE.write(root / "p")
    SECOND.write(root / "p")
    write_nifti(root / "p" / "m.nii.gz", ONE, LABELS)
    take_first(monkeypatch)
    assert [case.masks for case in cases(root).values()] == [("p/m.nii.gz",)]


def grey(kind: type[np.number[Any]]) -> NDArray[Any]:
    return np.random.default_rng(1).integers(0, 900, LABELS.shape).astype(kind)


@pytest.mark.parametrize(
    "voxels",
    [
        grey(np.int16),
        grey(np.float32) / 7,
        grey(np.int16) - 1024,
        np.stack([grey(np.int16)] * 2),  # 4-D
    ],
    ids=["whole", "fractions", "negative", "several volumes"],
)
def test_images_beside_are_no_masks(tmp_path: Path, voxels: NDArray[Any]) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_nifti(root / "a" / "converted.nii.gz", ONE, voxels)
    made = found(root)
    assert made.problems == ()
    assert [case.masks for case in made.cases] == [None]
    assert "1 volume next to the DICOM files holds grey values, not labels" in made.notes


def test_many_labels_are_labels_where_neighbours_are_alike(tmp_path: Path) -> None:
    root = tmp_path / "root"
    scan = Scan(cols=48).write(root / "a")
    made = np.zeros((scan.count, scan.rows, scan.cols), np.uint8)
    for value in range(1, 25):  # blocks of 1 x 12
        place, rest = divmod(value - 1, 8)
        made[place, 2 + rest // 4, 12 * (rest % 4) : 12 * (rest % 4) + 12] = value
    write_nifti(root / "m.nii.gz", scan, made)
    assert [case.masks for case in cases(root).values()] == [("m.nii.gz",)]


def test_labels_may_be_stored_as_floats(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_nifti(root / "m.nii.gz", ONE, LABELS.astype(np.float64))
    assert [case.masks for case in cases(root).values()] == [("m.nii.gz",)]


def test_a_damaged_volume_is_a_problem(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    path = write_nifti(root / "m.nii", ONE, LABELS)
    path.write_bytes(path.read_bytes()[:-20])
    assert codes(root) == ["mask-unreadable"]


@pytest.mark.parametrize("number", [np.nan, np.inf, 3e38, 0.0])
@pytest.mark.filterwarnings("error")
def test_a_volume_that_lies_nowhere_at_all_is_a_problem(tmp_path: Path, number: float) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    data = bytearray(write_nifti(root / "m.nii", ONE, LABELS).read_bytes())
    data[280:296] = np.full(4, number, "<f4").tobytes()  # srow_x of nifti1.h
    data[252:254] = b"\0\0"  # qform_code
    (root / "m.nii").write_bytes(data)
    assert len(codes(root)) == 1


def test_a_volume_without_a_place_is_a_problem(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    made = nibabel.Nifti1Image(LABELS.T, None)
    made.header.set_zooms((1.5, 1.25, 4.0))
    nibabel.save(made, root / "m.nii.gz")
    assert codes(root) == ["mask-grid"]


def test_a_legend_beside_names_the_labels(tmp_path: Path) -> None:
    root = tmp_path / "root"
    ONE.write(root / "a")
    write_nifti(root / "labels" / "m.nii.gz", ONE, LABELS)
    (root / "labels" / "labels.json").write_text('{"1": "liver", "2": "spleen"}')
    (case,) = cases(root).values()
    assert {value: label.name for value, label in case.labels.items()} == {1: "liver", 2: "spleen"}
