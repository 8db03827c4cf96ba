"""Directories that the release 0.1.0 wrote (tests/fixtures) are read, gone on with and built on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import chaosprep
from chaosprep import Dataset, Event
from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.records import encode_row
from chaosprep.division.params import SplitParams
from chaosprep.exports import nifti
from chaosprep.running.options import ignore
from chaosprep.stages.split import SPLIT
from chaosprep.workbench import ALONE
from tests.running.toys import make_plan, snapshot

FIXTURE = Path(__file__).parent / "fixtures/0.1.0"
BOTH = ("t1-in", "t1-out")
STAGES = {
    "split": ("split", 10),
    "liver": ("extract-liver", 10),
    "images": ("convert", 10),
    "augmented": ("augment", 22),
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy that may be worked in."""
    return Path(shutil.copytree(FIXTURE, tmp_path / "old"))


def made_again(
    old: Path, stage: str, output: Path, on_event: Callable[[Event], None] = ignore
) -> Dataset:
    """Run the command of a stage as the fixture's README has it."""
    if stage == "split":
        return chaosprep.split(old / "root", output, sequence=BOTH, val=0.5, on_event=on_event)
    if stage == "liver":
        return chaosprep.extract_liver(old / "split", output, on_event=on_event)
    if stage == "images":
        return chaosprep.convert(old / "liver", output, keep_16bit=True, on_event=on_event)
    return chaosprep.augment(old / "images", output, copies=2, on_event=on_event)


def data(directory: Path) -> dict[str, bytes]:
    """Every file but the descriptor, which says who wrote it; the table without new columns."""
    found = snapshot(directory)
    del found["datapackage.json"]
    rows = map(decode_row, found["slices.jsonl"].splitlines())
    plain = (msgspec.structs.replace(row, scaling=msgspec.UNSET) for row in rows)
    return found | {"slices.jsonl": b"\n".join(map(encode_row, plain))}


@pytest.mark.parametrize("name", STAGES)
def test_it_opens(name: str) -> None:
    dataset = chaosprep.open(FIXTURE / name)
    assert (dataset.made.stage, len(dataset.slices)) == STAGES[name]
    assert dataset.made.versions["chaosprep"] == "0.1.0"


@pytest.mark.parametrize("name", STAGES)
def test_it_verifies_without_a_fault(name: str) -> None:
    assert chaosprep.verify(FIXTURE / name).faults == ()


def test_every_copy_is_made_again_with_its_bytes() -> None:
    verdict = chaosprep.verify(FIXTURE / "augmented", replay="all")
    assert (verdict.faults, verdict.warnings) == ((), ())


@pytest.mark.parametrize("name", STAGES)
def test_the_same_command_finds_it_already_done(old: Path, name: str) -> None:
    before, events = snapshot(old / name), list[Event]()
    made_again(old, name, old / name, events.append)
    assert [event.kind for event in events] == ["already-done"]
    assert snapshot(old / name) == before


@pytest.mark.parametrize("name", STAGES)
def test_the_same_command_makes_the_same_files(old: Path, name: str, tmp_path: Path) -> None:
    made_again(old, name, tmp_path / "again")
    assert data(tmp_path / "again") == data(old / name)


@pytest.mark.parametrize(
    ("unfinished", "name", "done"),
    [("interrupted", "images", 0), ("interrupted-split", "split", 1)],  # no `scaling` there
)
def test_an_unfinished_run_goes_on_and_ends_as_a_whole_one(
    old: Path, unfinished: str, name: str, done: int, tmp_path: Path
) -> None:
    events = list[Event]()
    made_again(old, name, old / unfinished, events.append)
    assert (events[0].kind, events[0].finished) == ("planned", done)
    made_again(old, name, tmp_path / "whole")
    assert snapshot(old / unfinished) == snapshot(tmp_path / "whole")


def test_an_unfinished_run_with_other_parameters_is_begun_anew(old: Path) -> None:
    source = SPLIT.open(old / "root", SplitParams(sequence=BOTH), ALONE)
    params = SplitParams(sequence=BOTH, val=0.5, link="hard")
    plan = make_plan(SPLIT, params, source, old / "interrupted-split")
    assert (len(plan.done), plan.stale) == (0, 1)


def test_its_shards_are_merged(old: Path, tmp_path: Path) -> None:
    parts = [old / "shards/1", old / "shards/2"]
    assert data(chaosprep.merge(parts, tmp_path / "merged").directory) == data(old / "images")


def test_a_shard_of_today_is_merged_with_one_of_0_1_0(old: Path, tmp_path: Path) -> None:
    part = tmp_path / "2"
    chaosprep.convert(old / "liver", part, keep_16bit=True, shard="2/2")
    merged = chaosprep.merge([old / "shards/1", part], tmp_path / "merged")
    assert data(merged.directory) == data(old / "images")


def test_it_is_exported(tmp_path: Path) -> None:
    made = nifti.export(FIXTURE / "images", tmp_path / "out")
    assert (made.cases, made.skipped) == (4, ())
