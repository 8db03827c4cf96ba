"""Two directories of different kinds: what both tell is compared, and nothing else is made up."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ManifestError, ProblemsError, UsageError
from chaosprep.formats.image_file import ImageFile
from chaosprep.formats.images import open_image
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.diff import of_root
from chaosprep.quality.diff.found import Changed
from chaosprep.quality.diff.lines import lines
from tests.labelled import Row, labelled
from tests.layouts import published
from tests.layouts.named import write_json

Volume = NDArray[Any]


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Label maps of two patients on two sides, two series each."""
    place = tmp_path_factory.mktemp("maps")
    series = ("t1-in", "t1-out")
    people = [Patient(id=id, slices=3, matrix=32, sequences=series) for id in (1, 2)]
    root = write_chaos(place / "root", people)
    pairs = chaosprep.split(root, place / "pairs", sequence=series, val_patient=["MR002"])
    return chaosprep.extract_liver(pairs, place / "maps", all_organs=True)


def save(path: Path, voxels: Volume, affine: Volume) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), path)  # type: ignore[no-untyped-call]


def raw(folder: Path, spacing: tuple[float, float, float] = (1, 1, 2), shift: float = 0) -> Path:
    """Two cases of nnU-Net's raw data, the same voxels in each place."""
    affine = np.diag([*spacing, 1.0])
    affine[0, 3] = shift
    for number in range(2):
        rng = np.random.default_rng(number)
        mask = np.zeros((12, 10, 3), np.uint8)
        mask[2:6, 3:7, 1] = 1
        image = rng.integers(0, 99, mask.shape, np.int16)
        save(folder / f"imagesTr/P{number}_0000.nii.gz", image, affine)
        save(folder / f"labelsTr/P{number}.nii.gz", mask, affine)
    said = {"channel_names": {"0": "MR"}, "labels": {"background": 0, "liver": 1}}
    write_json(folder / "dataset.json", {**said, "numTraining": 2, "file_ending": ".nii.gz"})
    return folder


@pytest.mark.parametrize("format", ["nnunet", "monai", "huggingface", "croissant"])
def test_what_export_wrote_is_what_was_exported(maps: Dataset, tmp_path: Path, format: str) -> None:
    source = maps
    if format in ("huggingface", "croissant"):
        source = chaosprep.convert(maps, tmp_path / "images")
    made = chaosprep.export(format, source, tmp_path / "out").path
    for a, b in ((made, source.directory), (source.directory, made)):
        found = chaosprep.diff(a, b)
        assert not found.differs, list(lines(found))
        assert (found.patients.both, found.same) == (2, len(source.slices))


def test_what_assemble_wrote_is_compared_with_images_and_masks(
    maps: Dataset, tmp_path: Path
) -> None:
    made = chaosprep.assemble(maps, tmp_path / "out").path
    found = chaosprep.diff(maps.directory, made)
    assert not found.differs
    assert not any("masks alone" in note for note in found.notes)
    case = maps.case_ids[0]
    file = made / f"images/{case}.nii.gz"
    volume: Any = nibabel.load(file)
    voxels = np.asarray(volume.dataobj).copy()
    voxels[0, 0, 0] += 5
    save(file, voxels, volume.affine)
    (changed,) = chaosprep.diff(maps.directory, made).cases
    assert (changed.id, [(one.pixels, one.most) for one in changed.images]) == (case, [(1, 5.0)])


def test_masks_alone_tell_no_patients_and_no_names(maps: Dataset, tmp_path: Path) -> None:
    for case in maps.cases:
        for row in case.slices:
            mask = case.mask(row)
            assert mask is not None
            cv2.imwrite(str(tmp_path / f"{row.id}.png"), mask)
    found = chaosprep.diff(tmp_path, maps.directory)
    assert not found.differs
    assert found.same == len(maps.slices)
    assert any("names of the other side are taken" in note for note in found.notes)
    (tmp_path / f"{maps.slices[1].id}.png").unlink()
    (case_of,) = chaosprep.diff(tmp_path, maps.directory).cases
    assert case_of.came == (maps.slices[1].id,)


def test_masks_named_by_patients_are_of_their_only_cases(tmp_path: Path) -> None:
    root = raw(tmp_path / "a")
    found = chaosprep.diff(root / "labelsTr", root)
    assert not found.differs
    assert (found.case_ids.both, found.same) == (2, 6)


def test_two_files_are_compared_whatever_they_are_called(tmp_path: Path) -> None:
    labels = raw(tmp_path / "a") / "labelsTr"
    voxels = np.zeros((12, 10, 3), np.uint8)
    voxels[2:6, 3:6, 1] = 1
    save(tmp_path / "mine.nii.gz", voxels, np.diag([1.0, 1, 2, 1]))
    found = chaosprep.diff(labels / "P0.nii.gz", tmp_path / "mine.nii.gz")
    ((change,),) = (case.masks for case in found.cases)
    assert (change.organ, change.a, change.b, change.both) == ("liver", 16, 12, 12)


