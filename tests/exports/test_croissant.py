"""The Croissant description: what it says of the files beside it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset, Slice
from chaosprep.dataset.records import RARE
from chaosprep.errors import ProblemsError
from chaosprep.exports.croissant import export


@pytest.fixture(scope="module")
def place(images: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(images, tmp_path_factory.mktemp("croissant") / "out").path


@pytest.fixture(scope="module")
def description(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "croissant.json").read_text())
    return found


def test_files_are_named_with_their_hashes(place: Path, description: dict[str, Any]) -> None:
    files = [one for one in description["distribution"] if one["@type"] == "cr:FileObject"]
    assert {one["contentUrl"] for one in files} == {
        *("records.jsonl", "LICENSE-DATA.txt", "METHODS.md"),
    }
    for one in files:
        data = (place / one["contentUrl"]).read_bytes()
        assert one["sha256"] == hashlib.sha256(data).hexdigest()
        assert one["contentSize"] == f"{len(data)} B"


def test_the_sets_hold_every_image_and_every_mask(
    place: Path, description: dict[str, Any], images: Dataset
) -> None:
    sets = {one["@id"]: one for one in description["distribution"] if "includes" in one}
    for name, expected in (
        ("images", {row.image for row in images.slices}),
        ("masks", {row.mask for row in images.slices}),
    ):
        found = (path for glob in sets[name]["includes"] for path in place.glob(glob))
        assert {path.relative_to(place).as_posix() for path in found} == expected
        assert sets[name]["encodingFormat"] == "image/png"


def test_files_are_the_datasets(place: Path, images: Dataset) -> None:
    for row in images.slices:
        assert row.mask is not None
        assert (place / row.image).samefile(images.directory / row.image)
        assert (place / row.mask).samefile(images.directory / row.mask)


def test_every_column_is_a_typed_field(description: dict[str, Any]) -> None:
    (records,) = description["recordSet"]
    fields = {field["name"]: field for field in records["field"]}
    assert list(fields) == [name for name in Slice.__struct_fields__ if name not in RARE]
    kinds = {"id": "sc:Text", "rows": "sc:Integer", "slope": "sc:Float", "labels": "sc:Text"}
    assert {name: fields[name]["dataType"] for name in kinds} == kinds
    repeated = {name for name, field in fields.items() if field.get("repeated")}
    assert repeated == {"spacing", "position", "orientation", "window", "padding", "warnings"}
    assert fields["warnings"]["dataType"] == "sc:Text"


def test_the_table_has_every_row_with_objects_as_text(place: Path, images: Dataset) -> None:
    rows = [json.loads(line) for line in (place / "records.jsonl").read_text().splitlines()]
    assert [values["id"] for values in rows] == [row.id for row in images.slices]
    for values, row in zip(rows, images.slices, strict=True):
        assert json.loads(values["labels"]) == {"255": "liver"}
        assert json.loads(values["pixels"]) == row.pixels
        assert values["augmentation"] is None
        assert values["image_sha256"] == row.image_sha256


def test_licence_and_sources_are_the_manifests(description: dict[str, Any]) -> None:
    assert description["license"] == ["https://creativecommons.org/publicdomain/zero/1.0/"]
    assert description["citeAs"] == "chaosprep phantom, synthetic"


def test_dicom_is_refused(livers: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        export(livers, tmp_path / "out")
    assert {problem.code for problem in caught.value.problems} == {"image-format"}
    assert not (tmp_path / "out").exists()


def test_npy_is_taken(livers: Dataset, tmp_path: Path) -> None:
    arrays = chaosprep.convert(livers, tmp_path / "npy", format="npy")
    made = export(arrays, tmp_path / "out")
    found = json.loads((made.path / "croissant.json").read_text())["distribution"]
    formats = {one["@id"]: one["encodingFormat"] for one in found if "includes" in one}
    assert formats == {"images": "application/octet-stream", "masks": "image/png"}


def test_the_same_dataset_gives_the_same_bytes(
    place: Path, images: Dataset, tmp_path: Path
) -> None:
    again = export(images, tmp_path / "again").path
    files = [path.relative_to(place) for path in place.rglob("*") if path.is_file()]
    assert all((place / path).read_bytes() == (again / path).read_bytes() for path in files)
