"""What a committed directory says: the table first, the descriptor last, and nothing private."""

import errno
import getpass
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import socket
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pandas
import pytest

from chaosprep import __version__
from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.descriptor import StageRecord
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError, ManifestError
from chaosprep.running import table_writing
from chaosprep.running.commit import commit
from chaosprep.running.runner import run
from chaosprep.running.stage import CaseResult
from chaosprep.running.writer import Writer
from tests.running.toys import (
    SECOND,
    TOY,
    ToyCase,
    ToyParams,
    handmade_row,
    make_case,
    snapshot,
    source,
)

CASES = (
    ToyCase("MR001_t1-in", (1, 2, 3)),
    ToyCase("MR001_t2-spir", (4,)),
    ToyCase("MR002_t1-in", (5, 6)),
    ToyCase("MR003_t1-in", (7,), split="val"),
)


def made(tmp_path: Path, name: str = "out", *cases: ToyCase) -> Path:
    run(TOY, ToyParams(), source(tmp_path, *(cases or CASES)), tmp_path / name)
    return tmp_path / name


def descriptor_of(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "datapackage.json").read_bytes())
    return found


def table_of(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "slices.jsonl").read_bytes().splitlines()]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_table_is_sorted_by_id(tmp_path: Path) -> None:
    ids = [row["id"] for row in table_of(made(tmp_path, "out", *reversed(CASES)))]
    assert ids == sorted(ids)
    assert len(ids) == 7


def test_the_order_in_which_a_stage_returns_its_slices_is_no_matter(tmp_path: Path) -> None:
    def backwards(case: ToyCase, params: ToyParams, writer: Writer) -> CaseResult:
        return CaseResult(make_case(case, params, writer).slices[::-1])

    stage = msgspec.structs.replace(TOY, run_case=backwards)
    run(stage, ToyParams(), source(tmp_path, *CASES), tmp_path / "backwards")
    assert snapshot(tmp_path / "backwards") == snapshot(made(tmp_path))


def test_cases_whose_names_begin_alike_stay_in_order(tmp_path: Path) -> None:
    """`-` stands before `_`: the order of case ids is not that of their slices."""
    cases = [ToyCase(id) for id in ("MR001_t1", "MR001_t1-in", "MR001_t1.5", "MR0010_t1")]
    ids = [row["id"] for row in table_of(made(tmp_path, "out", *cases))]
    assert ids == sorted(ids)


@pytest.mark.parametrize("case", ["MR001_t1-in", "MR002_t1-in"])
def test_a_column_that_a_row_of_some_case_has_stands_in_all(tmp_path: Path, case: str) -> None:
    def some(this: ToyCase, params: ToyParams, writer: Writer) -> CaseResult:
        rows = make_case(this, params, writer).slices
        lost = {"overwritten": {"liver": 5}} if this.id == case else {}
        return CaseResult(tuple(msgspec.structs.replace(row, **lost) for row in rows))

    run(
        msgspec.structs.replace(TOY, run_case=some),
        ToyParams(),
        source(tmp_path, *CASES),
        tmp_path / "out",
    )
    found = {row["id"]: row["overwritten"] for row in table_of(tmp_path / "out")}
    assert found == {id: {"liver": 5} if id.startswith(case) else {} for id in found}
    assert len(found) == 7


def test_the_table_has_hash_and_size_of_every_file(tmp_path: Path) -> None:
    directory = made(tmp_path)
    rows = table_of(directory)
    for row in rows:
        for kind in ("image", "mask"):
            assert row[f"{kind}_sha256"] == sha256(directory / row[kind])
            assert row[f"{kind}_bytes"] == (directory / row[kind]).stat().st_size
    files = {path for path in snapshot(directory) if path.endswith(".png")}
    assert files == {row[kind] for row in rows for kind in ("image", "mask")}


def test_the_descriptor_has_hash_and_size_of_the_table(tmp_path: Path) -> None:
    directory = made(tmp_path)
    (resource,) = descriptor_of(directory)["resources"]
    assert resource["path"] == "slices.jsonl"
    assert resource["hash"] == f"sha256:{sha256(directory / 'slices.jsonl')}"
    assert resource["bytes"] == (directory / "slices.jsonl").stat().st_size


def test_the_descriptor_says_how_it_was_made(tmp_path: Path) -> None:
    descriptor = descriptor_of(made(tmp_path))
    record = descriptor["chaosprep"]
    assert (record["stage"], record["version"], record["seed"]) == ("toy", 1, 7)
    assert record["parameters"] == {"patient": [], "compression": "fast", "add": 0, "seed": 7}
    assert record["versions"]["chaosprep"] == __version__
    assert record["versions"]["numpy"] == importlib.metadata.version("numpy")
    assert descriptor["chaosprep"]["manifest_version"] == 1
    assert descriptor["licenses"] == [{"name": "CC0-1.0", "title": "Zero"}]
    assert descriptor["sources"] == [{"title": "made up"}]


