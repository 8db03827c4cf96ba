"""`SliceStream`: every slice once over all ranks and workers, from shards or a stage directory."""

import hashlib
import json
import pickle
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset import store
from chaosprep.errors import ChaosprepError, FileError, UsageError
from chaosprep.exports import webdataset
from chaosprep.files import sha256
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running import table_writing

torch = pytest.importorskip("torch")
fsspec = pytest.importorskip("fsspec")

from torch.utils.data import DataLoader  # noqa: E402

from chaosprep.torch import SliceDataset, SliceStream, sources  # noqa: E402
from chaosprep.torch.checks import Check  # noqa: E402
from chaosprep.torch.folders import LocalFolder, RemoteFolder, folder_at  # noqa: E402
from chaosprep.torch.streaming import drawn  # noqa: E402
from chaosprep.urls import objects  # noqa: E402

Items = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Eight patients to train on and one to validate, with stored values in 16 bits."""
    place = tmp_path_factory.mktemp("many")
    people = [Patient(id=n, slices=3, matrix=32, sequences=("t1-in",)) for n in range(1, 10)]
    pairs = chaosprep.split(
        write_chaos(place / "chaos", people), place / "pairs", val_patient=["MR009"]
    )
    livers = chaosprep.extract_liver(pairs, place / "livers")
    return chaosprep.convert(livers, place / "images", keep_16bit=True)


def sharded(dataset: Dataset, place: Path, most: int = 1) -> Path:
    """A folder of shards, of one patient each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(webdataset, "_MB", most)
        return chaosprep.export("webdataset", dataset, place, shard_mb=1).path


