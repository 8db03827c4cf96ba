"""What PRED and REF can be: each layout against masks that are known, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.organs import organ_labels
from chaosprep.dataset.stacking import label_volume
from chaosprep.errors import (
    ChaosprepError,
    FileError,
    ManifestError,
    NothingFoundError,
    ProblemsError,
)
from chaosprep.evaluation.results import Evaluation
from chaosprep.formats.nifti import write_nifti
from chaosprep.formats.png import encode_png
from chaosprep.imaging.space.lattice import Lattice, Volume
from chaosprep.phantom import Patient, write_chaos
from tests.evaluation.trees import dice, volume_of, write_png, write_shifted

ORGANS = ("liver", "right-kidney", "left-kidney", "spleen")


def is_perfect(found: Evaluation, rows: int) -> bool:
    return len(found.results) == rows and {row.dice for row in found.results} == {1.0}


def code(error: pytest.ExceptionInfo[ProblemsError]) -> set[str]:
    return {problem.code for problem in error.value.problems}


def volume(dataset: Dataset, case: str) -> Volume:
    found = label_volume(dataset.case(case), organ_labels(dataset))
    assert found is not None
    return found


def write_volumes(dataset: Dataset, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for case in dataset.cases:
        write_nifti(folder / f"{case.id}.nii.gz", volume(dataset, case.id))
    return folder


def turned(found: Volume) -> Volume:
    """The same voxels at the same places, in an array with other axes."""
    voxels = found.voxels[::-1, :, ::-1].transpose(2, 0, 1)
    slices, _, cols = found.voxels.shape
    steps = found.lattice.steps
    origin = found.lattice.origin + steps[:, 0] * (slices - 1) + steps[:, 2] * (cols - 1)
    turned_steps = np.column_stack([-steps[:, 2], -steps[:, 0], steps[:, 1]])
    i, j, k = voxels.shape
    return Volume(voxels, Lattice((i, j, k), origin, turned_steps))


# Slices by their ids


@pytest.mark.parametrize("below", ["", "masks", "val/masks"])
def test_slices_by_their_ids_in_a_folder_or_in_folders_of_it(
    livers: Dataset, out: Path, below: str
) -> None:
    write_shifted(livers, out / below, cols=0)
    assert is_perfect(chaosprep.evaluate(out, livers.directory), 4)


def test_images_beside_masks_are_no_masks(livers: Dataset, out: Path) -> None:
    write_shifted(livers, out / "val/masks", cols=0)
    write_shifted(livers, out / "val/images", cols=3)
    assert is_perfect(chaosprep.evaluate(out, livers.directory), 4)


def test_npy_slices_are_those_of_png(livers: Dataset, out: Path) -> None:
    out.mkdir()
    for row in livers.slices:
        mask = livers.mask(row)
        assert mask is not None
        np.save(out / f"{row.id}.npy", mask)
    assert is_perfect(chaosprep.evaluate(out, livers.directory), 4)


@pytest.mark.parametrize("value", [1, 7, 255])
def test_of_one_organ_any_single_value_counts(livers: Dataset, out: Path, value: int) -> None:
    for row in livers.slices:
        mask = livers.mask(row)
        assert mask is not None
        write_png(out / f"{row.id}.png", np.where(mask, value, 0))
    assert is_perfect(chaosprep.evaluate(out, livers.directory), 4)


def test_of_one_organ_two_values_in_a_file_do_not_count(livers: Dataset, out: Path) -> None:
    write_shifted(livers, out)
    mask = np.zeros((32, 32))
    mask[3, 3:5] = 1, 255
    write_png(out / "MR001_t1-in_s000.png", mask)
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(out, livers.directory)
    (problem,) = error.value.problems
    assert problem.code == "mask-values"
    assert problem.file == "MR001_t1-in_s000.png"
    assert "it holds 1, which stands for no organ (255 liver)" in problem.reason


def test_of_several_organs_the_values_are_those_of_the_reference(
    organs: Dataset, out: Path
) -> None:
    write_shifted(organs, out, cols=0)
    assert is_perfect(chaosprep.evaluate(out, organs.directory), 16)
    write_png(out / "MR001_t1-in_s000.png", np.full((32, 32), 9))
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(out, organs.directory)
    assert code(error) == {"mask-values"}


def test_of_several_organs_a_single_255_is_none_and_a_single_1_the_references(
    organs: Dataset, out: Path
) -> None:
    for name, value in (("yes", 255), ("liver", 1)):
        for row in organs.slices:
            mask = organs.mask(row)
            assert mask is not None
            write_png(out / name / f"{row.id}.png", np.where(mask == 1, value, 0))
    with pytest.raises(FileError, match="PRED holds one value, 255, but REF has 4 organs"):
        chaosprep.evaluate(out / "yes", organs.directory)
    found = chaosprep.evaluate(out / "liver", organs.directory)
    assert {row.organ: row.dice for row in found.results} == {
        "liver": 1,
        "right-kidney": 0,
        "left-kidney": 0,
        "spleen": 0,
    }


def test_predictions_on_augmented_copies_are_not_compared(livers: Dataset, out: Path) -> None:
    write_shifted(livers, out, cols=0)
    write_png(out / "MR001_t1-in_s000_a01.png", np.ones((32, 32)))
    assert is_perfect(chaosprep.evaluate(out, livers.directory), 4)


def test_a_slice_that_the_reference_lacks_is_named(livers: Dataset, out: Path) -> None:
    write_shifted(livers, out)
    write_png(out / "MR001_t1-in_s099.png", np.zeros((32, 32)))
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(out, livers.directory)
    (problem,) = error.value.problems
    assert problem.code == "slices-differ"
    assert "1 are not the reference's (MR001_t1-in_s099)" in problem.reason


def test_two_files_of_one_slice_are_named(livers: Dataset, out: Path) -> None:
    write_shifted(livers, out)
    np.save(out / "MR001_t1-in_s000.npy", np.zeros((32, 32), np.uint8))
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(out, livers.directory)
    assert code(error) == {"name-twice"}


def test_a_link_out_of_the_folder_is_not_followed(livers: Dataset, out: Path) -> None:
    pred = write_shifted(livers, out)
    file = pred / "MR001_t1-in_s000.png"
    file.rename(pred.parent / "elsewhere.png")
    file.symlink_to(pred.parent / "elsewhere.png")
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(pred, livers.directory)
    assert code(error) == {"file-link"}


# Stage directories


def test_slices_of_the_same_names_must_lie_at_the_same_places(
    livers: Dataset, case: str, tmp_path: Path
) -> None:
    """The same patient with other pixels: as many, as named, but 5 mm wide."""
    wide = [Patient(id=1, slices=4, matrix=32, sequences=("t1-in",), pixel_spacing=5)]
    pairs = chaosprep.split(write_chaos(tmp_path / "root", wide), tmp_path / "pairs", val=0)
    other = chaosprep.extract_liver(pairs, tmp_path / "livers")
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(other.directory, livers.directory, patients=["MR001"])
    assert [(p.code, p.id) for p in error.value.problems] == [("grid-mismatch", case)]


def test_a_damaged_stage_directory_is_not_taken_for_pictures(livers: Dataset, out: Path) -> None:
    shutil.copytree(livers.directory, out)
    (out / "slices.jsonl").write_text("{}\n")
    with pytest.raises(ManifestError):
        chaosprep.evaluate(out, livers.directory)


def test_a_mask_that_is_not_the_recorded_one_is_a_problem(livers: Dataset, out: Path) -> None:
    shutil.copytree(livers.directory, out)
    mask = next(out.glob("*/masks/*.png"))
    mask.unlink()
    write_png(mask, np.zeros((32, 32)))
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(livers.directory, out)
    assert code(error) == {"hash"}


# NIfTI


def test_volumes_by_case_id_beside_a_stage_directory(organs: Dataset, out: Path) -> None:
    found = chaosprep.evaluate(write_volumes(organs, out), organs.directory)
    assert is_perfect(found, 16)
    assert {row.organ for row in found.results} == set(ORGANS)


def test_a_stage_directory_beside_volumes_that_say_what_their_labels_are(
    organs: Dataset, out: Path
) -> None:
    write_volumes(organs, out / "labelsTr")
    labels = {"background": 0, **{organ: n for n, organ in enumerate(ORGANS, start=1)}}
    (out / "dataset.json").write_text(json.dumps({"labels": labels}))
    assert is_perfect(chaosprep.evaluate(organs.directory, out / "labelsTr"), 16)


def test_a_volume_with_other_axes_is_laid_on_the_grid_of_the_slices(
    livers: Dataset, case: str, out: Path
) -> None:
    out.mkdir()
    moved = volume(livers, case)
    moved.voxels[:, :, 1:] = moved.voxels[:, :, :-1].copy()
    write_nifti(out / f"{case}.nii.gz", turned(moved))
    found = chaosprep.evaluate(out / f"{case}.nii.gz", livers.directory, patients=["MR001"])
    (row,) = found.results
    ref = volume_of(livers, case)
    shifted = ref.copy()
    shifted[:, :, 1:] = ref[:, :, :-1]
    assert row.dice == pytest.approx(dice(shifted, ref))


def test_nnunets_predictions_beside_its_labels(organs: Dataset, out: Path) -> None:
    """Matched by stem; without a stage directory the volumes' own spacing counts."""
    write_volumes(organs, out / "labelsTr")
    write_volumes(organs, out / "predicted")
    labels = {"background": 0, **{organ: n for n, organ in enumerate(ORGANS, start=1)}}
    (out / "dataset.json").write_text(json.dumps({"labels": labels}))
    found = chaosprep.evaluate(out / "predicted", out / "labelsTr")
    assert is_perfect(found, 16)
    spacing = np.prod([mm or 0 for mm in organs.slices[0].spacing or ()])
    assert found.results[0].ref_ml == pytest.approx(
        found.results[0].ref_voxels * spacing / 1000, rel=1e-5
    )


