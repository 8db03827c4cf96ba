"""Predictions on another grid than the reference's: brought to it and said, or refused."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import Problem, ProblemsError
from chaosprep.evaluation.results import Evaluation

UNDONE = "PRED brought to REF's grid in 4 cases, by undoing --size and --spacing"
NEAREST = "PRED brought to REF's grid in 1 case, by the nearest voxel"


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def numbers(found: Evaluation) -> list[object]:
    """The rows without what says how the prediction was laid."""
    return [msgspec.structs.replace(row, brought=None, beyond=0) for row in found.results]


def write(
    file: Path,
    voxels: NDArray[np.uint8],
    spacing: Sequence[float] = (2.0, 2.0, 5.0),
    origin: Sequence[float] = (-31.0, 17.0, 40.0),
    direction: Sequence[float] = (1, 0, 0, 0, 1, 0, 0, 0, 1),
) -> Path:
    """A NIfTI of labels (slices, rows, cols), by SimpleITK; spacing and the others are x, y, z."""
    file.parent.mkdir(parents=True, exist_ok=True)
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    SimpleITK.WriteImage(image, str(file))
    return file


def blob(shape: tuple[int, int, int] = (8, 20, 24)) -> NDArray[np.uint8]:
    """A body without any symmetry, so that whatever is swapped or mirrored shows."""
    voxels = np.zeros(shape, np.uint8)
    voxels[2:6, 4:15, 5:11] = 1
    voxels[3:5, 6:9, 11:20] = 1
    voxels[5:7, 12:18, 4:8] = 1
    return voxels


def refused(pred: Path, ref: Path) -> Problem:
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(pred, ref)
    (problem,) = error.value.problems
    return problem


# Stage directories


@pytest.mark.parametrize(("spacing", "size"), [(None, "48"), (9.0, "48"), (14.0, None)])
def test_a_resized_stage_directory_comes_to_what_assemble_comes_to(
    organs: Dataset, tmp_path: Path, spacing: float | None, size: str | None
) -> None:
    pred = chaosprep.convert(organs, tmp_path / "pred", spacing=spacing, size=size)
    back = chaosprep.assemble(pred, tmp_path / "back")
    found = chaosprep.evaluate(pred.directory, organs.directory)
    long_way = chaosprep.evaluate(back.path, organs.directory)
    assert numbers(found) == numbers(long_way)
    assert {row.brought for row in found.results} == {"undone"}
    assert any(note.startswith(UNDONE) for note in found.notes)
    assert not any("brought" in note for note in long_way.notes)


def test_which_organs_are_asked_for_does_not_change_what_a_pixel_shows(
    organs: Dataset, tmp_path: Path
) -> None:
    pred = chaosprep.convert(organs, tmp_path / "pred", spacing=11.0)
    every = chaosprep.evaluate(pred.directory, organs.directory).results
    one = chaosprep.evaluate(pred.directory, organs.directory, organs=["spleen"]).results
    assert one == tuple(row for row in every if row.organ == "spleen")


def test_padding_is_undone_without_loss(resampled: Dataset, livers: Dataset) -> None:
    found = chaosprep.evaluate(resampled.directory, livers.directory)
    assert {row.dice for row in found.results} == {1.0}


def test_the_number_of_jobs_does_not_matter(resampled: Dataset, livers: Dataset) -> None:
    one, two = (
        chaosprep.evaluate(resampled.directory, livers.directory, jobs=jobs) for jobs in (1, 2)
    )
    assert one == two


def test_a_cropped_stage_directory_is_refused_and_the_command_works(
    livers: Dataset, tmp_path: Path
) -> None:
    pred = chaosprep.convert(livers, tmp_path / "pred", size="24")
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(pred.directory, livers.directory)
    problem = error.value.problems[0]
    assert problem.code == "grid-mismatch"
    assert "the reference extends" in problem.reason
    assert "chaosprep assemble PRED -o BACK" in problem.remedy
    back = chaosprep.assemble(pred, tmp_path / "back")
    assert chaosprep.evaluate(back.path, livers.directory).cases == 4


def test_a_reference_on_a_third_grid_gets_the_nearest_voxels(
    livers: Dataset, resampled: Dataset, tmp_path: Path
) -> None:
    """A padded prediction beside a padded reference whose pixels are twice as fine."""
    spacing = (livers.slices[0].spacing or (0, 0, 0))[1]
    ref = chaosprep.convert(livers, tmp_path / "ref", spacing=spacing / 2)
    found = chaosprep.evaluate(resampled.directory, ref.directory)
    assert {row.brought for row in found.results} == {"nearest"}
    assert min(row.dice for row in found.results) > 0.9


def test_pictures_of_another_size_need_a_reference_that_knows_its_place_and_that_works(
    resampled: Dataset, livers: Dataset
) -> None:
    masks = next(livers.directory.glob("*/masks"))
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(resampled.directory, masks, on_error="skip")
    (remedy,) = {one.remedy for one in error.value.problems if one.code == "size-mismatch"}
    assert "Give REF as a stage directory" in remedy
    assert chaosprep.evaluate(resampled.directory, livers.directory).cases == 4


# Volumes


def test_finer_voxels_are_compared_at_the_middles_of_the_references(tmp_path: Path) -> None:
    """Each of the reference's voxels cut in three by three by two: an odd part has its middle."""
    ref = write(tmp_path / "ref/a.nii.gz", blob())
    fine = blob().repeat(3, 0).repeat(3, 1).repeat(3, 2)
    third = (2 / 3, 2 / 3, 5 / 3)
    origin = (-31.0 - 2 / 3, 17.0 - 2 / 3, 40.0 - 5 / 3)
    pred = write(tmp_path / "pred/a.nii.gz", fine, third, origin)
    found = chaosprep.evaluate(pred, ref)
    assert [(row.dice, row.brought) for row in found.results] == [(1.0, "nearest")]
    assert NEAREST in found.notes


