"""Predictions named by slice id become the volumes that the dataset's own masks would be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.assembly.assemble import assemble
from chaosprep.errors import NothingFoundError, ProblemsError, UsageError
from chaosprep.formats.png import encode_png
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import RunOptions
from tests.exports.volumes import read_volume

Write = Callable[[Path, NDArray[Any]], None]


def as_png(file: Path, mask: NDArray[Any]) -> None:
    file.with_suffix(".png").write_bytes(encode_png(mask.astype(np.uint8)))


def as_npy(file: Path, mask: NDArray[Any]) -> None:
    np.save(file.with_suffix(".npy"), mask)


@pytest.fixture(scope="module")
def wide(livers: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """On another grid, so that a prediction must find its way back."""
    return chaosprep.convert(livers, tmp_path_factory.mktemp("wide"), size="48")


def predicted(dataset: Dataset, folder: Path, write: Write = as_png, value: int = 255) -> Path:
    """The dataset's own masks, as if a network had drawn them."""
    folder.mkdir(parents=True)
    for row in dataset.slices:
        mask = dataset.mask(row)
        assert mask is not None
        write(folder / row.id, np.where(mask > 0, value, 0))
    return folder


def masks(place: Path) -> dict[str, NDArray[Any]]:
    return {path.name: read_volume(path).voxels for path in sorted(place.glob("masks/*"))}


def codes(error: ProblemsError) -> set[tuple[str, str]]:
    return {(problem.code, problem.id) for problem in error.problems}


def skip(dataset: Dataset, folder: Path, output: Path) -> set[tuple[str, str]]:
    with pytest.raises(ProblemsError) as caught:
        assemble(folder, output, reference=dataset)
    assert not output.exists()
    made = assemble(folder, output, reference=dataset, options=RunOptions(on_error="skip"))
    found = {(problem.code, problem.id) for problem in made.skipped}
    assert found == codes(caught.value)
    return found


@pytest.mark.parametrize("write", [as_png, as_npy])
@pytest.mark.parametrize("value", [255, 1])
def test_pictures_and_arrays_give_what_the_masks_give(
    wide: Dataset, tmp_path: Path, write: Write, value: int
) -> None:
    folder = predicted(wide, tmp_path / "p", write, value)
    made = assemble(folder, tmp_path / "out", reference=wide)
    expected = assemble(wide, tmp_path / "own").path
    assert masks(made.path).keys() == masks(expected).keys()
    for name, voxels in masks(expected).items():
        assert voxels.any()
        assert np.array_equal(masks(made.path)[name], voxels)


def test_booleans_and_floats_of_whole_numbers_are_labels(wide: Dataset, tmp_path: Path) -> None:
    def as_float(file: Path, mask: NDArray[Any]) -> None:
        as_npy(file, (mask > 0).astype(np.float32))

    def as_bool(file: Path, mask: NDArray[Any]) -> None:
        as_npy(file, mask > 0)

    floats = assemble(predicted(wide, tmp_path / "f", as_float), tmp_path / "a", reference=wide)
    booleans = assemble(predicted(wide, tmp_path / "b", as_bool), tmp_path / "c", reference=wide)
    own = masks(assemble(wide, tmp_path / "own").path)
    for made in (floats, booleans):
        assert all(np.array_equal(masks(made.path)[name], voxels) for name, voxels in own.items())


def test_predictions_may_lie_in_subfolders_beside_other_files(
    wide: Dataset, tmp_path: Path
) -> None:
    folder = predicted(wide, tmp_path / "p")
    for path in list(folder.iterdir()):
        below = folder / path.name.partition("_")[0] / "masks"
        below.mkdir(parents=True, exist_ok=True)
        path.rename(below / path.name)
    (folder / "log.txt").write_text("done")
    (folder / ".hidden.png").write_text("no picture")
    made = assemble(folder, tmp_path / "out", reference=wide)
    assert made.cases == len(wide)


def test_cases_without_any_prediction_are_left_alone(wide: Dataset, tmp_path: Path) -> None:
    folder = predicted(wide, tmp_path / "p")
    for path in folder.glob("MR00[23]*"):
        path.unlink()
    made = assemble(folder, tmp_path / "out", reference=wide)
    assert set(masks(made.path)) == {"MR001_t1-in.nii.gz", "MR005_t1-in.nii.gz"}
    assert made.skipped == ()