@pytest.fixture(scope="module")
def shards(many: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sharded(many, tmp_path_factory.mktemp("shards") / "out")


@pytest.fixture
def remote() -> Iterator[Callable[[Path], str]]:
    """Puts a folder into fsspec's memory, and gives its URL."""
    system = fsspec.filesystem("memory")

    def put(folder: Path) -> str:
        for file in folder.rglob("*"):
            if file.is_file():
                system.pipe_file(f"/bucket/set/{file.relative_to(folder)}", file.read_bytes())
        return "memory://bucket/set"

    yield put
    system.store.clear()


def by_id(items: Any) -> Items:  # noqa: ANN401 - a stream or a loader
    found = list(items)
    assert len({item["id"] for item in found}) == len(found)
    return {item["id"]: item for item in found}


def assert_same(found: Items, slices: SliceDataset) -> None:
    expected = {slices[at]["id"]: slices[at] for at in range(len(slices))}
    assert found.keys() == expected.keys()
    for id, item in expected.items():
        assert found[id].keys() == item.keys()
        for name, value in item.items():
            equal = torch.equal if isinstance(value, torch.Tensor) else str.__eq__
            assert equal(found[id][name], value), (id, name)


@pytest.mark.parametrize("augment", [None, "mri"])
def test_items_are_those_of_a_slice_dataset(
    many: Dataset, shards: Path, augment: str | None
) -> None:
    slices = SliceDataset(many, augment=augment, seed=3)
    slices.set_epoch(2)
    for where in (shards, many.directory):
        stream = SliceStream(where, augment=augment, seed=3)
        stream.set_epoch(2)
        assert stream.labels == slices.labels
        assert_same(by_id(stream), slices)


@pytest.mark.parametrize("kind", ["images", "organs", "folds"])
def test_other_kinds_of_data_give_the_same_items_too(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    dataset: Dataset = request.getfixturevalue(kind)
    if kind == "folds":
        dataset = chaosprep.convert(dataset, tmp_path / "npy", format="npy")
    out = chaosprep.export("webdataset", dataset, tmp_path / "out").path
    assert_same(by_id(SliceStream(out, "train")), SliceDataset(dataset, "train"))


@pytest.mark.parametrize("from_shards", [True, False])
def test_two_ranks_of_two_workers_see_each_slice_once(
    many: Dataset, shards: Path, from_shards: bool
) -> None:
    where = shards if from_shards else many.directory
    seen: list[list[str]] = []
    for rank in (0, 1):
        stream = SliceStream(where, rank=rank, world=2)
        loader = DataLoader(stream, batch_size=None, num_workers=2)
        seen.append([item["id"] for item in loader])
    expected = sorted(row.id for row in many.slices if row.split == "train")
    assert sorted(seen[0] + seen[1]) == expected
    assert len(seen[0]) == len(seen[1]) == len(expected) // 2


def test_each_epoch_has_an_order_of_its_own_that_comes_again(shards: Path) -> None:
    def order(epoch: int, seed: int = 0, buffer: int = 8) -> list[str]:
        stream = SliceStream(shards, seed=seed, buffer=buffer)
        stream.set_epoch(epoch)
        return [item["id"] for item in stream]

    orders = [order(0), order(1), order(0, seed=1), order(0, buffer=4)]
    assert len({*map(tuple, orders)}) == 4
    assert len({tuple(sorted(one)) for one in orders}) == 1
    assert order(1) == orders[1]
    assert order(0, buffer=0) == order(7, buffer=0) == sorted(orders[0])


def test_shards_are_read_in_another_order_in_each_epoch(shards: Path) -> None:
    stream, firsts = SliceStream(shards, buffer=1), set()
    for epoch in range(6):
        stream.set_epoch(epoch)
        firsts.add(next(iter(stream))["patient"])
    assert len(firsts) > 2


def test_workers_that_live_on_take_the_next_epoch(shards: Path) -> None:
    stream = SliceStream(shards)
    loader = DataLoader(stream, batch_size=None, num_workers=1, persistent_workers=True)
    first = [item["id"] for item in loader]
    stream.set_epoch(1)
    assert [item["id"] for item in loader] != first


def test_a_buffer_gives_every_item_once_and_not_far_before_its_turn() -> None:
    found = list(drawn(iter(range(100)), 10, np.random.default_rng(0)))
    assert sorted(found) == list(range(100))
    assert found != sorted(found)
    assert all(item <= place + 10 for place, item in enumerate(found))


def test_copies_and_slices_without_a_mask_can_be_left_out(
    rewritten: Callable[..., Path], tmp_path: Path
) -> None:
    def forget(row: dict[str, Any]) -> None:
        if row["slice"] == 0:
            row |= dict.fromkeys(("mask", "mask_sha256", "mask_bytes"))

    augmented = chaosprep.augment(rewritten(forget), tmp_path / "augmented", copies=1)
    out = chaosprep.export("webdataset", augmented, tmp_path / "out").path
    choices: list[dict[str, Any]] = [{"copies": False}, {"labelled": True}]
    for chosen in choices:
        for where in (out, augmented.directory):
            assert_same(by_id(SliceStream(where, **chosen)), SliceDataset(augmented, **chosen))


def test_a_fold_is_val_and_all_others_train(folds: Dataset, tmp_path: Path) -> None:
    images = chaosprep.convert(folds, tmp_path / "images")
    out = chaosprep.export("webdataset", images, tmp_path / "out").path
    for where in (out, images.directory):
        for split in ("train", "val"):
            stream = SliceStream(where, split, fold=1)
            assert_same(by_id(stream), SliceDataset(images, split, fold=1))
        with pytest.raises(UsageError, match="9: no such fold") as caught:
            SliceStream(where, fold=9)
        assert caught.value.code == "fold"


def test_a_fold_that_landmarks_were_learned_from_does_not_validate(
    folds: Dataset, tmp_path: Path
) -> None:
    images = chaosprep.convert(folds, tmp_path / "images", normalize="nyul")
    made = chaosprep.export("webdataset", images, tmp_path / "out")
    assert any("other folds cannot be validated fairly" in note for note in made.notes)
    assert_same(by_id(SliceStream(made.path, "val", fold=0)), SliceDataset(images, "val", fold=0))
    for where in (made.path, images.directory):
        with pytest.raises(UsageError, match="1"):
            SliceStream(where, "val", fold=1)


@pytest.mark.parametrize("from_shards", [True, False])
def test_a_folder_behind_a_url_gives_the_same(
    many: Dataset, shards: Path, remote: Callable[[Path], str], from_shards: bool
) -> None:
    url = remote(shards if from_shards else many.directory)
    stream = SliceStream(url, "train", augment="mri")
    assert_same(by_id(stream), SliceDataset(many, augment="mri"))
    loader = DataLoader(stream, batch_size=None, num_workers=2, multiprocessing_context="fork")
    assert len(by_id(loader)) == 24


@pytest.fixture(scope="module", params=["tar", "zarr", "tables"])
def kept(
    request: pytest.FixtureRequest, many: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> Dataset:
    """The same slices in containers, or with a table in several files."""
    place = tmp_path_factory.mktemp("kept") / request.param
    livers, how = many.directory.parent / "livers", {"store": request.param}
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "tables":
            patch.setattr(table_writing, "ROWS_PER_FILE", 6)
            how = {}
        return chaosprep.convert(livers, place, keep_16bit=True, **how)


@pytest.mark.parametrize("is_remote", [False, True])
def test_containers_and_a_table_in_several_files_give_the_same(
    many: Dataset, kept: Dataset, remote: Callable[[Path], str], is_remote: bool
) -> None:
    assert len([*kept.directory.glob("slices*")]) == (5 if kept.directory.name == "tables" else 1)
    stream = SliceStream(remote(kept.directory) if is_remote else kept.directory)
    assert_same(by_id(stream), SliceDataset(many))


def test_containers_are_exported_as_their_slices_are(
    many: Dataset, kept: Dataset, tmp_path: Path
) -> None:
    out = chaosprep.export("webdataset", kept, tmp_path / "out").path
    assert_same(by_id(SliceStream(out)), SliceDataset(many))
    with tarfile.open(out / "val-000000.tar") as shard:
        fields = {name.partition(".")[2] for name in shard.getnames()}
        rows = [shard.extractfile(name) for name in shard.getnames() if name.endswith("json")]
        scalings = {json.load(row)["scaling"] for row in rows if row is not None}
    ending = "npy" if kept.directory.name == "zarr" else "png"
    assert fields == {f"image.{ending}", f"mask.{ending}", "json"}
    (expected,) = {row.scaling for row in many.slices if row.split == "val"}
    assert [*map(json.loads, scalings)] == [msgspec.to_builtins(expected)]


@pytest.mark.parametrize("change", [lambda data: flipped(data, 600), lambda data: data[:600]])
@pytest.mark.parametrize("is_remote", [False, True])
def test_a_container_that_is_not_as_recorded_ends_the_epoch(
    many: Dataset,
    tmp_path: Path,
    remote: Callable[[Path], str],
    change: Callable[[bytes], bytes],
    is_remote: bool,
) -> None:
    livers = many.directory.parent / "livers"
    packed = chaosprep.convert(livers, tmp_path / "tar", keep_16bit=True, store="tar")
    container = packed.directory / "train/images/MR004_t1-in.tar"
    container.write_bytes(change(container.read_bytes()))
    stream = SliceStream(remote(packed.directory) if is_remote else packed.directory)
    with pytest.raises(FileError, match="MR004"):
        list(stream)


def test_no_larger_image_is_decoded_than_split_was_told(
    many: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dataset, "_max_pixels", 1000)
    for kind in (SliceStream, SliceDataset):
        with pytest.raises(FileError, match="above the limit"):
            next(iter(kind(many.directory.parent / "pairs", scale="none")))


def test_a_file_url_is_a_path(shards: Path) -> None:
    assert folder_at(f"file://{shards}") == LocalFolder(shards)


def test_it_pickles(shards: Path, many: Dataset) -> None:
    for where in (shards, many.directory):
        assert len(by_id(pickle.loads(pickle.dumps(SliceStream(where))))) == 24  # noqa: S301


def broken(shards: Path, place: Path, change: Callable[[bytes], bytes]) -> Path:
    folder = Path(shutil.copytree(shards, place / "broken"))
    file = folder / "train-000003.tar"
    file.write_bytes(change(file.read_bytes()))
    return folder


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: data[: len(data) // 2], "shard"),
        (lambda data: data[:-1024], "shard"),  # what closes it
        (lambda data: data[:-2048], "sample"),  # its last mask too
        (lambda data: data + bytes(512), "shard"),
        (lambda data: b"", "shard"),
        (lambda data: bytes(len(data)), "shard"),
        (lambda data: b"x" * len(data), "shard"),
        (lambda data: flipped(data, 100), "shard"),  # the header of the first member
        (lambda data: flipped(data, 600), "hash"),  # its content
        (lambda data: data.replace(b'"copy":0', b'"copy":1', 1), "shard"),
        (lambda data: data.replace(b".json", b".jsom"), "sample"),
        (lambda data: data.replace(b'"liver', b'"lever', 1), "sample"),
        (lambda data: data.replace(b'"rows":32', b'"rows":-2', 1), "sample"),
    ],
)
def test_a_shard_that_is_not_the_one_of_its_index_ends_the_epoch(
    shards: Path, tmp_path: Path, change: Callable[[bytes], bytes], code: str
) -> None:
    stream = SliceStream(broken(shards, tmp_path, change))
    with pytest.raises(FileError) as caught:
        list(stream)
    assert caught.value.code == code
    assert "train-000003.tar" in caught.value.reason or "MR004" in caught.value.reason


def test_a_shard_is_compared_once_in_a_process_or_always(shards: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shards, tmp_path / "copy"))
    once, always = SliceStream(folder), SliceStream(folder, check="always")
    assert len(list(once)) == len(list(always)) == 24
    file = folder / "train-000000.tar"
    file.write_bytes(file.read_bytes().replace(b'"slice":0', b'"slice":1', 1))
    assert len(list(once)) == 24
    with pytest.raises(FileError):
        list(always)


@pytest.mark.parametrize("check", ["always", "once"])
@pytest.mark.parametrize("is_remote", [False, True], ids=["here", "url"])
@pytest.mark.parametrize("is_stage", [False, True], ids=["shards", "stage"])
def test_a_file_is_hashed_once_in_a_process_or_always(
    shards: Path,
    many: Dataset,
    remote: Callable[[Path], str],
    monkeypatch: pytest.MonkeyPatch,
    is_stage: bool,
    is_remote: bool,
    check: Check,
) -> None:
    """48 files of 24 slices; behind a URL they come anew in each epoch."""
    folder = many.directory if is_stage else shards
    stream = SliceStream(remote(folder) if is_remote else folder, check=check)
    hashed: list[int] = []

    def counting(data: bytes) -> str:
        hashed.append(len(data))
        return sha256(data)

    for module in (sources, store):
        monkeypatch.setattr(module, "sha256", counting)
    assert [len(list(stream)) for _ in range(3)] == [24] * 3
    assert len(hashed) == 48 * (3 if is_remote or check == "always" else 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda index: index.pop("shardlist"),
        lambda index: index["shardlist"][0].update(url="../secret.tar"),
        lambda index: index["shardlist"][0].update(url="/etc/secret.tar"),
        lambda index: index["shardlist"][0].update(sha256="0"),
        lambda index: index["shardlist"].append(index["shardlist"][0]),
        lambda index: index.update(labels={"liver": "255"}),
    ],
)
def test_an_index_that_is_none_is_refused(
    shards: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    folder = Path(shutil.copytree(shards, tmp_path / "copy"))
    index = json.loads((folder / "train.json").read_text())
    change(index)
    (folder / "train.json").write_text(json.dumps(index))
    with pytest.raises(FileError, match="is not an index") as caught:
        SliceStream(folder)
    assert caught.value.code == "index"


def test_a_shard_of_another_side_ends_the_epoch(images: Dataset, tmp_path: Path) -> None:
    folder = chaosprep.export("webdataset", images, tmp_path / "shards").path
    (folder / "train.json").write_bytes((folder / "val.json").read_bytes())
    with pytest.raises(FileError, match="of another side than the index") as caught:
        list(SliceStream(folder))
    assert caught.value.code == "sample"


def test_an_index_that_nests_deeper_than_can_be_read_is_refused(
    shards: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(shards, tmp_path / "copy"))
    index = (folder / "train.json").read_text().rstrip().removesuffix("}")
    (folder / "train.json").write_text(f'{index}, "more": {"[" * 10**5}{"]" * 10**5}}}')
    with pytest.raises(FileError, match="is not an index"):
        SliceStream(folder)


def test_more_ranks_than_shards_are_refused(shards: Path, many: Dataset) -> None:
    smaller = ", or export with a smaller --shard-mb"
    for where, noun, more in ((shards, "shards", smaller), (many.directory, "cases", "")):
        with pytest.raises(UsageError, match=f"9 ranks cannot share 8 {noun}") as caught:
            SliceStream(where, rank=0, world=9)
        assert caught.value.code == "world"
        assert caught.value.remedy == f"Use fewer ranks{more}."


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"split": "validation"}, "split"),
        ({"split": "test"}, "split"),
        ({"scale": "slice"}, "scale"),
        ({"check": "never"}, "check"),
        ({"rank": 2, "world": 2}, "rank"),
        ({"rank": 0}, "rank"),
    ],
)
def test_what_cannot_be_is_refused(
    shards: Path, many: Dataset, wrong: dict[str, Any], code: str
) -> None:
    for where in (shards, many.directory):
        with pytest.raises(UsageError) as caught:
            SliceStream(where, **wrong)
        assert caught.value.code == code


