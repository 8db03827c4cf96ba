"""A table above a million rows (here: a few) is several files that hold just its lines."""

import json
import multiprocessing
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.errors import ChaosprepError
from chaosprep.running import table_writing
from chaosprep.running.merge import merge
from chaosprep.running.runner import run
from tests.running.toys import TOY, ToyCase, ToyParams, snapshot, source

CASES = (
    ToyCase("MR001_t1-in", (1, 2, 3)),
    ToyCase("MR001_t2-spir", (4,)),
    ToyCase("MR002_t1-in", (5, 6)),
    ToyCase("MR003_t1-in", (7, 8, 9, 10), split="val"),
    ToyCase("MR004_t1-in", (11,), split="val"),
)
Tree = dict[str, bytes]


def made(tmp_path: Path, name: str, cases: tuple[ToyCase, ...] = CASES, **options: Any) -> Tree:
    run(TOY, ToyParams(), source(tmp_path, *cases), tmp_path / name, **options)
    return snapshot(tmp_path / name)


def tables(found: Tree) -> Tree:
    return {name: text for name, text in sorted(found.items()) if name.startswith("slices")}


def resource(found: Tree) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(found["datapackage.json"])["resources"][0]
    return told


@pytest.fixture
def whole(tmp_path: Path) -> Tree:
    """What is written where the table is one file."""
    return made(tmp_path, "whole")


@pytest.mark.parametrize(
    ("most", "rows"),
    [
        (1, [3, 1, 2, 4, 1]),  # a case is never in two files, however long it is
        (3, [3, 3, 4, 1]),
        (4, [4, 2, 4, 1]),
        (10, [10, 1]),
    ],
)
def test_the_files_one_after_the_other_are_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Tree, most: int, rows: list[int]
) -> None:
    monkeypatch.setattr(table_writing, "ROWS_PER_FILE", most)
    found = made(tmp_path, "out")
    files = tables(found)
    names = [f"slices-{number:05d}.jsonl" for number in range(1, len(rows) + 1)]
    assert list(files) == names
    assert [text.count(b"\n") for text in files.values()] == rows
    assert b"".join(files.values()) == whole["slices.jsonl"]
    told = resource(found)
    assert (told["path"], told["hash"]) == (names, resource(whole)["hash"])
    assert told["bytes"] == sum(one["bytes"] for one in told["files"])
    others = {"slices.jsonl", "datapackage.json", *names}
    assert {name: one for name, one in found.items() if name not in others} == {
        name: one for name, one in whole.items() if name not in others
    }


def test_a_table_with_as_many_rows_as_a_file_takes_is_one_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Tree
) -> None:
    monkeypatch.setattr(table_writing, "ROWS_PER_FILE", 11)
    assert made(tmp_path, "out") == whole
    assert resource(whole)["path"] == "slices.jsonl"
    assert "files" not in resource(whole)


@pytest.mark.parametrize(("first", "then"), [(1, 4), (4, 11), (11, 4)])
def test_no_file_of_an_earlier_table_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int, then: int
) -> None:
    monkeypatch.setattr(table_writing, "ROWS_PER_FILE", first)
    made(tmp_path, "out")
    monkeypatch.setattr(table_writing, "ROWS_PER_FILE", then)
    assert made(tmp_path, "out", overwrite=True) == made(tmp_path, "new")


def test_what_a_kill_left_of_another_table_goes_with_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Tree
) -> None:
    with pytest.raises(ChaosprepError):
        made(tmp_path, "out", (*CASES[:-1], ToyCase("MR004_t1-in", (-1,))))
    for number in (1, 7):
        (tmp_path / f"out/slices-{number:05d}.jsonl").write_text("of a larger table")
    assert made(tmp_path, "out") == whole


def test_a_shared_file_of_a_table_is_not_touched(tmp_path: Path) -> None:
    made(tmp_path, "out")
    (tmp_path / "precious").write_text("mine")
    os.link(tmp_path / "precious", tmp_path / "out/slices-00002.jsonl")
    with pytest.raises(ChaosprepError, match=r"slices-00002\.jsonl: it is a hard link"):
        made(tmp_path, "out", overwrite=True)
    assert (tmp_path / "out/datapackage.json").exists()


