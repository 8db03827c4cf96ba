"""Exports say the names, numbers and codes of the label map, of absent organs too."""

import json
from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError
from chaosprep.exports import croissant, huggingface, monai, nifti, nnunet
from chaosprep.facts import Code, Label
from tests.exports.seen import load, voxels
from tests.labelled import Row, labelled, renamed

FIFTEEN = {number: Label(f"organ {number}") for number in range(1, 16)} | {
    6: Label("liver", Code("SCT", "10200004", "Liver")),
    4: Label("gall_bladder", Code("SCT", "28231008", "Gallbladder")),
}


@pytest.fixture
def fifteen(images: Dataset, tmp_path: Path) -> Dataset:
    """Livers of 255, in a map of fifteen organs of which no mask shows another."""
    told = {value: label for value, label in FIFTEEN.items() if value != 6}
    ends = {254: Label("last"), 255: FIFTEEN[6]}
    return labelled(images, tmp_path / "fifteen", told | ends)


NAMES = [*(label.name for value, label in FIFTEEN.items() if value != 6), "last", "liver"]


def test_nnunet_and_monai_list_absent_organs_with_their_numbers(
    fifteen: Dataset, tmp_path: Path
) -> None:
    made = nnunet.export(fifteen, tmp_path / "raw")
    expected = {"background": 0} | {name: at for at, name in enumerate(NAMES, start=1)}
    assert load(made.path / "dataset.json")["labels"] == expected
    made = monai.export(fifteen, tmp_path / "monai")
    assert load(made.path / "dataset.json")["labels"] == {
        str(at): name for name, at in expected.items()
    }
    (first, *_) = sorted((made.path / "labelsTr").iterdir())
    assert set(voxels(first).ravel().tolist()) == {0, len(NAMES)}


def test_numbers_do_not_depend_on_what_the_masks_show(pairs: Dataset, tmp_path: Path) -> None:
    told = {1: Label("aorta"), 2: Label("liver"), 3: Label("spleen")}
    names = {"right-kidney": "liver", "left-kidney": "spleen"}
    found = []
    for organ in ("right-kidney", "left-kidney"):
        masks = chaosprep.extract_liver(pairs, tmp_path / organ, organ=organ)
        dataset = labelled(masks, tmp_path / f"{organ}-named", told, renamed(names))
        made = nnunet.export(dataset, tmp_path / f"{organ}-raw")
        shown = set(voxels(next((made.path / "labelsTr").iterdir())).ravel().tolist())
        found.append((load(made.path / "dataset.json")["labels"], shown))
    labels = {"background": 0, "aorta": 1, "liver": 2, "spleen": 3}
    assert found == [(labels, {0, 2}), (labels, {0, 3})]


def test_dseg_lists_absent_organs(fifteen: Dataset, tmp_path: Path) -> None:
    made = nifti.export(fifteen, tmp_path / "out")
    lines = (made.path / "dseg.tsv").read_text().splitlines()
    assert lines[1:] == ["0\tbackground", *(f"{at}\t{n}" for at, n in enumerate(NAMES, start=1))]


def test_the_card_lists_the_map_with_its_codes(fifteen: Dataset, tmp_path: Path) -> None:
    card = (huggingface.export(fifteen, tmp_path / "out").path / "README.md").read_text()
    assert "| mask value | organ | code |" in card
    assert "| 255 | liver | SCT 10200004 |" in card
    assert "| 1 | organ 1 |  |" in card
    assert card.index("| 15 | organ 15 |") < card.index("| 254 | last |")


def test_croissant_and_parquet_say_the_map(fifteen: Dataset, tmp_path: Path) -> None:
    made = croissant.export(fifteen, tmp_path / "out")
    text = json.loads((made.path / "croissant.json").read_text())["description"]
    assert "Mask values: 1 organ 1, 2 organ 2" in text
    assert "255 liver SCT 10200004." in text
    parquet = pytest.importorskip("pyarrow.parquet")
    table = chaosprep.export("parquet", fifteen, tmp_path / "parquet").path / "slices.parquet"
    held = json.loads(parquet.read_schema(table).metadata[b"datapackage.json"])
    assert held["chaosprep"]["labels"]["255"]["code"] == ["SCT", "10200004", "Liver"]


@pytest.mark.parametrize("name", ["ignore", "background", "Background"])
def test_names_that_mean_something_else_to_nnunet_are_refused(
    images: Dataset, tmp_path: Path, name: str
) -> None:
    dataset = labelled(images, tmp_path / "d", {255: Label("liver"), 4: Label(name)})
    with pytest.raises(ChaosprepError) as error:
        nnunet.export(dataset, tmp_path / "raw")
    assert error.value.code == "organ-name"


@pytest.mark.parametrize("format", ["nnunet", "nifti", "monai"])
def test_what_the_masks_of_a_case_cannot_show_is_said(
    images: Dataset, tmp_path: Path, format: str
) -> None:
    (first, *others) = images.cases

    def name(row: Row) -> None:
        if row["case"] != first.id:
            row["labels"]["6"] = "spleen"

    told = {255: Label("liver"), 6: Label("spleen")}
    dataset = labelled(images, tmp_path / "d", told, name)
    made = chaosprep.export(format, dataset, tmp_path / "out")
    note = f"masks of 1 of {len(others) + 1} cases do not name spleen"
    assert f"{note}: it counts as background there" in made.notes
