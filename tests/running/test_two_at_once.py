"""Two commands into one output at once: one does it, the other finds it done or held."""

import csv
import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.opening import open_dataset, open_output
from chaosprep.division.params import SplitParams
from chaosprep.division.written import write_split
from chaosprep.errors import ChaosprepError
from chaosprep.quality.evidence import Evidence, evidence
from chaosprep.running.merge import merge
from chaosprep.running.options import Event, RunOptions
from chaosprep.running.runner import forget, run
from chaosprep.running.workspace import Workspace
from chaosprep.stages.prepare import prepare_params, run_all
from chaosprep.stages.split import SPLIT
from tests.running.toys import TOY, ToyCase, ToyParams, snapshot, source

CASES = (ToyCase("MR001_t1-in"), ToyCase("MR002_t1-in", (3,)), ToyCase("MR003_t1-in", (4,)))
Before = Callable[[Callable[[], object]], None]


@pytest.fixture
def before_the_lock(monkeypatch: pytest.MonkeyPatch) -> Before:
    """Let something happen after a run has planned, before it takes its lock."""
    held = Workspace.held

    def arrange(other: Callable[[], object]) -> None:
        @contextmanager
        def late(self: Workspace, *check: Callable[[], None]) -> Iterator[None]:
            monkeypatch.setattr(Workspace, "held", held)
            other()
            with _held(self, *check):
                yield

        def _held(self: Workspace, *check: Callable[[], None]) -> AbstractContextManager[None]:
            return held(self, *check)

        monkeypatch.setattr(Workspace, "held", late)

    return arrange


def toy(tmp_path: Path, name: str = "out", **options: object) -> list[str]:
    """Run it; what happened."""
    events = list[Event]()
    params = ToyParams(add=int(str(options.pop("add", 0))))
    found = source(tmp_path, *CASES)
    run(TOY, params, found, tmp_path / name, on_event=events.append, **options)  # type: ignore[arg-type]
    return [event.kind for event in events]


def test_what_another_run_did_meanwhile_is_done(tmp_path: Path, before_the_lock: Before) -> None:
    before_the_lock(lambda: toy(tmp_path))
    assert toy(tmp_path) == ["already-done"]
    toy(tmp_path, "fresh")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def test_what_another_run_did_meanwhile_with_other_parameters_is_kept(
    tmp_path: Path, before_the_lock: Before
) -> None:
    before_the_lock(lambda: toy(tmp_path, add=1))
    with pytest.raises(ChaosprepError) as caught:
        toy(tmp_path)
    assert caught.value.code == "output-differs"
    toy(tmp_path, "fresh", add=1)
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")
    assert toy(tmp_path, add=1) == ["already-done"]
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def test_what_is_begun_meanwhile_is_gone_on_with(tmp_path: Path, before_the_lock: Before) -> None:
    def interrupted() -> None:
        def stop(event: Event) -> None:
            if event.finished == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(TOY, ToyParams(), source(tmp_path, *CASES), tmp_path / "out", on_event=stop)

    before_the_lock(interrupted)
    assert toy(tmp_path) == ["planned", "done", "committed"]
    toy(tmp_path, "fresh")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def test_a_run_that_was_killed_after_its_commit_is_done(tmp_path: Path) -> None:
    toy(tmp_path, "fresh")
    toy(tmp_path)
    for left in ((), ("lock",), ("lock", "journal.jsonl", "settings.json", f"run-{'0f' * 16}")):
        (tmp_path / "out/.chaosprep").mkdir()
        for name in left:
            (tmp_path / "out/.chaosprep" / name).write_bytes(b"{}\n")
        assert toy(tmp_path) == ["already-done"]
        assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def shards(tmp_path: Path, add: int = 0) -> list[Path]:
    parts = [tmp_path / f"part-{add}-{index}" for index in (1, 2)]
    for index, part in enumerate(parts, 1):
        toy(tmp_path, part.name, shard=f"{index}/2", add=add)
    return parts