def test_counts_are_of_each_side(tmp_path: Path) -> None:
    assert descriptor_of(made(tmp_path))["chaosprep"]["counts"] == {
        "train": {"patients": 2, "cases": 3, "slices": 6},
        "val": {"patients": 1, "cases": 1, "slices": 1},
    }


def test_a_directory_tells_its_history_with_the_hash_of_every_descriptor(tmp_path: Path) -> None:
    first = made(tmp_path, "first")
    second = tmp_path / "second"
    run(SECOND, ToyParams(add=1), first, second)
    third = tmp_path / "third"
    run(msgspec.structs.replace(SECOND, name="third"), ToyParams(add=2), second, third)

    history = descriptor_of(third)["chaosprep"]["history"]
    assert [record["stage"] for record in history] == ["toy", "second"]
    assert [record["descriptor_sha256"] for record in history] == [
        sha256(first / "datapackage.json"),
        sha256(second / "datapackage.json"),
    ]
    assert [record["parameters"]["add"] for record in history] == [0, 1]
    assert [record.stage for record in open_dataset(third).history] == ["toy", "second", "third"]


def test_licence_sources_and_origin_go_down_the_chain(tmp_path: Path) -> None:
    first = made(tmp_path, "first")
    run(SECOND, ToyParams(), first, tmp_path / "second")
    second = descriptor_of(tmp_path / "second")
    assert second["licenses"] == descriptor_of(first)["licenses"]
    assert second["sources"] == descriptor_of(first)["sources"]
    assert [row["source"] for row in table_of(tmp_path / "second")] == [
        row["source"] for row in table_of(first)
    ]


def test_what_a_stage_leaves_as_it_is_takes_no_room(tmp_path: Path) -> None:
    first = made(tmp_path, "first")
    run(SECOND, ToyParams(add=1), first, tmp_path / "second")
    for row in table_of(first):
        assert (tmp_path / "second" / row["image"]).samefile(first / row["image"])
        assert not (tmp_path / "second" / row["mask"]).samefile(first / row["mask"])


def test_a_directory_stands_alone(tmp_path: Path) -> None:
    """Moved, and without its parent and the dataset root, it opens as before."""
    run(SECOND, ToyParams(add=1), made(tmp_path, "first"), tmp_path / "second")
    (tmp_path / "far").mkdir()
    shutil.move(tmp_path / "second", tmp_path / "far/away")
    shutil.rmtree(tmp_path / "first")
    dataset = open_dataset(tmp_path / "far/away")
    assert [dataset.image(row)[0, 0] for row in dataset.slices] == [1, 2, 3, 4, 5, 6, 7]


def test_frictionless_validates_the_directory(tmp_path: Path) -> None:
    import frictionless

    directory = made(tmp_path)
    report = frictionless.validate(str(directory / "datapackage.json"))
    assert report.valid, report.to_summary()
    assert report.stats["tasks"] == 1

    with (directory / "slices.jsonl").open("ab") as file:
        file.write((directory / "slices.jsonl").read_bytes().splitlines(keepends=True)[0])
    assert not frictionless.validate(str(directory / "datapackage.json")).valid


def test_frictionless_validates_a_table_of_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import frictionless

    monkeypatch.setattr(table_writing, "ROWS_PER_FILE", 4)
    report = frictionless.validate(str(made(tmp_path) / "datapackage.json"))
    assert (tmp_path / "out/slices-00002.jsonl").exists()
    assert report.valid, report.flatten(["message"])


def test_pandas_reads_the_table_in_one_call(tmp_path: Path) -> None:
    frame = pandas.read_json(made(tmp_path) / "slices.jsonl", lines=True)
    assert list(frame["slice"]) == [0, 1, 2, 0, 0, 1, 0]
    assert frame["id"].is_unique
    assert frame["spacing"][0] == [5.5, 1.25, 1.5]
    assert frame["fold"].isna().all()


def test_neither_file_says_where_when_or_by_whom_it_was_made(tmp_path: Path) -> None:
    directory = made(tmp_path, "zebra")
    descriptor = descriptor_of(directory)
    del descriptor["resources"][0]["schema"]  # plain English, in which a user may be called "root"
    text = json.dumps([descriptor, table_of(directory)]).replace("sha256:", "sha256 ")
    private = {getpass.getuser(), str(os.getpid()), socket.gethostname(), "zebra", tmp_path.name}
    assert not private & set(re.findall(r"[\w.-]+", text))
    for place in (tmp_path, Path.cwd(), Path(sys.prefix)):
        assert str(place) not in text
    assert time.strftime("%Y-%m-%d") not in text
    assert not re.search(r'"/|"[A-Z]:', text), "an absolute path"
    assert not re.search(r"\d\d:\d\d|\b1[6-9]\d{8}\b", text), "a time"


