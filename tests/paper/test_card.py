"""The data card: every number is that of the rows, and what is not known is marked."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import chaosprep
from chaosprep import Dataset
from chaosprep.cli.main import main


def section(text: str, title: str) -> str:
    """What stands below a heading."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0].strip()


def card(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["card", *map(str, words)])


def test_the_sections_are_those_of_a_datasheet(images: Dataset) -> None:
    assert re.findall(r"^## (.*)", chaosprep.card(images), re.MULTILINE) == [
        "Motivation",
        "Composition",
        "Collection",
        "Preprocessing and labelling",
        "Uses",
        "Distribution",
        "Maintenance",
    ]


def test_the_sides_are_counted_by_the_rows(images: Dataset, tmp_path: Path) -> None:
    made = chaosprep.augment(images, tmp_path / "out", copies=2)
    told = section(chaosprep.card(made.directory), "Composition")
    for side in ("train", "val"):
        rows = [row for row in made.slices if row.split == side]
        originals = [row for row in rows if not row.copy]
        counts = (
            len({row.patient for row in rows}),
            len({row.case for row in rows}),
            len(originals),
            len(rows) - len(originals),
        )
        assert f"| {side} | {' | '.join(map(str, counts))} |" in told


def test_the_values_of_masks_have_their_names_and_codes(images: Dataset) -> None:
    told = section(chaosprep.card(images), "Composition")
    assert "| mask value | structure | code |\n|--|--|--|\n| 255 | liver | SCT 10200004 |" in told


def test_the_licence_and_the_source_are_those_of_the_manifest(images: Dataset) -> None:
    text = chaosprep.card(images)
    assert "Creative Commons Zero v1.0 Universal" in section(text, "Distribution")
    assert "chaosprep phantom, synthetic" in section(text, "Collection")


def test_data_of_no_known_source_and_licence_have_gaps(images: Dataset, tmp_path: Path) -> None:
    place = tmp_path / "nobodys"
    shutil.copytree(images.directory, place)
    descriptor = json.loads((place / "datapackage.json").read_text())
    descriptor |= {"licenses": [], "sources": []}
    (place / "datapackage.json").write_text(json.dumps(descriptor))
    text = chaosprep.card(place)
    assert "(NOT IN THE MANIFEST: the licence of the data)" in section(text, "Distribution")
    gap = "(NOT IN THE MANIFEST: the source of the data and its citation)"
    assert gap in section(text, "Collection")


def test_no_patient_path_or_hash_is_in_it(images: Dataset) -> None:
    text = chaosprep.card(images)
    for row in images.slices:
        assert row.patient not in text
        assert str(row.source) not in text
    assert not re.search(r"[0-9a-f]{32}", text)


def test_what_was_filled_in_is_not_replaced_unasked(images: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "card.md"
    assert card(images.directory, "-o", file).stdout == f"card: card -> {file}\n"
    filled = file.read_text().replace("(NOT IN THE MANIFEST: who answers", "(I do: who answers")
    file.write_text(filled)
    refused = card(images.directory, "-o", file)
    assert refused.exit_code == 1
    assert f"Error: {file}: it already exists and may contain text that somebody" in refused.stderr
    assert file.read_text() == filled
    assert card(images.directory, "-o", file, "--overwrite").exit_code == 0
    assert file.read_text() == chaosprep.card(images)


def test_without_a_file_it_goes_to_stdout(images: Dataset) -> None:
    assert card(images.directory).stdout == chaosprep.card(images)
    assert json.loads(card(images.directory, "--json").stdout) == {"text": chaosprep.card(images)}


@pytest.mark.parametrize("name", ["card.txt", "card"])
def test_its_name_ends_in_md(images: Dataset, tmp_path: Path, name: str) -> None:
    assert card(images.directory, "-o", tmp_path / name).exit_code == 2