@pytest.mark.parametrize("axes", [(2, 1, 0), (0, 2, 1), (1, 2, 0)])
@pytest.mark.parametrize("backwards", [(), (0,), (1, 2), (0, 1, 2)])
def test_axes_that_are_exchanged_or_mirrored_as_well_stay_where_they_are(
    tmp_path: Path, axes: tuple[int, int, int], backwards: tuple[int, ...]
) -> None:
    """The finer prediction of above, once its axes are permuted and turned in the file too."""
    ref = write(tmp_path / "ref/a.nii.gz", blob())
    fine = blob().repeat(3, 0).repeat(3, 1).repeat(3, 2)
    lengths, ends = np.array((5, 2, 2)) / 3, np.array((40.0, 17.0, -31.0))
    start = ends - lengths
    signs = np.ones(3)
    for axis in backwards:
        fine = np.flip(fine, axis)
        start[axis] += lengths[axis] * (fine.shape[axis] - 1)
        signs[axis] = -1
    unit = np.eye(3)[::-1]  # of z, y, x in x, y, z
    columns = [unit[:, axis] * signs[axis] for axis in axes]
    pred = write(
        tmp_path / "pred/a.nii.gz",
        np.ascontiguousarray(fine.transpose(axes)),
        tuple(float(lengths[axis]) for axis in axes[::-1]),
        tuple(start[::-1].tolist()),
        tuple(np.column_stack(columns[::-1]).ravel().tolist()),
    )
    assert [row.dice for row in chaosprep.evaluate(pred, ref).results] == [1.0]


def test_a_turned_prediction_has_the_dice_of_simpleitks_nearest_voxels(tmp_path: Path) -> None:
    ref = write(tmp_path / "ref/a.nii.gz", blob())
    angle = 0.4
    turn = (np.cos(angle), -np.sin(angle), 0, np.sin(angle), np.cos(angle), 0, 0, 0, 1)
    wide = np.zeros((14, 90, 90), np.uint8)
    wide[4:10, 30:60, 25:44] = 1
    pred = write(tmp_path / "pred/a.nii.gz", wide, (1.3, 1.4, 3.1), (-25.0, -40.0, 39.0), turn)
    there, here = (SimpleITK.ReadImage(str(file)) for file in (ref, pred))
    moved = SimpleITK.Resample(here, there, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor)
    expected = overlap(SimpleITK.GetArrayFromImage(moved) > 0, blob() > 0)
    assert 0.05 < expected < 0.95
    (row,) = chaosprep.evaluate(pred, ref).results
    assert row.dice == pytest.approx(expected, abs=1e-12)