def test_the_same_work_elsewhere_and_later_gives_the_same_bytes(tmp_path: Path) -> None:
    first = made(tmp_path, "one")
    (tmp_path / "b").mkdir()
    found = source(tmp_path / "b", *CASES)
    run(TOY, ToyParams(), found, tmp_path / "b/other-name")
    assert snapshot(first) == snapshot(tmp_path / "b/other-name")


def test_the_descriptor_is_the_last_to_get_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, sources = list[str](), list[str]()
    rename, fsync = Path.replace, os.fsync

    def note_replace(self: Path, target: Path) -> Path:
        files = sorted(path.name for path in target.parent.glob("t*/*/*"))
        assert len(files) == 2
        steps.append(f"rename {target.name}")
        sources.append(self.relative_to(tmp_path / "out").as_posix())
        return rename(self, target)

    def note_fsync(handle: int) -> None:
        steps.append("fsync")
        fsync(handle)

    monkeypatch.setattr(Path, "replace", note_replace)
    monkeypatch.setattr(os, "fsync", note_fsync)
    made(tmp_path, "out", ToyCase("MR001_t1-in", (1,)))
    assert steps == [
        *("fsync", "rename slices.jsonl", "fsync"),
        *("fsync", "rename datapackage.json", "fsync"),
    ]
    assert all(re.fullmatch(r"\.chaosprep/\.[0-9a-f]{32}\.part", path) for path in sources)


@pytest.mark.parametrize("survives", ["slices.jsonl", "nothing"])
def test_a_directory_that_did_not_get_its_descriptor_is_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survives: str
) -> None:
    rename = Path.replace

    def stop(self: Path, target: Path) -> Path:
        if target.name == survives:
            return rename(self, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path)
    monkeypatch.undo()
    assert (tmp_path / "out/slices.jsonl").exists() == (survives == "slices.jsonl")
    with pytest.raises(ManifestError, match="an unfinished stage"):
        open_dataset(tmp_path / "out")
    made(tmp_path)
    assert snapshot(tmp_path / "out") == snapshot(made(tmp_path, "fresh"))


def test_what_a_run_left_and_the_table_does_not_name_is_removed(tmp_path: Path) -> None:
    """An interrupted run with other parameters may have left files, one of 0.1.0 others yet."""
    (tmp_path / "out/.chaosprep").mkdir(parents=True)
    (tmp_path / "out/.chaosprep/lock").touch()
    (tmp_path / "out/.chaosprep" / f".{'1a' * 16}.part").touch()
    left = (
        "train/images/MR001_t1-in_s000.npy",
        f"test/images/MR009_t1-in_s000.dcm.{'0f' * 16}.part",
        "val/masks/MR001_t1-in_s000_a01.png",
        "slices.jsonl.part",
        "datapackage.json.part",
    )
    for stray in left:
        (tmp_path / "out" / stray).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / stray).touch()
    assert snapshot(made(tmp_path)) == snapshot(made(tmp_path, "fresh"))


def test_what_stands_at_a_temporary_name_of_0_1_0_is_never_written_through(tmp_path: Path) -> None:
    (tmp_path / "out/.chaosprep").mkdir(parents=True)
    (tmp_path / "out/.chaosprep/lock").touch()
    (tmp_path / "precious").write_bytes(b"precious")
    os.link(tmp_path / "precious", tmp_path / "out/slices.jsonl.part")
    os.link(tmp_path / "precious", tmp_path / "out/datapackage.json.part")
    made(tmp_path)
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert (tmp_path / "precious").stat().st_nlink == 3


@pytest.mark.parametrize("name", ["slices.jsonl", "datapackage.json"])
def test_a_commit_that_fails_leaves_nothing_that_is_not_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    rename = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ChaosprepError, match="No space left on device"):
        made(tmp_path)
    assert [path for path in (tmp_path / "out").rglob("*") if path.suffix == ".part"] == []


def most_held(directory: Path, cases: int) -> int:
    """The bytes that the commit of a table with 50 rows for each case takes at most."""
    row = decode_row(json.dumps(handmade_row("MR001_t1-in_s000")).encode())

    def rows() -> Iterator[Slice]:
        for case in (f"MR{number:04d}_t1-in" for number in range(cases)):
            for index in range(50):
                id = f"{case}_s{index:03d}"
                own = {"id": id, "case": case, "patient": case[:6], "image": f"train/{id}.png"}
                yield msgspec.structs.replace(row, **own)

    (directory / ".chaosprep").mkdir(parents=True)
    made = StageRecord(
        stage="toy", version=1, versions={}, parameters={}, seed=0, inputs_sha256="0" * 64
    )
    tracemalloc.start()
    commit(directory, made, source(directory), rows, {}, ())
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_a_row_more_takes_less_than_30_bytes(tmp_path: Path) -> None:
    few, many = (most_held(tmp_path / str(cases), cases) for cases in (20, 220))
    assert many - few < 30 * 200 * 50
