"""predict: a stage directory with the network's masks, for data prepared as the training data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import chaosprep
from chaosprep import Dataset
from chaosprep.cli.main import main
from chaosprep.errors import ChaosprepError, ProblemsError, UsageError
from chaosprep.files import sha256
from chaosprep.phantom import Patient, write_chaos

torch = pytest.importorskip("torch")

from chaosprep.torch.predict import mask_values  # noqa: E402


def different(run: Path, source: Dataset, output: Path) -> str:
    with pytest.raises(ChaosprepError) as error:
        chaosprep.predict(run, source, output)
    assert error.value.code == "prepared-differently"
    assert not output.exists()
    return str(error.value)


@pytest.fixture(scope="module")
def masks(run: Path, images: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Predictions on all of `images`. Read only."""
    return chaosprep.predict(run, images, tmp_path_factory.mktemp("predict") / "out")


def test_it_is_a_whole_stage_directory(masks: Dataset, images: Dataset, run: Path) -> None:
    assert chaosprep.verify(masks.directory).faults == ()
    assert [row.id for row in masks.slices] == [row.id for row in images.slices]
    assert [past.stage for past in masks.history] == [
        "split",
        "extract-liver",
        "convert",
        "predict",
    ]
    assert masks.made.parameters["checkpoint"] == sha256((run / "best.pt").read_bytes())
    assert str(run) not in (masks.directory / "datapackage.json").read_text()


def test_the_images_are_the_same_files(masks: Dataset, images: Dataset) -> None:
    for row in masks.slices:
        assert (masks.directory / row.image).samefile(images.directory / row.image)


def test_a_mask_has_the_datasets_own_value_and_its_area_stands_in_the_table(
    masks: Dataset,
) -> None:
    areas = 0
    for row in masks.slices:
        mask = masks.mask(row)
        assert mask is not None
        assert mask.shape == (row.rows, row.cols)
        assert set(np.unique(mask)) <= {0, 255}
        assert row.labels == {255: "liver"}
        assert row.pixels == {"liver": int((mask == 255).sum())}
        areas += row.pixels["liver"]
    assert areas


def test_masks_of_1_are_predicted_as_1(run: Path, pairs: Dataset, tmp_path: Path) -> None:
    ones = chaosprep.extract_liver(pairs, tmp_path / "ones", mask_value=1)
    made = chaosprep.predict(run, chaosprep.convert(ones, tmp_path / "images"), tmp_path / "out")
    assert {row.labels[1] for row in made.slices} == {"liver"}
    mask = made.mask(max(made.slices, key=lambda row: row.pixels["liver"]))
    assert mask is not None
    assert set(np.unique(mask)) == {0, 1}


def test_data_without_masks_get_the_values_of_the_training_data(
    run: Path, rewritten: Callable[..., Path], masks: Dataset, tmp_path: Path
) -> None:
    def forget(row: dict[str, Any]) -> None:
        row |= dict.fromkeys(("mask", "mask_sha256", "mask_bytes"))
        row |= {"labels": {}, "pixels": {}}

    made = chaosprep.predict(run, rewritten(forget), tmp_path / "out")
    assert [row.mask_sha256 for row in made.slices] == [row.mask_sha256 for row in masks.slices]
    assert {row.labels[255] for row in made.slices} == {"liver"}


def test_other_sizes_are_padded_and_cut_back(run: Path, masks: Dataset) -> None:
    shapes = {(row.rows, row.cols) for row in masks.slices}
    assert shapes == {(32, 32), (40, 40)}  # 40 is no multiple of 16


def test_copies_are_left_out_and_a_side_can_be_chosen(
    run: Path, images: Dataset, masks: Dataset, tmp_path: Path
) -> None:
    copied = chaosprep.augment(images, tmp_path / "copied", copies=2)
    made = chaosprep.predict(run, copied, tmp_path / "val", split="val")
    assert {row.split for row in made.slices} == {"val"}
    whole = chaosprep.predict(run, copied, tmp_path / "all")
    assert [row.id for row in whole.slices] == [row.id for row in masks.slices]
    assert [row.mask_sha256 for row in whole.slices] == [row.mask_sha256 for row in masks.slices]


def test_a_patient_can_be_chosen(run: Path, images: Dataset, tmp_path: Path) -> None:
    made = chaosprep.predict(run / "last.pt", images, tmp_path / "out", patient=["MR003"])
    assert made.patients == ("MR003",)


def test_the_output_is_not_in_the_run(run: Path, images: Dataset) -> None:
    for checkpoint, output in ((run, run / "out"), (run / "best.pt", run), (run, run.parent)):
        with pytest.raises(UsageError) as error:
            chaosprep.predict(checkpoint, images, output)
        assert error.value.code == "output-place"
    assert not (run / "out").exists()


def test_organs_are_predicted_as_a_label_map(organs: Dataset, tmp_path: Path) -> None:
    run = chaosprep.train(organs, tmp_path / "run", epochs=1)
    made = chaosprep.predict(run.checkpoint, organs, tmp_path / "out")
    assert chaosprep.verify(made.directory).faults == ()
    assert made.slices[0].labels == organs.slices[0].labels


def test_mask_values_replace_labels() -> None:
    plane = np.array([[0, 1, 2]], np.uint8)
    small = mask_values(plane, {63: "liver", 252: "spleen"}, {"liver": 1, "spleen": 2})
    assert (small.dtype.name, small.tolist()) == ("uint8", [[0, 63, 252]])
    large = mask_values(plane, {300: "a", 7: "b"}, {"a": 2, "b": 1})
    assert (large.dtype.name, large.tolist()) == ("uint16", [[0, 7, 300]])


