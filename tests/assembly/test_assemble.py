"""Volumes from slices: the voxels and places that SimpleITK reads from the original series."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.assembly.assemble import assemble
from chaosprep.errors import ProblemsError, UsageError
from chaosprep.formats.nifti import write_nifti
from chaosprep.imaging.space.lattice import Volume
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import RunOptions
from tests.exports.volumes import Read, assert_same_place, dice, read_series, read_volume, turn

SERIES = {
    "MR001_t1-in": "MR/1/T1DUAL/DICOM_anon/InPhase",
    "MR002_t1-out": "MR/2/T1DUAL/DICOM_anon/OutPhase",
    "CT001_ct": "CT/1/DICOM_anon",
}


@pytest.fixture(scope="module", params=["straight", "oblique"])
def scanned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients of MR and one of CT, whose files go down; once as they are, once askew."""
    patients = (
        Patient(id=1, slices=5, matrix=96, sequences=("t1-in",)),
        Patient(id=2, slices=5, matrix=80, sequences=("t1-in", "t1-out")),
        Patient(id=1, modality="CT", slices=6, matrix=96),
    )
    root = write_chaos(tmp_path_factory.mktemp("scanned"), patients)
    if request.param == "oblique":
        turn(root, (20.0, -35.0))
    return root


@pytest.fixture(scope="module")
def masked(scanned: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    place = tmp_path_factory.mktemp("masked")
    pairs = chaosprep.split(scanned, place / "pairs", sequence=["t1-in", "t1-out", "ct"])
    return chaosprep.extract_liver(pairs, place / "livers")


@pytest.fixture(scope="module")
def before(masked: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The volumes before any other grid."""
    return assemble(masked, tmp_path_factory.mktemp("before") / "out").path


def original(scanned: Path, case: str) -> Read:
    return read_series(scanned / "Train_Sets" / SERIES[case])


def image(place: Path, case: str) -> Read:
    return read_volume(place / "images" / f"{case}.nii.gz")


def mask(place: Path, case: str) -> Read:
    return read_volume(place / "masks" / f"{case}.nii.gz")


def test_voxels_and_places_are_those_of_the_series(
    scanned: Path, masked: Dataset, tmp_path: Path
) -> None:
    kept = chaosprep.convert(masked, tmp_path / "kept", keep_16bit=True)
    made = assemble(kept, tmp_path / "out")
    for case in SERIES:
        found, expected = image(made.path, case), original(scanned, case)
        assert np.array_equal(found.voxels, expected.voxels)
        assert_same_place(found, expected)
        assert_same_place(mask(made.path, case), expected)


@pytest.mark.parametrize("case", SERIES)
def test_dicom_slices_give_the_same_volume(scanned: Path, before: Path, case: str) -> None:
    assert np.array_equal(image(before, case).voxels, original(scanned, case).voxels)


@pytest.mark.parametrize(
    "grid",
    [
        {"size": "120x72"},
        {"spacing": 5.0},
        {"spacing": 3.1, "size": "160"},
        {"spacing": 5.5, "size": "64x56"},
    ],
    ids=str,
)
def test_any_grid_is_undone(
    scanned: Path, masked: Dataset, before: Path, tmp_path: Path, grid: dict[str, Any]
) -> None:
    new = chaosprep.convert(
        masked, tmp_path / "new", keep_16bit=True, mask_sampling="label", **grid
    )
    after = assemble(new, tmp_path / "after").path
    shares = []
    for case in SERIES:
        found, expected = mask(after, case), mask(before, case)
        assert_same_place(found, original(scanned, case))
        assert_same_place(image(after, case), original(scanned, case))
        shares.append(dice(found.voxels == 1, expected.voxels == 1))
    assert np.mean(shares) >= 0.98


def test_padding_is_undone_to_the_last_voxel(
    scanned: Path, masked: Dataset, before: Path, tmp_path: Path
) -> None:
    wide = chaosprep.convert(masked, tmp_path / "wide", keep_16bit=True, size="97x100", fit="pad")
    made = assemble(wide, tmp_path / "out")
    assert made.notes == ()
    for case in SERIES:
        assert np.array_equal(image(made.path, case).voxels, original(scanned, case).voxels)
        assert np.array_equal(mask(made.path, case).voxels, mask(before, case).voxels)


def test_cropped_background_costs_no_liver_and_is_said(
    scanned: Path, masked: Dataset, before: Path, tmp_path: Path
) -> None:
    narrow = chaosprep.convert(masked, tmp_path / "narrow", keep_16bit=True, size="72", fit="crop")
    made = assemble(narrow, tmp_path / "out")
    assert made.notes == ("cropped, 4 of 4: there images have the case's lowest value, masks 0",)
    for case, side in (("MR001_t1-in", 96), ("MR002_t1-out", 80), ("CT001_ct", 96)):
        assert np.array_equal(mask(made.path, case).voxels, mask(before, case).voxels)
        found, expected = image(made.path, case).voxels, original(scanned, case).voxels
        left = (side - 72) // 2
        inner = slice(left, left + 72)
        assert np.array_equal(found[:, inner, inner], expected[:, inner, inner])
        assert set(found[:, 0].ravel()) == {expected[:, inner, inner].min()}


def test_keep_grid_leaves_the_new_pixels_where_they_are(
    scanned: Path, masked: Dataset, tmp_path: Path
) -> None:
    wide = chaosprep.convert(masked, tmp_path / "wide", keep_16bit=True, size="100x104", fit="pad")
    made = assemble(wide, tmp_path / "out", keep_grid=True)
    found, expected = image(made.path, "MR001_t1-in"), original(scanned, "MR001_t1-in")
    assert found.voxels.shape == (5, 100, 104)
    assert np.array_equal(found.voxels[:, 2:98, 4:100], expected.voxels)
    columns = np.reshape(found.direction, (3, 3)) * found.spacing
    first = np.array(found.position) + columns @ (4, 2, 0)
    assert np.allclose(first, expected.position, atol=1e-3)


def test_labels_count_from_one_and_are_named(pairs: Dataset, tmp_path: Path) -> None:
    organs = chaosprep.extract_liver(pairs, tmp_path / "organs", all_organs=True)
    made = assemble(organs, tmp_path / "out")
    labels = json.loads((made.path / "labels.json").read_text())
    assert labels == {"liver": 1, "right-kidney": 2, "left-kidney": 3, "spleen": 4}
    voxels = mask(made.path, "MR001_t1-in").voxels
    for organ, label in labels.items():
        area = sum(row.pixels[organ] for row in organs.case("MR001_t1-in").slices)
        assert int((voxels == label).sum()) == area


def test_augmented_copies_are_left_out(masked: Dataset, tmp_path: Path) -> None:
    images = chaosprep.convert(masked, tmp_path / "images", keep_16bit=True)
    more = chaosprep.augment(images, tmp_path / "more", copies=1)
    with_copies, without = (
        assemble(it, tmp_path / name) for it, name in ((more, "a"), (images, "b"))
    )
    assert (with_copies.cases, with_copies.slices) == (without.cases, without.slices)
    for path in without.path.rglob("*.nii.gz"):
        again = with_copies.path / path.relative_to(without.path)
        assert again.read_bytes() == path.read_bytes()


def test_without_masks_there_are_images_alone(tmp_path: Path) -> None:
    patient = Patient(id=9, sequences=("t1-in",), slices=3, matrix=32)
    write_chaos(tmp_path / "root", [patient], sets="Test_Sets")
    pairs = chaosprep.split(tmp_path / "root", tmp_path / "pairs")
    made = assemble(pairs, tmp_path / "out")
    assert (made.path / "images" / "MR009_t1-in.nii.gz").exists()
    assert not (made.path / "masks").exists()
    assert not (made.path / "labels.json").exists()


def test_a_case_with_a_gap_is_a_problem_and_can_be_skipped(tmp_path: Path) -> None:
    patients = [Patient(id=id, sequences=("t1-in",), slices=5, matrix=32) for id in (1, 2)]
    root = write_chaos(tmp_path / "root", patients)
    (root / "Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase/IMG-0005-00006.dcm").unlink()
    (root / "Train_Sets/MR/1/T1DUAL/Ground/IMG-0005-00006.png").unlink()
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0.0)
    with pytest.raises(ProblemsError, match="assemble: 1 problem, nothing was written") as caught:
        assemble(pairs, tmp_path / "out")
    assert [(p.code, p.id) for p in caught.value.problems] == [("gap", "MR001_t1-in")]
    assert not (tmp_path / "out").exists()
    made = assemble(pairs, tmp_path / "out", options=RunOptions(on_error="skip"))
    assert [(p.code, p.id) for p in made.skipped] == [("gap", "MR001_t1-in")]
    assert [path.name for path in made.path.glob("images/*")] == ["MR002_t1-in.nii.gz"]


def test_workers_do_not_matter(livers: Dataset, tmp_path: Path) -> None:
    def content(name: str, jobs: int) -> dict[str, bytes]:
        place = assemble(livers, tmp_path / name, options=RunOptions(jobs=jobs)).path
        files = (path for path in place.rglob("*") if path.is_file())
        return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}

    assert content("one", 1) == content("two", 2)


def test_a_volume_that_does_not_read_back_is_not_kept(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(file: Path, volume: Volume) -> None:
        write_nifti(file, Volume(np.roll(volume.voxels, 1), volume.lattice))

    monkeypatch.setattr("chaosprep.formats.nifti.write_nifti", shifted)
    with pytest.raises(ProblemsError) as caught:
        assemble(livers, tmp_path / "out")
    assert {problem.code for problem in caught.value.problems} == {"not-as-written"}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options",
    [{"format": "seg"}, {"dicom": "."}, {"format": "seg", "dicom": ".", "keep_grid": True}],
)
def test_options_that_do_not_go_together(
    livers: Dataset, tmp_path: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        assemble(livers, tmp_path / "out", **options)
