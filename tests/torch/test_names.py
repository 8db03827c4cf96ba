"""Networks, checkpoints and predictions have the numbers, names and codes of the label map."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.facts import Code, Label
from chaosprep.params import make_params
from tests.labelled import Row, labelled, renamed

torch = pytest.importorskip("torch")

from chaosprep.torch.checkpoint import Checkpoint, encode, load  # noqa: E402
from chaosprep.torch.parameters import PredictParams  # noqa: E402
from chaosprep.torch.predict import labels  # noqa: E402
from chaosprep.torch.scores import PatientDice  # noqa: E402
from chaosprep.torch.slices import SliceDataset  # noqa: E402

LIVER = Code("SCT", "10200004", "Liver")
GLAND = Code("99LOCAL", "A1", "Adrenal gland")
NAMES = {"right-kidney": "Adrenal", "left-kidney": "aorta"}
MAP = {
    1: Label("liver", LIVER),
    2: Label("Adrenal", GLAND),
    3: Label("aorta"),
    4: Label("spleen"),
    9: Label("pancreas"),
}
NUMBERS = {"liver": 1, "Adrenal": 2, "aorta": 3, "spleen": 4, "pancreas": 5}


@pytest.fixture(scope="module")
def named(organs: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Four organs of which two have other names, and a fifth that no mask shows."""
    return labelled(organs, tmp_path_factory.mktemp("named") / "d", MAP, renamed(NAMES))


@pytest.fixture(scope="module")
def trained(named: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("named-run") / "run"
    chaosprep.train(named, run, epochs=1, batch=4)
    return run


def test_a_dataset_for_torch_counts_as_the_map_does(named: Dataset) -> None:
    assert SliceDataset(named, "train").labels == NUMBERS


def test_the_card_has_absent_organs_values_and_codes(trained: Path) -> None:
    card = load(trained).card
    assert card.labels == NUMBERS
    assert card.values == {label.name: value for value, label in MAP.items()}
    assert card.codes == {"liver": LIVER, "Adrenal": GLAND}


def test_predictions_have_the_map_of_what_they_are_made_on(
    trained: Path, named: Dataset, tmp_path: Path
) -> None:
    made = chaosprep.predict(trained, named, tmp_path / "out")
    assert made.descriptor.tool.labels == MAP
    assert {tuple(row.labels.items()) for row in made.slices} == {
        tuple((value, label.name) for value, label in MAP.items())
    }
    assert chaosprep.verify(made.directory).faults == ()


def test_other_values_of_the_same_names_are_the_datasets_own(
    trained: Path, named: Dataset, tmp_path: Path
) -> None:
    def move(row: dict[str, dict[str, str]]) -> None:
        row["labels"] = {str(int(at) * 10): NAMES.get(n, n) for at, n in row["labels"].items()}
        row["pixels"] = {}

    moved = {value * 10: label for value, label in MAP.items()}
    other = labelled(named, tmp_path / "moved", moved, move)
    made = chaosprep.predict(trained, other, tmp_path / "out")
    assert made.labels == moved
    masks = (made.mask(row) for row in made.slices)
    shown = {int(value) for mask in masks if mask is not None for value in np.unique(mask)}
    assert shown <= {0, *moved}


def params(run: Path) -> PredictParams:
    return make_params(PredictParams, {"checkpoint": str(run)})


def test_where_the_dataset_names_nothing_the_checkpoint_does(
    trained: Path, named: Dataset, tmp_path: Path
) -> None:
    def silent(row: dict[str, Any]) -> None:
        row |= {"labels": {}, "pixels": {}}

    assert labels(labelled(named, tmp_path / "n", {}, silent), params(trained)) == MAP


def test_a_dataset_of_an_older_release_is_called_as_its_rows_say(
    trained: Path, named: Dataset, tmp_path: Path
) -> None:
    def move(row: dict[str, Any]) -> None:
        row |= {"labels": {str(10 * at): one.name for at, one in MAP.items()}, "pixels": {}}

    made = chaosprep.predict(trained, labelled(named, tmp_path / "o", {}, move), tmp_path / "out")
    told = {value: label.name for value, label in made.label_map.items()}
    assert told == {10 * value: label.name for value, label in MAP.items()}
    assert all(row.labels == told for row in made.slices)


def test_a_code_of_the_dataset_goes_before_that_of_the_checkpoint(
    trained: Path, named: Dataset, tmp_path: Path
) -> None:
    told = {1: Label("liver", Code("99OTHER", "L", "Liver"))}
    found = labels(labelled(named, tmp_path / "n", {**MAP, **told}), params(trained))
    assert found == {**MAP, **told}


def test_a_card_without_codes_is_still_read(trained: Path, tmp_path: Path) -> None:
    whole = load(trained)
    file = tmp_path / "c.pt"
    card = msgspec.structs.replace(whole.card, codes={})
    file.write_bytes(encode(msgspec.structs.replace(whole, card=card)))
    assert load(file).card.codes == {}


def test_codes_of_organs_that_a_card_does_not_have_are_refused(
    trained: Path, tmp_path: Path
) -> None:
    whole: Checkpoint = load(trained)
    file = tmp_path / "c.pt"
    card = msgspec.structs.replace(whole.card, codes={"heart": LIVER})
    file.write_bytes(encode(msgspec.structs.replace(whole, card=card)))
    with pytest.raises(chaosprep.ChaosprepError) as error:
        load(file)
    assert error.value.code == "checkpoint"


def test_more_organs_than_a_network_has_labels_for_are_refused(
    organs: Dataset, tmp_path: Path
) -> None:
    told = MAP | {value: Label(f"organ {value}") for value in range(10, 260)}
    many = labelled(organs, tmp_path / "d", told, renamed(NAMES))
    with pytest.raises(chaosprep.ChaosprepError) as error:
        SliceDataset(many, "train")
    assert error.value.code == "too-many-organs"


def test_training_says_what_the_masks_of_a_case_cannot_show(
    images: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train = next(case for case in images.cases if case.split == "train")

    def name(row: Row) -> None:
        if row["case"] != train.id:
            row["labels"]["6"] = "spleen"

    told = {255: Label("liver"), 6: Label("spleen")}
    partial = labelled(images, tmp_path / "d", told, name)
    chaosprep.train(partial, tmp_path / "run", epochs=1, batch=4)
    (said,) = [one.message for one in caplog.records if "do not name" in one.message]
    assert said.startswith("On the side train masks of 1 of ")
    assert said.endswith("cases do not name spleen: it counts as background there.")


def partly(images: Dataset, place: Path, unnamed: Callable[[Row], bool]) -> Dataset:
    """Livers, of which the masks of some rows, all of them empty, name nothing."""

    def edit(row: Row) -> None:
        if unnamed(row):
            row["labels"], row["pixels"] = {}, {}

    return labelled(images, place, {255: Label("liver")}, edit)


def test_a_side_whose_masks_name_no_organ_is_refused_before_training(
    images: Dataset, tmp_path: Path
) -> None:
    dataset = partly(images, tmp_path / "d", lambda row: row["split"] == "val")
    with pytest.raises(chaosprep.ChaosprepError, match="side val name none of the organs"):
        chaosprep.train(dataset, tmp_path / "run", epochs=1)


def test_a_patient_whose_masks_name_no_organ_has_no_dice() -> None:
    dice = PatientDice(1, {"a": [1], "b": []})
    for patient in ("a", "b"):
        dice.add(patient, np.ones((2, 2), np.uint8), np.ones((2, 2), np.uint8))
    assert dice.by_patient() == {"a": 1.0}