def test_half_a_voxel_of_a_shift_is_the_shift_of_a_voxel_or_none(tmp_path: Path) -> None:
    """Nearest is nearest: 0.4 of a voxel to the left is where it was, 0.6 is one voxel on."""
    ref = write(tmp_path / "ref/a.nii.gz", blob())
    wide = np.pad(blob(), ((0, 0), (0, 0), (2, 2)))
    moved = np.roll(blob(), -1, axis=2)
    for shift, expected in ((0.4, blob()), (0.6, moved)):
        place = (-31.0 - 4 - 2 * shift, 17.0, 40.0)
        pred = write(tmp_path / f"pred{shift}/a.nii.gz", wide, origin=place)
        (row,) = chaosprep.evaluate(pred, ref).results
        assert row.dice == pytest.approx(overlap(expected > 0, blob() > 0))


def test_a_prediction_of_a_crop_is_refused_with_what_lacks(tmp_path: Path) -> None:
    ref = write(tmp_path / "ref/a.nii.gz", blob())
    pred = write(tmp_path / "pred/a.nii.gz", blob()[:, :, :-1])
    problem = refused(pred, ref)
    assert (problem.code, problem.id) == ("grid-mismatch", "a")
    assert "the reference extends 1 mm beyond it" in problem.reason
    assert "the tool that cropped it" in problem.remedy


def test_what_is_predicted_beyond_the_reference_is_counted_and_said(tmp_path: Path) -> None:
    ref = write(tmp_path / "ref/a.nii.gz", blob())
    wide = np.pad(blob(), ((0, 0), (0, 0), (0, 3)))
    wide[1, 2, -2:] = 1
    found = chaosprep.evaluate(write(tmp_path / "pred/a.nii.gz", wide), ref)
    assert [(row.dice, row.beyond) for row in found.results] == [(1.0, 2)]
    assert "beyond REF's grid, and not counted: 2 predicted voxels in 1 case" in found.notes


def test_an_affine_that_says_nothing_brings_nothing_anywhere(tmp_path: Path) -> None:
    plain = ((1, 1, 1), (0, 0, 0))
    pred = write(tmp_path / "pred/a.nii.gz", blob((9, 30, 30)), *plain)
    ref = write(tmp_path / "ref/a.nii.gz", blob(), *plain)
    assert "neither side says where its voxels lie" in refused(pred, ref).reason
    ref = write(tmp_path / "placed/a.nii.gz", blob(), origin=(0, 0, 0))
    assert "PRED does not say where its voxels lie" in refused(pred, ref).reason
    assert "REF does not say where its voxels lie" in refused(ref, pred).reason


def test_two_equal_affines_that_say_nothing_are_still_one_grid(tmp_path: Path) -> None:
    p, r = (write(tmp_path / name / "a.nii.gz", blob(), (1, 1, 1), (0, 0, 0)) for name in "pr")
    assert [row.dice for row in chaosprep.evaluate(p, r).results] == [1.0]