FEW = tuple(ToyCase(f"MR00{number}_ct", (number,)) for number in (1, 2, 3))


def killed(tmp_path: Path, moment: int) -> bool:
    """Kill a run before so many renamings and removals; False where it came to its end before."""

    def work() -> None:
        left = iter(range(moment))

        def counted(function: Any) -> Any:  # noqa: ANN401 - either of two
            def instead(*args: Any, **keywords: Any) -> Any:  # noqa: ANN401
                if next(left, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **keywords)

            return instead

        Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)  # type: ignore[method-assign]
        made(tmp_path, "out", FEW, overwrite=True)

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    return child.exitcode != 0


def test_killed_at_any_moment_the_same_command_makes_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A larger table, in more files, stood there before."""
    monkeypatch.setattr(table_writing, "ROWS_PER_FILE", 1)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    expected = made(tmp_path, "clean", FEW)
    made(tmp_path, "earlier", (*FEW, ToyCase("MR004_ct")))
    for moment in range(100):
        shutil.copytree(tmp_path / "earlier", tmp_path / "out")
        was_killed = killed(tmp_path, moment)
        if (tmp_path / "out/datapackage.json").exists():
            open_dataset(tmp_path / "out")  # the earlier one or the new one, and whole
        if not was_killed:
            break
        assert made(tmp_path, "out", FEW, overwrite=True) == expected
        shutil.rmtree(tmp_path / "out")
    assert moment > 20
    assert snapshot(tmp_path / "out") == expected


def test_an_unfinished_run_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_writing, "ROWS_PER_FILE", 4)
    with pytest.raises(ChaosprepError):
        made(tmp_path, "out", (*CASES[:-1], ToyCase("MR004_t1-in", (-1,))))
    events = list[tuple[str, int]]()
    run(
        TOY,
        ToyParams(),
        source(tmp_path, *CASES),
        tmp_path / "out",
        on_event=lambda event: events.append((event.kind, event.finished)),
    )
    assert events == [("planned", 4), ("done", 5), ("committed", 5)]
    assert snapshot(tmp_path / "out") == made(tmp_path, "new")


def test_shards_in_several_files_merge_to_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_writing, "ROWS_PER_FILE", 3)
    parts = []
    for index in (1, 2):
        made(tmp_path, f"part-{index}", shard=f"{index}/2")
        parts.append(tmp_path / f"part-{index}")
    merge(parts, tmp_path / "merged")
    assert snapshot(tmp_path / "merged") == made(tmp_path, "whole")


@pytest.fixture(scope="module")
def both(livers: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Dataset]:
    """The same images twice: with a table of one file, and of several."""
    place = tmp_path_factory.mktemp("both")
    one = chaosprep.convert(livers, place / "one")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_writing, "ROWS_PER_FILE", len(one.slices) // 3)
        return one, chaosprep.convert(livers, place / "several")


def test_every_reader_takes_them_for_the_same(both: tuple[Dataset, Dataset]) -> None:
    one, several = both
    assert len(list(several.directory.glob("slices-*.jsonl"))) > 2
    assert several.slices == one.slices
    assert several.to_pandas().equals(one.to_pandas())
    assert chaosprep.diff(one.directory, several.directory).same == len(one.slices)
    assert chaosprep.verify(several.directory).faults == ()


def test_verify_tells_of_a_file_that_is_not_of_the_table(
    both: tuple[Dataset, Dataset],
) -> None:
    stray = both[1].directory / "slices-00099.jsonl"
    stray.touch()
    try:
        (fault,) = chaosprep.verify(both[1].directory).faults
    finally:
        stray.unlink()
    assert (fault.code, fault.file) == ("surplus", "slices-00099.jsonl")


def test_without_its_descriptor_it_is_an_unfinished_stage_and_no_folder_of_pictures(
    both: tuple[Dataset, Dataset], tmp_path: Path
) -> None:
    for path in both[1].directory.glob("slices-*.jsonl"):
        os.link(path, tmp_path / path.name)
    with pytest.raises(ChaosprepError, match="not a stage directory"):
        chaosprep.verify(tmp_path)
