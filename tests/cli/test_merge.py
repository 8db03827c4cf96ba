"""`--shard` on every stage command, and `merge`, which makes one directory of the shards."""

import json
from pathlib import Path
from typing import Any

import pytest

import chaosprep as library
from chaosprep.running.options import Event

from .conftest import Run


def split(chaosprep: Run, root: Path, output: Path, *more: str) -> int:
    return chaosprep("split", root, "-o", output, "-j", "1", *more).exit_code


def test_shards_are_made_and_merged(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    made = chaosprep("split", root, "-o", tmp_path / "1", "-j", "1", "--shard", "1/2")
    assert made.exit_code == 0
    assert made.stdout == f"split: 3 cases, 15 slices, 0 skipped -> {tmp_path}/1/shard.json\n"
    assert made.stderr.splitlines()[-1] == "Shard 1 of 2 is ready for chaosprep merge"
    assert split(chaosprep, root, tmp_path / "2", "--shard", "2/2") == 0
    merged = chaosprep("merge", tmp_path / "2", tmp_path / "1", "-o", tmp_path / "out", "-j", "1")
    assert merged.exit_code == 0
    assert merged.stdout == (
        f"merge: 5 cases, 25 slices, 0 skipped -> {tmp_path}/out/datapackage.json\n"
    )
    assert split(chaosprep, root, tmp_path / "whole") == 0
    for name in ("datapackage.json", "slices.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_slices_that_shards_left_out_are_exit_code_3(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    sorted(root.rglob("Ground/*.png"))[0].unlink()
    skip = ("--on-error", "skip")
    assert split(chaosprep, root, tmp_path / "1", "--shard", "1/2", *skip) == 3
    assert split(chaosprep, root, tmp_path / "2", "--shard", "2/2", *skip) == 0
    merged = chaosprep("merge", tmp_path / "1", tmp_path / "2", "-o", tmp_path / "out", "-j", "1")
    assert merged.exit_code == 3
    assert "Left out: MR001_t1-in" in merged.stderr


def test_a_missing_shard_is_exit_code_1(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    split(chaosprep, root, tmp_path / "1", "--shard", "1/3")
    merged = chaosprep("merge", tmp_path / "1", "-o", tmp_path / "out", "--json")
    assert merged.exit_code == 1
    assert json.loads(merged.stdout)["code"] == "merge-missing"
    assert merged.stderr == (
        "Error: merge: of 3 shards these are missing: 2, 3. "
        "Run the stage for them (--shard I/N), and give all of them.\n"
    )


def test_different_libraries_are_told(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    for index in ("1", "2"):
        split(chaosprep, root, tmp_path / index, "--shard", f"{index}/2")
    manifest = tmp_path / "2/shard.json"
    found = json.loads(manifest.read_text())
    found["chaosprep"]["versions"]["numpy"] = "1.0.0"
    manifest.write_text(json.dumps(found))
    merged = chaosprep("merge", tmp_path / "1", tmp_path / "2", "-o", tmp_path / "out", "-j", "1")
    assert merged.exit_code == 0
    assert "merge: the shards were made with different libraries (numpy 1.0.0, " in merged.stderr


@pytest.mark.parametrize("shard", ["0/2", "two"])
def test_a_wrong_shard_is_a_usage_error(
    chaosprep: Run, root: Path, tmp_path: Path, shard: str
) -> None:
    assert split(chaosprep, root, tmp_path / "out", "--shard", shard) == 2
    assert split(chaosprep, root, tmp_path / "out", "--shard", shard, "-n") == 2


def test_the_shard_can_come_from_the_environment(
    chaosprep: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAOSPREP_SHARD", "2/2")
    assert split(chaosprep, root, tmp_path / "out") == 0
    assert (tmp_path / "out/shard.json").exists()


def test_a_dry_run_of_a_shard(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    result = chaosprep("split", root, "-o", tmp_path / "out", "-n", "--shard", "2/2")
    assert "split: 2 cases: 2 to do, 0 done, 0 stale" in result.stdout


@pytest.mark.parametrize("verb", ["verify", "inspect", "convert", "report"])
def test_no_verb_takes_a_shard_for_a_dataset(
    chaosprep: Run, root: Path, tmp_path: Path, verb: str
) -> None:
    split(chaosprep, root, tmp_path / "1", "--shard", "1/2")
    more = {"convert": ("-o", tmp_path / "out"), "report": ("-o", tmp_path / "page.html")}
    result = chaosprep(verb, tmp_path / "1", *more.get(verb, ()))
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {tmp_path}/1: shard 1 of 2, not a whole stage. "
        "Merge the shards first: chaosprep merge SHARD... -o DIR.\n"
    )


def test_prepare_has_no_shards(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    """Its later stages need the earlier ones whole."""
    result = chaosprep("prepare", root, "-o", tmp_path / "out", "--shard", "1/2")
    assert result.exit_code == 2
    assert "--shard" in result.stderr
    assert not (tmp_path / "out").exists()


def test_dask_is_passed_on_from_option_and_environment(
    chaosprep: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []

    def run(*given: Any) -> None:
        seen.append(given[-1].dask)

    monkeypatch.setattr("chaosprep.cli.stage.run", run)
    chaosprep("split", root, "-o", tmp_path / "out", "--dask", "tcp://host:8786")
    monkeypatch.setenv("CHAOSPREP_DASK", "config")
    chaosprep("split", root, "-o", tmp_path / "out")
    assert seen == ["tcp://host:8786", "config"]


def test_prepare_makes_the_same_on_a_local_cluster(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    events: list[Event] = []
    on_dask = library.prepare(
        root, tmp_path / "a", dask="local", jobs=2, format="npy", on_event=events.append
    )
    here = library.prepare(root, tmp_path / "b", format="npy")
    assert on_dask.descriptor == here.descriptor
    assert [event.stage for event in events if event.kind == "committed"] == [
        "split",
        "extract-liver",
        "convert",
        "augment",
    ]
