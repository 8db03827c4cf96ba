"""The table as Parquet: types, rows and what else the file says."""

import json
import sys
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import chaosprep
from chaosprep import Dataset, Slice
from chaosprep.dataset.records import RARE
from chaosprep.errors import ChaosprepError
from chaosprep.exports import parquet
from chaosprep.exports.parquet import export
from chaosprep.exports.rows import flat

OBJECTS = ("labels", "pixels", "grid", "augmentation")


@pytest.fixture(scope="module")
def augmented(images: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return chaosprep.augment(images, tmp_path_factory.mktemp("augmented"), copies=1)


@pytest.fixture(scope="module")
def arrow() -> ModuleType:
    module: ModuleType = pytest.importorskip("pyarrow.parquet")
    return module


def row_of(values: dict[str, Any]) -> Slice:
    """A row from its columns: the way back, written here and not in the toolkit."""
    for name in OBJECTS:
        values[name] = None if values[name] is None else json.loads(values[name])
    return msgspec.convert(values, Slice, strict=False)


def test_every_row_comes_back(augmented: Dataset, tmp_path: Path, arrow: ModuleType) -> None:
    made = export(augmented, tmp_path / "out")
    rows = arrow.read_table(made.path / "slices.parquet").to_pylist()
    assert tuple(row_of(values) for values in rows) == augmented.slices
    assert (made.cases, made.slices) == (len(augmented), len(augmented.slices))
    assert any(row.augmentation for row in augmented.slices)


def test_columns_are_typed_where_a_whole_column_is_null(
    images: Dataset, tmp_path: Path, arrow: ModuleType
) -> None:
    made = export(images, tmp_path / "out")
    schema = arrow.read_schema(made.path / "slices.parquet")
    expected = {"fold": "int64", "slope": "double", "grid": "string", "copy": "int64"}
    assert {name: str(schema.field(name).type) for name in expected} == expected
    assert str(schema.field("spacing").type).startswith("list<element: double")
    assert str(schema.field("warnings").type).startswith("list<element: string")
    assert not schema.field("id").nullable
    assert schema.names == [name for name in Slice.__struct_fields__ if name not in RARE]


def test_the_descriptor_travels_in_the_metadata(
    images: Dataset, tmp_path: Path, arrow: ModuleType
) -> None:
    made = export(images, tmp_path / "out")
    metadata = arrow.read_schema(made.path / "slices.parquet").metadata
    expected = json.loads((images.directory / "datapackage.json").read_text())
    assert json.loads(metadata[b"datapackage.json"]) == expected


def test_paths_lead_from_the_stage_directory(
    images: Dataset, tmp_path: Path, arrow: ModuleType
) -> None:
    made = export(images, tmp_path / "out")
    for path in arrow.read_table(made.path / "slices.parquet")["image"].to_pylist():
        assert (images.directory / path).is_file()


def test_rows_are_written_in_stretches_of_cases(
    images: Dataset, tmp_path: Path, arrow: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_GROUP", 5)
    made = export(images, tmp_path / "out")
    file = arrow.ParquetFile(made.path / "slices.parquet")
    assert file.metadata.num_row_groups == 2  # cases of 4 + 4 and 4 + 3 slices
    assert file.metadata.num_rows == len(images.slices)


def test_the_same_table_gives_the_same_bytes(
    images: Dataset, tmp_path: Path, arrow: ModuleType
) -> None:
    one, two = (export(images, tmp_path / name).path / "slices.parquet" for name in ("a", "b"))
    assert one.read_bytes() == two.read_bytes()


def test_a_table_that_does_not_read_back_is_not_kept(
    images: Dataset, tmp_path: Path, arrow: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def altered(row: Slice) -> dict[str, Any]:
        return flat(row) | {"slope": float(next(counter))}

    counter = count()
    monkeypatch.setattr(parquet, "flat", altered)  # another slope whenever it is asked
    with pytest.raises(ChaosprepError, match="not what is read back"):
        export(images, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_pyarrow_the_error_names_the_extra(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ChaosprepError) as caught:
        export(images, tmp_path / "out")
    assert caught.value.code == "extra"
    assert "chaosprep[parquet]" in caught.value.remedy
    assert not (tmp_path / "out").exists()