def test_a_sheared_prediction_is_refused(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    ref = write(tmp_path / "ref/a.nii.gz", blob())
    affine = np.array(((2, 0, 0.9, 0), (0, 2, 0, 0), (0, 0, 5, 0), (0, 0, 0, 1)), float)
    image = nibabel.Nifti1Image(blob((9, 30, 30)).T, affine)
    image.set_qform(None, 0)
    (tmp_path / "pred").mkdir()
    nibabel.save(image, tmp_path / "pred/a.nii.gz")
    problem = refused(tmp_path / "pred/a.nii.gz", ref)
    assert problem.code == "sheared"


def slicer(file: Path, voxels: NDArray[np.uint8], origin: Sequence[float]) -> Path:
    """A .seg.nrrd as Slicer writes it: its box alone, 2 x 2 x 5 mm, of an image 24 x 20 x 8."""
    lines = ["NRRD0004", "type: uint8", "dimension: 3", "encoding: raw"]
    lines += [f"sizes: {' '.join(map(str, voxels.T.shape))}", "space: left-posterior-superior"]
    lines += ["space directions: (2,0,0) (0,2,0) (0,0,5)"]
    lines += [f"space origin: ({','.join(map(str, origin))})"]
    lines += ["Segment0_Name:=mask", "Segment0_LabelValue:=1", "Segment0_Layer:=0"]
    lines += ["Segment0_ID:=s0", "Segmentation_ReferenceImageExtentOffset:=4 3 1"]
    file.parent.mkdir(parents=True)
    file.write_bytes("\n".join([*lines, "", ""]).encode() + voxels.tobytes())
    return file


def test_beyond_the_box_that_slicer_cut_out_there_is_nothing(tmp_path: Path) -> None:
    ref = write(tmp_path / "ref/a.nii.gz", blob())
    box = np.ascontiguousarray(blob()[1:7, 3:19, 4:21])
    pred = slicer(tmp_path / "pred/a.seg.nrrd", box, (-23.0, 23.0, 45.0))
    assert [row.dice for row in chaosprep.evaluate(pred, ref).results] == [1.0]


def test_predicted_voxels_beyond_the_box_of_the_reference_are_refused(tmp_path: Path) -> None:
    """They would be wrong, and would not count."""
    box = np.ascontiguousarray(blob()[1:7, 3:19, 4:21])
    ref = slicer(tmp_path / "ref/a.seg.nrrd", box, (-23.0, 23.0, 45.0))
    fits = write(tmp_path / "fits/a.nii.gz", blob())
    assert [row.dice for row in chaosprep.evaluate(fits, ref).results] == [1.0]
    more = blob()
    more[0, :3, 5] = 1
    pred = write(tmp_path / "pred/a.nii.gz", more)
    assert "3 predicted voxels lie beyond the reference" in refused(pred, ref).reason


def test_axes_in_one_plane_are_refused_on_either_side(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    ref = write(tmp_path / "ref/a.nii.gz", blob())
    image = nibabel.Nifti1Image(blob().T, np.diag((2.0, 2, 5, 1)))
    image.header.set_sform(np.array(((1, 1, 0, 0), (1, 1, 0, 0), (0, 0, 3, 0), (0, 0, 0, 1.0))), 1)
    (tmp_path / "flat").mkdir()
    nibabel.save(nibabel.Nifti1Image(image.dataobj, None, image.header), tmp_path / "flat/a.nii")
    assert "its axes lie in one plane" in refused(tmp_path / "flat/a.nii", ref).reason
    assert "the reference's axes lie" in refused(ref, tmp_path / "flat/a.nii").reason


@pytest.mark.parametrize("mm", [1e-20, 1e20])
def test_a_predictions_voxels_of_an_impossible_size_are_refused(tmp_path: Path, mm: float) -> None:
    ref = write(tmp_path / "r/x.nii.gz", blob())
    pred = write(tmp_path / "p/x.nii.gz", blob(), (mm, 2.0, 5.0))
    assert refused(pred, ref).code == "spacing-unfit"


def test_slices_one_by_one_say_it_once_for_the_case(tmp_path: Path) -> None:
    ref = write(tmp_path / "ref/a.nii.gz", blob())
    pred = write(tmp_path / "pred/a.nii.gz", np.pad(blob(), ((0, 0), (1, 1), (0, 0))),
                 origin=(-31.0, 15.0, 40.0))  # fmt: skip
    found = chaosprep.evaluate(pred, ref, per="slice")
    assert len(found.results) == 8
    assert [note for note in found.notes if "brought" in note] == [NEAREST]