def test_what_another_merge_did_meanwhile_is_done(tmp_path: Path, before_the_lock: Before) -> None:
    parts, events = shards(tmp_path), list[Event]()
    before_the_lock(lambda: merge(parts, tmp_path / "out"))
    merge(parts, tmp_path / "out", on_event=events.append)
    assert [event.kind for event in events] == ["already-done"]
    toy(tmp_path, "fresh")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


@pytest.mark.parametrize("killed", [False, True])
def test_a_merge_never_replaces_what_else_was_finished(
    tmp_path: Path, before_the_lock: Before, killed: bool
) -> None:
    """Neither what another command made meanwhile, nor what one made that was killed after it."""
    parts = shards(tmp_path, add=1)
    toy(tmp_path, "fresh")
    if killed:
        toy(tmp_path)
        (tmp_path / "out/.chaosprep").mkdir()
    else:
        before_the_lock(lambda: toy(tmp_path))
    with pytest.raises(ChaosprepError) as caught:
        merge(parts, tmp_path / "out")
    assert caught.value.code == "output-differs"
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


@pytest.mark.parametrize("command", ["run", "merge"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_somebody_else_put_there_meanwhile_is_not_joined(
    tmp_path: Path, before_the_lock: Before, command: str, overwrite: bool
) -> None:
    """An export, say, that takes its name after the stage has looked at the place."""

    def other() -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out/chaosprep-export.json").write_text("{}")

    parts = shards(tmp_path)
    before_the_lock(other)
    commands: dict[str, Callable[[], object]] = {
        "run": lambda: toy(tmp_path, overwrite=overwrite),
        "merge": lambda: merge(parts, tmp_path / "out", overwrite=overwrite),
    }
    with pytest.raises(ChaosprepError) as caught:
        commands[command]()
    assert caught.value.code == "output-foreign"
    assert list(snapshot(tmp_path / "out")) == ["chaosprep-export.json"]


def test_an_output_that_is_held_is_refused_by_every_command(tmp_path: Path, phantom: Path) -> None:
    parts = shards(tmp_path)
    for name in ("out", "split"):
        (tmp_path / name).mkdir()
    commands: list[Callable[[], object]] = [
        lambda: toy(tmp_path),
        lambda: toy(tmp_path, overwrite=True),
        lambda: merge(parts, tmp_path / "out"),
        lambda: merge(parts, tmp_path / "out", overwrite=True),
        lambda: chaosprep.prepare(phantom, tmp_path),
    ]
    with Workspace.inside(tmp_path / "out").held(), Workspace.inside(tmp_path / "split").held():
        for command in commands:
            with pytest.raises(ChaosprepError) as caught:
                command()
            assert caught.value.code == "locked"


@pytest.mark.parametrize("add", [0, 1])
def test_a_finished_output_that_is_taken_back_while_it_is_compared_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, add: int
) -> None:
    """Its table goes between its opening and the look at its files."""
    toy(tmp_path)

    def late(directory: Path) -> Dataset:
        dataset = open_output(directory)
        forget(directory)
        return dataset

    monkeypatch.setattr("chaosprep.running.planning.open_output", late)
    assert toy(tmp_path, add=add)[-1] == "committed"
    toy(tmp_path, "fresh", add=add)
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def replaced_once_opened(monkeypatch: pytest.MonkeyPatch, other: Callable[[], object]) -> None:
    """Let something happen right after the next look at what stands finished."""

    def late(directory: Path) -> Dataset:
        dataset = open_dataset(directory)
        monkeypatch.undo()
        other()
        return dataset

    for name in ("running.merge.open_dataset", "running.runner.open_output"):
        monkeypatch.setattr(f"chaosprep.{name}", late)


def test_a_merge_that_another_run_replaces_while_it_is_compared_is_told_of_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, others = shards(tmp_path), shards(tmp_path, add=1)
    merge(parts, tmp_path / "out")
    replaced_once_opened(monkeypatch, lambda: merge(others, tmp_path / "out", overwrite=True))
    with pytest.raises(ChaosprepError) as caught:
        merge(parts, tmp_path / "out")
    assert caught.value.code == "output-differs"
    merge(others, tmp_path / "fresh")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def validating(file: Path) -> list[str]:
    """The patients of val, as a written split has them."""
    lines = csv.DictReader(file.read_text().splitlines())
    return [line["patient"] for line in lines if line["side"] == "val"]


def test_a_split_is_written_before_another_run_can_replace_what_it_tells_of(
    two_phases: Path, tmp_path: Path
) -> None:
    """The other one begins where this one is done but for the file."""
    told = list[str]()

    def late(dataset: Dataset, params: SplitParams, options: RunOptions) -> None:
        with pytest.raises(ChaosprepError) as caught:
            chaosprep.split(two_phases, tmp_path / "out", val_patient=["MR002"], overwrite=True)
        told.append(caught.value.code)
        write_split(dataset, params, options)

    split = msgspec.structs.replace(SPLIT, after=late)
    params = SplitParams(val_patient=("MR001",), write_split=str(tmp_path / "x.csv"))
    run(split, params, two_phases, tmp_path / "out")
    assert told == ["locked"]
    assert validating(tmp_path / "x.csv") == ["MR001"]


def test_a_split_that_is_replaced_while_it_is_written_down_is_refused(
    two_phases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was done already, so that nothing holds it; the other one has removed its table."""
    out, file = tmp_path / "out", tmp_path / "x.csv"

    def other() -> None:
        chaosprep.split(two_phases, out, val_patient=["MR002"], overwrite=True)

    chaosprep.split(two_phases, out, val_patient=["MR001"])
    replaced_once_opened(monkeypatch, other)
    with pytest.raises(ChaosprepError) as caught:
        chaosprep.split(two_phases, out, val_patient=["MR001"], write_split=str(file))
    assert caught.value.code == "output-differs"
    chaosprep.split(two_phases, tmp_path / "fresh", val_patient=["MR002"])
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def test_a_split_that_is_replaced_while_it_is_checked_is_told(
    two_phases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def late(made: Dataset, *given: Any, **more: Any) -> Evidence:
        chaosprep.split(two_phases, out, val_patient=["MR002"], overwrite=True)
        return evidence(made, *given, **more)

    monkeypatch.setattr("chaosprep.quality.evidence.evidence", late)
    with pytest.raises(ChaosprepError, match="another run replaces what") as caught:
        chaosprep.split(two_phases, out, val_patient=["MR001"], check=True)
    assert caught.value.code == "locked"


def test_no_stage_of_prepare_is_replaced_before_the_last_is_done(
    phantom: Path, tmp_path: Path
) -> None:
    """Nor before the page is made that shows it."""
    told = list[str]()

    def other(_: object) -> None:
        with pytest.raises(ChaosprepError) as caught:
            chaosprep.prepare(phantom, tmp_path / "out", val_patient=["MR002"], overwrite=True)
        told.append(caught.value.code)

    def begin(event: Event) -> None:
        if event.stage != "split" and event.kind == "planned":
            other(event)

    options = RunOptions(on_event=begin)
    run_all(phantom, tmp_path / "out", prepare_params({"val": 0.25}), options, then=other)
    assert told == ["locked"] * 4
    chaosprep.prepare(phantom, tmp_path / "fresh", val=0.25)
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")
    assert not (tmp_path / "out/.chaosprep").exists()


def test_a_finished_prepare_is_read_where_files_cannot_be_locked(
    tmp_path: Path, phantom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    params = prepare_params({"val": 0.25})
    made = run_all(phantom, tmp_path / "out", params)
    before = snapshot(tmp_path / "out")
    monkeypatch.setattr(fcntl, "flock", none)
    again = run_all(phantom, tmp_path / "out", params)
    assert again.descriptor_sha256 == made.descriptor_sha256
    assert snapshot(tmp_path / "out").keys() == before.keys()
    with pytest.raises(ChaosprepError, match="cannot lock files"):
        run_all(phantom, tmp_path / "other", params)