def test_a_file_beside_a_file_needs_no_equal_name(livers: Dataset, case: str, out: Path) -> None:
    out.mkdir()
    for name in ("net", "truth"):
        write_nifti(out / f"{name}.nii.gz", volume(livers, case))
    found = chaosprep.evaluate(out / "net.nii.gz", out / "truth.nii.gz")
    assert [(row.case, row.dice) for row in found.results] == [("truth", 1)]


def test_two_volumes_of_one_name_are_named(livers: Dataset, case: str, out: Path) -> None:
    out.mkdir()
    for ending in (".nii", ".nii.gz"):
        write_nifti(out / f"{case}{ending}", volume(livers, case))
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(out, livers.directory, patients=["MR001"])
    assert code(error) == {"name-twice"}


def test_version_1_of_a_legend_is_label_to_organ(livers: Dataset, out: Path) -> None:
    for name in ("ref", "pred"):
        write_volumes(livers, out / name)
    (out / "dataset.json").write_text('{"labels": {"0": "background", "1": "liver"}}')
    found = chaosprep.evaluate(out / "pred", out / "ref")
    assert {row.organ for row in found.results} == {"liver"}


def test_volumes_without_a_legend_have_numbered_labels(organs: Dataset, out: Path) -> None:
    for name in ("ref", "pred"):
        write_volumes(organs, out / name)
    found = chaosprep.evaluate(out / "pred", out / "ref")
    assert [row.organ for row in found.results][:4] == [f"label-{n}" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "[]",
        '{"labels": {"liver": [1, 2]}}',
        '{"labels": {"ignore": 5}}',
        "{}",
        pytest.param('{"labels": {"liver": 1, "spleen": 1}}', id="one number twice"),
        pytest.param(f'{{"labels": {{"{"9" * 5000}": "liver"}}}}', id="thousands of digits"),
    ],
)
def test_a_legend_that_is_not_understood_is_refused(livers: Dataset, out: Path, text: str) -> None:
    write_volumes(livers, out)
    (out / "dataset.json").write_text(text)
    with pytest.raises(ChaosprepError) as error:
        chaosprep.evaluate(out, livers.directory)
    assert error.value.code == "labels"