def test_a_folder_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a stage directory") as caught:
        SliceStream(tmp_path)
    assert caught.value.code == "split"


def test_a_file_is_refused_by_its_path(shards: Path) -> None:
    with pytest.raises(FileError, match=r"train-000000\.tar/datapackage\.json: it cannot be read"):
        SliceStream(shards / "train-000000.tar")


def test_what_a_store_raises_is_told_without_what_is_secret() -> None:
    folder = folder_at("http://me:secret@127.0.0.1:9/set?key=secret")
    assert folder.shown == "http://127.0.0.1:9/set"
    with pytest.raises(ChaosprepError) as caught:
        RemoteFolder("nonsense://me:secret@bucket/set").read("train.json")
    assert caught.value.code == "remote-scheme"
    assert "secret" not in caught.value.text


def test_a_store_that_fails_on_the_way_ends_the_epoch(
    shards: Path, remote: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = SliceStream(remote(shards))

    def fail(*_: object, **__: object) -> bytes:
        raise RuntimeError("secret")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "open", fail)
    monkeypatch.setattr(objects, "WAITS", [0.0])
    with pytest.raises(
        ChaosprepError, match=r"does not answer as it should \(RuntimeError\)"
    ) as caught:
        list(stream)
    assert caught.value.code == "remote-unreachable"
    assert "secret" not in caught.value.text


def test_a_manifest_that_was_copied_is_removed_with_its_stream(
    many: Dataset, remote: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stream = SliceStream(remote(many.directory))
    assert [sorted(path.name for path in one.iterdir()) for one in tmp_path.iterdir()] == [
        ["datapackage.json", "slices.jsonl"]
    ]
    del stream
    assert list(tmp_path.iterdir()) == []


def test_hashes_of_the_index_are_those_of_the_files(shards: Path) -> None:
    for shard in json.loads((shards / "train.json").read_text())["shardlist"]:
        data = (shards / shard["url"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == shard["sha256"]