def test_volumes_in_another_place_or_of_another_spacing_differ(tmp_path: Path) -> None:
    a = raw(tmp_path / "a")
    wide = chaosprep.diff(a, raw(tmp_path / "wide", (1, 1, 2.5)))
    (first, *_) = wide.cases
    assert first.rows[0] == Changed("P0_MR_s000 spacing", "2, 1, 1", "2.5, 1, 1")
    moved = chaosprep.diff(a / "labelsTr", raw(tmp_path / "moved", shift=4) / "labelsTr")
    told = [one for case in moved.cases for one in case.rows]
    assert len(told) == 6
    assert told[1] == Changed("P0_s001 position", "0, 0, 2", "-4, 0, 2")


def test_places_that_rounding_alone_moves_are_the_same(tmp_path: Path) -> None:
    a, b = raw(tmp_path / "a"), raw(tmp_path / "b", (1, 1, 2.0001))
    assert not chaosprep.diff(a, b).differs


def pictures(folder: Path, sides: dict[str, str]) -> Path:
    """Pairs of pictures that are equal wherever they lie; name -> side."""
    for number, (name, side) in enumerate(sides.items()):
        rng = np.random.default_rng(number)
        mask = np.zeros((8, 9), np.uint8)
        mask[2:4, 3:6] = 1
        for kind, plane in (("images", rng.integers(0, 99, (8, 9), np.uint8)), ("masks", mask)):
            (folder / side / kind).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / side / kind / f"{name}.png"), plane)
    return folder


def test_images_of_folders_of_pictures_are_compared(tmp_path: Path) -> None:
    a, b = (pictures(tmp_path / n, {"cat": "train", "dog": "val"}) for n in "ab")
    assert not chaosprep.diff(a, b).differs
    file = b / "val/images/dog.png"
    image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    assert image is not None
    image[1, 2] += 3
    cv2.imwrite(str(file), image)
    ((change,),) = (case.images for case in chaosprep.diff(a, b).cases)
    assert (change.id, change.pixels, change.most) == ("dog", 1, 3.0)


def test_a_picture_on_another_side_is_told_by_name(tmp_path: Path) -> None:
    a = pictures(tmp_path / "a", {"cat": "train", "dog": "val"})
    b = pictures(tmp_path / "b", {"cat": "val", "dog": "val"})
    found = chaosprep.diff(a, b)
    assert found.sides == (Changed("cat", "train", "val"),)
    assert not found.cases


@pytest.mark.parametrize("moved", ["p1_a", "p1_c"])
def test_a_patient_of_whom_one_case_alone_moved_is_told(tmp_path: Path, moved: str) -> None:
    voxels = np.arange(720, dtype=np.int16).reshape(12, 10, 6)
    for place in "ab":
        for name in ("p1_a", "p1_b", "p1_c", "p2_a"):
            side = "val" if place == "b" and name == moved else "train"
            save(tmp_path / place / side / "images" / f"{name}.nii.gz", voxels, np.eye(4))
    found = chaosprep.diff(tmp_path / "a", tmp_path / "b", patient_from_name="{patient}_{}")
    assert found.sides == (Changed("p1", "train", "train and val"),)
    with pytest.raises(ProblemsError, match="pattern does not fit 4 cases"):
        chaosprep.diff(tmp_path / "a", tmp_path / "b", patient_from_name="{patient}-{}")


def test_folds_that_came_are_told_between_downloads_alone(tmp_path: Path) -> None:
    a, b = raw(tmp_path / "a"), raw(tmp_path / "b")
    write_json(b / "splits_final.json", [{"train": ["P0"], "val": ["P1"]}])
    found = chaosprep.diff(a, b)
    assert found.sides == (Changed("P0", "", "train"), Changed("P1", "", "val"))
    made = chaosprep.split(a, tmp_path / "c", val_patient=["P1"], patient_from_name="{patient}")
    assert chaosprep.diff(a, made.directory).sides == ()


