"""The tools that tables are made for read them, each in one call."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.exports import croissant, huggingface, parquet, webdataset

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

Frame = Any  # of any of the three
Splits = dict[str, list[dict[str, Any]]]
SIDES = {"train": "train", "val": "validation"}


@pytest.fixture(scope="module")
def sixteen(livers: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return chaosprep.convert(livers, tmp_path_factory.mktemp("sixteen"), keep_16bit=True)


@pytest.fixture(scope="module")
def augmented(images: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return chaosprep.augment(images, tmp_path_factory.mktemp("augmented"), copies=1)


def load(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Splits:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(cache))
    import datasets

    cached = str(cache)
    loaded: Splits = datasets.load_dataset("imagefolder", data_dir=str(folder), cache_dir=cached)
    return loaded


@pytest.mark.parametrize("which", ["images", "sixteen", "augmented"])
def test_datasets_gives_our_pixels(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours: Dataset = request.getfixturevalue(which)
    made = huggingface.export(ours, tmp_path / "out")
    loaded = load(made.path, tmp_path / "cache", monkeypatch)
    found = {values["id"]: values for side in SIDES.values() for values in loaded[side]}
    assert set(found) == {row.id for row in ours.slices}
    for row in ours.slices:
        image, mask = (np.asarray(found[row.id][kind]) for kind in ("image", "mask"))
        assert image.dtype == ours.image(row).dtype
        assert np.array_equal(image, ours.image(row))
        expected = ours.mask(row)
        assert expected is not None
        assert np.array_equal(mask, expected)
    assert found[ours.slices[0].id]["spacing"] == list(ours.slices[0].spacing or ())


@pytest.mark.parametrize("which", ["images", "sixteen", "augmented"])
def test_webdataset_and_datasets_stream_our_shards(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    import cv2
    import datasets
    import webdataset as peer

    ours: Dataset = request.getfixturevalue(which)
    made = webdataset.export(ours, tmp_path / "out").path
    for split in ("train", "val"):
        rows = {row.id: row for row in ours.slices if row.split == split}
        shard = str(made / f"{split}-000000.tar")
        slices = peer.WebDataset(shard, shardshuffle=False).decode()  # as on the card
        found = {one["__key__"]: one for one in slices}
        streamed = datasets.load_dataset(
            "webdataset", data_files={split: shard}, split=split, streaming=True
        )
        beside = {one["__key__"]: one for one in streamed}
        assert set(found) == set(beside) == set(rows)
        for id, row in rows.items():
            for field, expected in (("image.png", ours.image(row)), ("mask.png", ours.mask(row))):
                assert expected is not None
                data = np.frombuffer(found[id][field], np.uint8)
                assert np.array_equal(np.asarray(beside[id][field]), expected)
                assert np.array_equal(np.asarray(cv2.imdecode(data, -1)), expected)
            assert beside[id]["json"]["spacing"] == list(row.spacing or ())


def ids(frame: Frame) -> list[str]:
    return list(frame["id"])


def test_pandas_polars_and_duckdb_read_the_table(augmented: Dataset) -> None:
    import duckdb
    import pandas
    import polars

    table = str(augmented.directory / "slices.jsonl")
    expected = [row.id for row in augmented.slices]
    assert ids(pandas.read_json(table, lines=True)) == expected
    assert ids(polars.read_ndjson(table, infer_schema_length=None)) == expected
    assert ids(duckdb.read_json(table).df()) == expected


def test_pandas_polars_and_duckdb_read_parquet(augmented: Dataset, tmp_path: Path) -> None:
    import duckdb
    import pandas
    import polars

    table = str(parquet.export(augmented, tmp_path / "out").path / "slices.parquet")
    for frame in (
        pandas.read_parquet(table),
        polars.read_parquet(table),
        duckdb.read_parquet(table).df(),
    ):
        assert ids(frame) == [row.id for row in augmented.slices]
        for position, row in enumerate(augmented.slices):
            assert json.loads(frame["pixels"][position]) == row.pixels
            assert list(frame["spacing"][position]) == list(row.spacing or ())


@pytest.mark.parametrize("stage", ["pairs", "livers", "images", "augmented"])
def test_frictionless_accepts_the_manifest(stage: str, request: pytest.FixtureRequest) -> None:
    import frictionless

    directory = request.getfixturevalue(stage).directory
    report = frictionless.validate(str(directory / "datapackage.json"))
    assert report.valid, report.flatten(["message"])


def test_mlcroissant_validates_and_loads(augmented: Dataset, tmp_path: Path) -> None:
    import mlcroissant

    made = croissant.export(augmented, tmp_path / "out")
    found = mlcroissant.Dataset(str(made.path / "croissant.json"))
    issues = found.metadata.ctx.issues
    assert not issues.errors
    recommended = {warning.split('"')[1].rpartition("/")[2] for warning in issues.warnings}
    assert recommended == {"datePublished", "version"}  # for whoever publishes it
    records = list(found.records("slices"))
    assert [one["slices/id"].decode() for one in records] == [row.id for row in augmented.slices]
    for one, row in zip(records, augmented.slices, strict=True):
        assert one["slices/rows"] == row.rows
        assert one["slices/spacing"] == list(row.spacing or ())
        assert json.loads(one["slices/pixels"]) == row.pixels