def test_a_missing_prediction_is_a_problem_of_its_case(wide: Dataset, tmp_path: Path) -> None:
    folder = predicted(wide, tmp_path / "p")
    (folder / "MR001_t1-in_s002.png").unlink()
    assert skip(wide, folder, tmp_path / "out") == {("prediction-missing", "MR001_t1-in")}
    assert "MR001_t1-in.nii.gz" not in masks(tmp_path / "out")


def test_a_prediction_of_no_slice_is_a_problem(wide: Dataset, tmp_path: Path) -> None:
    folder = predicted(wide, tmp_path / "p")
    as_png(folder / "MR077_t1-in_s000", np.zeros((48, 48)))
    assert skip(wide, folder, tmp_path / "out") == {("prediction-surplus", "MR077_t1-in_s000")}
    assert len(masks(tmp_path / "out")) == len(wide)


def test_of_two_predictions_of_one_slice_none_is_taken(wide: Dataset, tmp_path: Path) -> None:
    folder = predicted(wide, tmp_path / "p")
    as_npy(folder / "MR001_t1-in_s002", np.zeros((48, 48), np.uint8))
    with pytest.raises(ProblemsError) as caught:
        assemble(folder, tmp_path / "out", reference=wide)
    assert ("prediction-twice", "MR001_t1-in_s002") in codes(caught.value)
    made = assemble(folder, tmp_path / "out", reference=wide, options=RunOptions(on_error="skip"))
    assert not (made.path / "masks/MR001_t1-in.nii.gz").exists()
    assert made.cases == len(wide.cases) - 1


def test_predictions_of_augmented_copies_are_passed_over(wide: Dataset, tmp_path: Path) -> None:
    more = chaosprep.augment(wide, tmp_path / "more", copies=1)
    folder = predicted(more, tmp_path / "p")
    assert assemble(folder, tmp_path / "out", reference=more).slices == len(wide.slices)
    for row in wide.slices:
        (folder / f"{row.id}.png").unlink()
    with pytest.raises(NothingFoundError):
        assemble(folder, tmp_path / "none", reference=more)


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        (np.zeros((32, 32), np.uint8), "size-mismatch"),
        (np.full((48, 48), 0.5), "mask-values"),
        (np.full((48, 48), 7, np.uint8), "mask-values"),
        (np.full((48, 48), -1, np.int16), "mask-values"),
        (np.zeros((1, 48, 48), np.uint8), "mask-kind"),
    ],
)
def test_what_is_no_mask_of_the_slice_is_a_problem(
    wide: Dataset, tmp_path: Path, mask: NDArray[Any], code: str
) -> None:
    folder = predicted(wide, tmp_path / "p", as_npy)
    as_npy(folder / "MR001_t1-in_s002", mask)
    assert skip(wide, folder, tmp_path / "out") == {(code, "MR001_t1-in")}


def test_without_named_organs_values_are_labels(tmp_path: Path) -> None:
    patient = Patient(id=9, sequences=("t1-in",), slices=3, matrix=32)
    write_chaos(tmp_path / "root", [patient], sets="Test_Sets")
    pairs = chaosprep.split(tmp_path / "root", tmp_path / "pairs")
    (tmp_path / "p").mkdir()
    for row in pairs.slices:
        as_png(tmp_path / "p" / row.id, np.eye(32) * 3)
    made = assemble(tmp_path / "p", tmp_path / "out", reference=pairs)
    (voxels,) = masks(made.path).values()
    assert set(np.unique(voxels)) == {0, 3}
    assert (made.path / "labels.json").read_text() == '{\n  "label-3": 3\n}\n'


def test_predictions_need_a_reference_and_a_stage_directory_has_none(
    wide: Dataset, tmp_path: Path
) -> None:
    folder = predicted(wide, tmp_path / "p")
    with pytest.raises(UsageError, match="not a stage directory"):
        assemble(folder, tmp_path / "out")
    with pytest.raises(UsageError, match="knows where its slices lie"):
        assemble(wide, tmp_path / "out", reference=wide)


def test_a_folder_without_predictions_is_nothing(wide: Dataset, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    with pytest.raises(NothingFoundError):
        assemble(tmp_path / "p", tmp_path / "out", reference=wide)


def test_the_output_is_never_the_predictions(wide: Dataset, tmp_path: Path) -> None:
    folder = predicted(wide, tmp_path / "p")
    with pytest.raises(chaosprep.ChaosprepError, match="must not be the input"):
        assemble(folder, folder, reference=wide, options=RunOptions(overwrite=True))
    assert any(folder.iterdir())