def test_a_damaged_volume_is_a_problem_of_its_case(livers: Dataset, case: str, out: Path) -> None:
    file = write_volumes(livers, out) / f"{case}.nii.gz"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(out, livers.directory)
    assert [(p.id, p.file) for p in error.value.problems] == [(case, f"{case}.nii.gz")]


# Plain pictures


def plain(root: Path, masks: dict[str, list[list[int]]]) -> Path:
    for name, rows in masks.items():
        write_png(root / f"{name}.png", np.array(rows))
    return root


SQUARE = [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
EMPTY = [[0, 0, 0, 0]] * 4


def test_folders_of_pictures_are_cases_matched_by_name(tmp_path: Path) -> None:
    ref = plain(tmp_path / "ref", {"b/1": SQUARE, "b/2": SQUARE, "a/x": SQUARE})
    pred = plain(tmp_path / "pred", {"b/1": SQUARE, "b/2": EMPTY, "a/x": SQUARE})
    found = chaosprep.evaluate(pred, ref)
    assert [(row.case, row.organ, row.dice) for row in found.results] == [
        ("a", "mask", 1),
        ("b", "mask", pytest.approx(2 * 4 / (4 + 8))),
    ]


def test_pictures_directly_in_a_folder_are_one_case_or_each_one(tmp_path: Path) -> None:
    ref = plain(tmp_path / "same/ref", {"1": SQUARE, "2": SQUARE})
    pred = plain(tmp_path / "pred/ref", {"1": SQUARE, "2": EMPTY})
    assert [row.case for row in chaosprep.evaluate(pred, ref).results] == ["ref"]
    found = chaosprep.evaluate(pred, ref, per="slice")
    assert [(row.case, row.dice) for row in found.results] == [("ref/1", 1), ("ref/2", 0)]


def test_pictures_have_distances_only_with_their_spacing(tmp_path: Path) -> None:
    ref = plain(tmp_path / "ref/c", {"1": SQUARE}).parent
    pred = plain(tmp_path / "pred/c", {"1": [[*row[1:], 0] for row in SQUARE]}).parent
    found = chaosprep.evaluate(pred, ref)
    (row,) = found.results
    assert (row.dice, row.assd, row.mssd, row.assd_score, row.score) == (
        0.5,
        None,
        None,
        None,
        None,
    )
    assert "--spacing" in found.notes[0]
    (row,) = chaosprep.evaluate(pred, ref, spacing=(5, 3, 2)).results
    assert row.mssd == pytest.approx(2)
    assert row.assd == pytest.approx(1)


def test_pictures_of_several_values_have_numbered_labels(tmp_path: Path) -> None:
    two = [[0, 1, 1, 0], [0, 2, 2, 0]]
    ref, pred = plain(tmp_path / "r/c", {"1": two}), plain(tmp_path / "p/c", {"1": two})
    found = chaosprep.evaluate(pred.parent, ref.parent)
    assert [(row.organ, row.ref_voxels) for row in found.results] == [
        ("label-1", 2),
        ("label-2", 2),
    ]


def test_pictures_have_the_names_of_a_legend_beside_them(tmp_path: Path) -> None:
    two = [[0, 1, 1, 0], [0, 2, 2, 0]]
    ref, pred = plain(tmp_path / "r/c", {"1": two}), plain(tmp_path / "p/c", {"1": two})
    (ref.parent / "labels.json").write_text('{"labels": {"liver": 1, "spleen": 3}}')
    found = chaosprep.evaluate(pred.parent, ref.parent)
    assert [row.organ for row in found.results] == ["liver", "label-2"]


def test_pictures_named_by_slice_ids_are_grouped_by_case(livers: Dataset, out: Path) -> None:
    """A folder of the masks of several patients must not become one volume."""
    ref = write_shifted(livers, out, cols=0)
    found = chaosprep.evaluate(ref, ref)
    assert [row.case for row in found.results] == [case.id for case in livers.cases]


def test_a_picture_of_the_reference_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    ref = plain(tmp_path / "ref/c", {"1": SQUARE, "2": SQUARE})
    (ref / "2.png").write_bytes(b"no PNG")
    with pytest.raises(FileError, match=r"2\.png: not an image"):
        chaosprep.evaluate(ref.parent, ref.parent)


def test_slices_of_different_sizes_make_no_case(tmp_path: Path) -> None:
    masks = {"1": SQUARE, "2": [[0, 1]]}
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(
            plain(tmp_path / "a/c", masks).parent, plain(tmp_path / "b/c", masks).parent
        )
    assert code(error) == {"size-mismatch"}
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(tmp_path / "a", tmp_path / "b", per="slice")
    (problem,) = error.value.problems
    assert "a folder of their own" in problem.remedy
    assert "--per" not in problem.remedy


def test_images_are_no_masks(tmp_path: Path) -> None:
    image = np.arange(400, dtype=np.uint16).reshape(20, 20)
    (tmp_path / "c").mkdir()
    (tmp_path / "c/1.png").write_bytes(encode_png(image))
    with pytest.raises(FileError, match=r"399 .* look like images") as error:
        chaosprep.evaluate(tmp_path, tmp_path)
    assert error.value.code == "mask-values"


# Whatever else


def test_what_is_not_understood_is_refused_with_a_list_of_what_is(
    livers: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.txt").write_text("hello")
    with pytest.raises(NothingFoundError) as error:
        chaosprep.evaluate(tmp_path / "notes", livers.directory)
    assert error.value.code == "layout-unknown"
    for word in ("stage directory", "NIfTI", "CHAOS root", "submission", "PNG or npy"):
        assert word in str(error.value)


def test_volumes_cannot_be_laid_on_pictures_without_geometry(livers: Dataset, out: Path) -> None:
    ref = write_shifted(livers, out / "png")
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(write_volumes(livers, out / "nii"), ref)
    assert code(error) == {"geometry-unknown"}
