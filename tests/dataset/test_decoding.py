"""Descriptors of other releases: an older one lacks fields, a newer one is refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep.dataset.descriptor import MANIFEST_MINOR
from chaosprep.dataset.opening import open_dataset
from chaosprep.errors import ManifestError
from chaosprep.params import make_params, plain
from chaosprep.stages.converting.params import ConvertParams
from tests.running.toys import handmade, handmade_row

ROW = handmade_row()
LATER = {
    "manifest_minor": MANIFEST_MINOR + 1,
    "versions": {"chaosprep": "9.9.0"},
    "stage": "split",
}
PAST = {
    "stage": "split",
    "version": 1,
    "versions": {},
    "parameters": {},
    "seed": 0,
    "inputs_sha256": "0" * 64,
    "descriptor_sha256": "1" * 64,
}


def refusal(directory: Path) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        open_dataset(directory)
    return caught.value


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"stage": 7, "history": "none", "versions": []},
        {"counts": {"everyone": 3}, "host": "x", "manifest_minor": 3},
    ],
)
def test_the_version_is_read_before_anything_else(tmp_path: Path, other: dict[str, Any]) -> None:
    directory = handmade(tmp_path / "d", ROW)
    text = {"chaosprep": {"manifest_version": 2} | other, "name": 3, "resources": {}}
    (directory / "datapackage.json").write_text(json.dumps(text))
    error = refusal(directory)
    assert error.code == "manifest-version"
    assert "manifest version 2 is not known" in error.reason


def test_a_directory_without_a_minor_version_opens(tmp_path: Path) -> None:
    dataset = open_dataset(handmade(tmp_path / "d", ROW))
    assert dataset.descriptor.tool.manifest_minor == 0


def test_a_new_directory_says_its_minor_version(images: chaosprep.Dataset) -> None:
    descriptor = json.loads((images.directory / "datapackage.json").read_bytes())
    assert descriptor["chaosprep"]["manifest_minor"] == MANIFEST_MINOR


def test_a_later_minor_version_without_news_opens(tmp_path: Path) -> None:
    assert len(open_dataset(handmade(tmp_path / "d", ROW, **LATER))) == 1


@pytest.mark.parametrize(
    ("news", "named"),
    [
        ({"host": "x"}, "the field host"),
        ({"history": [PAST | {"host": "x"}]}, "the field host"),
        ({"parameters": {"shuffle": True}}, "the parameter shuffle of split"),
        ({"stage": "denoise"}, "the stage denoise"),
        ({"history": [PAST | {"stage": "denoise"}]}, "the stage denoise"),
        ({"history": [PAST | {"parameters": {"a": 1, "b": 2}}]}, "the parameter b of split"),
        ({"skipped": 3}, "Expected `array`"),
    ],
)
def test_what_a_later_release_added_is_named_with_the_release(
    tmp_path: Path, news: dict[str, Any], named: str
) -> None:
    error = refusal(handmade(tmp_path / "d", ROW, **LATER | news))
    assert error.code == "manifest-newer"
    assert named in error.reason
    assert "chaosprep 9.9.0 wrote it" in error.reason
    assert error.remedy == "Use that release, or a later one."


def test_a_later_release_that_cannot_be_told_is_refused_all_the_same(tmp_path: Path) -> None:
    error = refusal(handmade(tmp_path / "d", ROW, **LATER | {"versions": 3}))
    assert error.code == "manifest-newer"
    assert "a later release of chaosprep wrote it" in error.reason


def test_a_column_that_a_later_release_added_is_named(tmp_path: Path) -> None:
    error = refusal(handmade(tmp_path / "d", ROW | {"contrast": "late"}, **LATER))
    assert error.code == "manifest-newer"
    assert "the column contrast" in error.reason
    assert "damaged" not in str(error)


def test_an_unknown_column_of_this_release_is_a_wrong_row(tmp_path: Path) -> None:
    assert refusal(handmade(tmp_path / "d", ROW | {"contrast": "late"})).code == "manifest-row"


def test_a_wrong_row_of_a_later_release_is_a_wrong_row_if_the_table_was_changed(
    tmp_path: Path,
) -> None:
    directory = handmade(tmp_path / "d", ROW, **LATER)
    table = directory / "slices.jsonl"
    table.write_text(table.read_text().replace('"train"', '"nowhere"'))
    assert refusal(directory).code == "manifest-row"


def test_an_unknown_parameter_of_a_finished_directory_is_not_another_value(
    livers: chaosprep.Dataset, tmp_path: Path
) -> None:
    chaosprep.convert(livers, tmp_path / "out")
    path = tmp_path / "out/datapackage.json"
    descriptor = json.loads(path.read_bytes())
    descriptor["chaosprep"]["parameters"]["gamma"] = 1
    path.write_text(json.dumps(descriptor))
    with pytest.raises(ManifestError) as caught:
        chaosprep.convert(livers, tmp_path / "out")
    assert caught.value.code == "manifest-newer"
    assert "the parameter gamma of convert" in caught.value.reason


def test_an_absent_parameter_has_its_default() -> None:
    default = plain(make_params(ConvertParams, {}))
    made = ConvertParams.completed({"window": "dicom"})
    assert made.pop("window") == "dicom"
    assert {name: default[name] for name in made} == made