def test_the_same_call_again_finds_it_done_and_another_checkpoint_does_not(
    run: Path, images: Dataset, masks: Dataset
) -> None:
    kinds: list[str] = []
    chaosprep.predict(run, images, masks.directory, on_event=lambda event: kinds.append(event.kind))
    assert kinds == ["already-done"]
    with pytest.raises(ChaosprepError, match="other parameters \\(checkpoint"):
        chaosprep.predict(run / "last.pt", images, masks.directory)


def test_data_of_another_window_size_or_depth_are_refused_by_name(
    run: Path, livers: Dataset, stored: Dataset, tmp_path: Path
) -> None:
    text = different(run, stored, tmp_path / "out")
    assert "(convert keep_16bit True, in training False)" in text
    other = chaosprep.convert(livers, tmp_path / "other", window="minmax", size="48")
    text = different(run, other, tmp_path / "out")
    assert "convert window 'minmax', in training 'percentile'; " in text
    assert "convert size '48', in training None" in text


def test_data_of_other_organs_are_refused(run: Path, organs: Dataset, tmp_path: Path) -> None:
    text = different(run, organs, tmp_path / "out")
    assert "organs liver, right-kidney, left-kidney, spleen, in training liver" in text


def test_data_that_were_not_converted_are_refused(
    run: Path, livers: Dataset, tmp_path: Path
) -> None:
    assert "(no convert)" in different(run, livers, tmp_path / "out")


def test_other_patients_prepared_alike_are_welcome(
    run: Path, phantom: Path, tmp_path: Path
) -> None:
    pairs = chaosprep.split(phantom, tmp_path / "split", val=0, test=0.75, seed=3)
    images = chaosprep.convert(chaosprep.extract_liver(pairs, tmp_path / "l"), tmp_path / "images")
    assert len(chaosprep.predict(run, images, tmp_path / "out", split="test")) == 3


def test_another_sequence_than_in_training_is_said(run: Path, tmp_path: Path) -> None:
    people = [Patient(id=id, slices=3, matrix=32, sequences=("t1-out",)) for id in (7, 8)]
    root = write_chaos(tmp_path / "root", people)
    pairs = chaosprep.split(root, tmp_path / "split", val=0, sequence=["t1-out"])
    images = chaosprep.convert(chaosprep.extract_liver(pairs, tmp_path / "l"), tmp_path / "images")
    words = ["predict", run, images.directory, "-o", tmp_path / "out", "--no-progress"]
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == 0, done.stderr
    assert "predicted on t1-out, trained on t1-in" in done.stderr


def test_predictions_are_not_predicted_on_again(run: Path, masks: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it went through predict already"):
        chaosprep.predict(run, masks, tmp_path / "out")


def test_the_checkpoint_is_named_where_it_is_none(images: Dataset, tmp_path: Path) -> None:
    (tmp_path / "no.pt").write_text("no")
    with pytest.raises(ChaosprepError, match=r"no\.pt: not a checkpoint"):
        chaosprep.predict(tmp_path / "no.pt", images, tmp_path / "out")


@pytest.fixture
def mixed(tmp_path: Path) -> Dataset:
    """MR with all organs to train on, CT, whose masks show the liver alone, as val."""
    people = [
        Patient(id=1, slices=3, matrix=32, sequences=("t1-in",)),
        Patient(id=2, modality="CT", slices=3, matrix=32),
    ]
    root = write_chaos(tmp_path / "chaos", people)
    pairs = chaosprep.split(
        root, tmp_path / "pairs", sequence=["t1-in", "ct"], val_patient=["CT002"]
    )
    masks = chaosprep.extract_liver(pairs, tmp_path / "masks", all_organs=True)
    return chaosprep.convert(masks, tmp_path / "images")


def test_the_dice_of_ct_is_that_of_the_liver_alone(mixed: Dataset, tmp_path: Path) -> None:
    made = chaosprep.train(mixed, tmp_path / "run", epochs=1)
    masks = chaosprep.predict(tmp_path / "run", mixed, tmp_path / "out", split="val")
    found, true = (
        np.stack([np.asarray(one.mask(row)) == 1 for row in one.slices if row.patient == "CT002"])
        for one in (masks, mixed)
    )
    assert set(np.unique(np.stack([np.asarray(masks.mask(row)) for row in masks.slices]))) - {0, 1}
    dice = 2 * (found & true).sum() / (found.sum() + true.sum())
    assert made.dice == {"CT002": pytest.approx(dice)}


def test_data_that_show_some_of_the_organs_by_the_same_values_are_welcome(
    mixed: Dataset, tmp_path: Path
) -> None:
    chaosprep.train(mixed, tmp_path / "run", epochs=1)
    pairs = chaosprep.split(tmp_path / "chaos", tmp_path / "ct", sequence=["ct"], val=0)
    livers = chaosprep.extract_liver(pairs, tmp_path / "livers", all_organs=True)
    alone = chaosprep.convert(livers, tmp_path / "alone")
    found = chaosprep.predict(tmp_path / "run", alone, tmp_path / "found")
    assert {len(row.labels) for row in alone.slices} == {1}
    assert {len(row.labels) for row in found.slices} == {4}


def test_too_little_memory_is_a_problem_of_the_case(
    run: Path, images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaosprep.torch.predict.predicted", lambda _: torch.empty(10**15))
    with pytest.raises(ProblemsError) as error:
        chaosprep.predict(run, images, tmp_path / "out", patient=["MR001"])
    assert [(p.code, p.id) for p in error.value.problems] == [("memory", "MR001_t1-in")]