def test_a_case_of_another_patient_is_told(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("case,patient\nP0,one\nP1,two\n")
    (tmp_path / "q.csv").write_text("case,patient\nP0,two\nP1,one\n")
    root = raw(tmp_path / "a")
    a, b = (
        chaosprep.split(root, tmp_path / f"of-{name}", patients=str(tmp_path / name), val=0)
        for name in ("p.csv", "q.csv")
    )
    found = chaosprep.diff(a.directory, b.directory)
    assert found.differs


def test_one_patient_of_any_kind_is_compared_alone(maps: Dataset) -> None:
    found = chaosprep.diff(maps.directory, maps.directory, patient=["MR001"])
    assert (found.patients.both, found.case_ids.both) == (1, 2)
    with pytest.raises(UsageError, match="no patient is called MR009"):
        chaosprep.diff(maps.directory, maps.directory, patient=["MR009"])


def test_what_of_a_case_cannot_be_compared_is_noted(tmp_path: Path) -> None:
    alone = Patient(id=1, slices=4, matrix=32, sequences=("t2-spir",))
    root = write_chaos(tmp_path / "root", [alone])
    next((root / "Train_Sets/MR/1/T2SPIR/Ground").iterdir()).unlink()
    found = chaosprep.diff(root, root)
    assert found.same == 3
    assert any("2 problems of 1 case" in note for note in found.notes)


def test_a_broken_file_is_named_once(tmp_path: Path) -> None:
    a, b = raw(tmp_path / "a"), raw(tmp_path / "b")
    (b / "imagesTr/P1_0000.nii.gz").write_bytes(b"no volume")
    with pytest.raises(ProblemsError) as caught:
        chaosprep.diff(a, b)
    (problem,) = caught.value.problems
    assert (problem.id, problem.file) == ("P1_MR", "imagesTr/P1_0000.nii.gz")
    assert "P1" not in problem.reason


def test_a_link_to_a_directory_is_that_directory(maps: Dataset, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(maps.directory)
    assert not chaosprep.diff(link, maps.directory).differs


def test_several_parameters_read_as_words(maps: Dataset, tmp_path: Path) -> None:
    a = chaosprep.convert(maps, tmp_path / "a")
    b = chaosprep.convert(maps, tmp_path / "b", size="24x24", fit="crop")
    assert "2 parameters or stages changed" in list(lines(chaosprep.diff(a.directory, b.directory)))


def test_a_volume_is_opened_once_for_all_its_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def counted(path: str, data: bytes) -> ImageFile:
        opened.append(path)
        return open_image(path, data)

    monkeypatch.setattr(of_root, "open_image", counted)
    chaosprep.diff(raw(tmp_path / "a"), raw(tmp_path / "b", (1, 1, 3)))
    assert sorted(opened) == ["imagesTr/P0_0000.nii.gz"] * 2 + ["imagesTr/P1_0000.nii.gz"] * 2


def test_masks_of_volumes_are_compared_where_images_are_equal(tmp_path: Path) -> None:
    a, b = raw(tmp_path / "a"), raw(tmp_path / "b")
    voxels = np.zeros((12, 10, 3), np.uint8)
    voxels[2:6, 3:6, 1] = 1
    save(b / "labelsTr/P1.nii.gz", voxels, np.diag([1.0, 1, 2, 1]))
    ((change,),) = (case.masks for case in chaosprep.diff(a, b).cases)
    assert (change.id, change.organ) == ("P1_MR_s001", "liver")
    assert (change.a, change.b, change.both) == (16, 12, 12)


def test_a_structure_whose_file_went_is_told(tmp_path: Path) -> None:
    a, b = (published.totalsegmentator(tmp_path / n, {"s0001": "ct", "s0002": "ct"}) for n in "ab")
    (b / "s0002/segmentations/kidney_right.nii.gz").unlink()
    found = chaosprep.diff(a, b)
    assert {one.organ for case in found.cases for one in case.masks} == {"kidney_right"}
    assert sum(one.a for case in found.cases for one in case.masks) == 8


def test_equal_files_that_a_row_reads_otherwise_differ(maps: Dataset, tmp_path: Path) -> None:
    def swapped(row: Row) -> None:
        if row["case"] == "MR001_t1-in":
            row["labels"]["1"], row["labels"]["4"] = row["labels"]["4"], row["labels"]["1"]
            areas = row["pixels"]
            areas["liver"], areas["spleen"] = areas["spleen"], areas["liver"]

    other = labelled(maps, tmp_path / "b", maps.label_map, swapped)
    (case,) = chaosprep.diff(maps.directory, other.directory).cases
    assert case.id == "MR001_t1-in"
    assert {one.organ for one in case.masks} == {"liver", "spleen"}


def test_a_picture_that_went_is_told(tmp_path: Path) -> None:
    a, b = (pictures(tmp_path / n, {"cat": "train", "dog": "val"}) for n in "ab")
    (b / "val/images/dog.png").unlink()
    ((change,),) = (case.images for case in chaosprep.diff(a, b).cases)
    assert (change.id, change.size) == ("dog", "8x9, nothing")


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_copy_whose_files_are_not_its_manifests_is_no_equal(
    maps: Dataset, tmp_path: Path, damage: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(maps.directory, copy)
    row = maps.slices[0]
    file = copy / str(row.mask)
    if damage == "gone":
        file.unlink()
    else:
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.diff(maps.directory, copy)
    assert [(one.id, one.file) for one in caught.value.problems] == [(row.case, row.mask)]


def test_a_stage_directory_with_a_broken_manifest_is_called_so(
    maps: Dataset, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(maps.directory, copy)
    (copy / "datapackage.json").write_text("{")
    with pytest.raises(ManifestError):
        chaosprep.diff(maps.directory, copy)
