"""The runner does for every stage what no stage does itself."""

import dataclasses
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosprep.dataset.manifest import Dataset
from chaosprep.errors import ChaosprepError, NothingFoundError, Problem, ProblemsError, UsageError
from chaosprep.params import Params
from chaosprep.running.lock import locked
from chaosprep.running.options import Event
from chaosprep.running.runner import run
from chaosprep.running.stage import CaseResult, Stage
from chaosprep.running.writer import Writer
from tests.running.toys import (
    TOY,
    Counted,
    ToyCase,
    ToyParams,
    ToySource,
    make_case,
    snapshot,
    source,
    toy_rows,
    within,
)

FAST = 60  # seconds; generous, only a hang takes as long
CASES = tuple(ToyCase(f"MR00{n}_t1-in", (n, n + 1)) for n in (1, 2, 3))
BROKEN = ToyCase("MR002_t1-in", (4, -1, 5))


def toy(tmp_path: Path, *cases: ToyCase, name: str = "out", **more: Any) -> Dataset:
    params = ToyParams(**more.pop("params", {}))
    return run(TOY, params, source(tmp_path, *cases), tmp_path / name, **more)


def problems_of(tmp_path: Path, *cases: ToyCase, **more: Any) -> tuple[Problem, ...]:
    with pytest.raises(ProblemsError) as caught:
        toy(tmp_path, *cases, **more)
    return caught.value.problems


def stamps(directory: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in directory.rglob("*")}


def test_a_run_makes_a_stage_directory_and_nothing_else(tmp_path: Path) -> None:
    toy(tmp_path, ToyCase("MR001_t1-in", (1,)), ToyCase("MR002_t1-in", (2,), split="val"))
    assert set(snapshot(tmp_path)) == {
        "out/",
        "out/datapackage.json",
        "out/slices.jsonl",
        *("out/train/", "out/train/images/", "out/train/masks/"),
        "out/train/images/MR001_t1-in_s000.png",
        "out/train/masks/MR001_t1-in_s000.png",
        *("out/val/", "out/val/images/", "out/val/masks/"),
        "out/val/images/MR002_t1-in_s000.png",
        "out/val/masks/MR002_t1-in_s000.png",
    }


def test_the_dataset_is_returned_open(tmp_path: Path) -> None:
    dataset = toy(tmp_path, *CASES)
    assert [row.id for row in dataset.slices] == [f"{c.id}_s00{n}" for c in CASES for n in (0, 1)]
    assert dataset.image(dataset.slices[3]).tolist() == [[3] * 3] * 2


def test_a_stage_needs_no_parameters_of_its_own(tmp_path: Path) -> None:
    def add_nothing(case: ToyCase, params: Params, writer: Writer) -> CaseResult:
        return make_case(case, ToyParams(), writer)

    def unasked(path: Path, params: Params, bench: object) -> ToySource:
        raise AssertionError

    stage = Stage("plain", 1, Params, add_nothing, unasked, rows=toy_rows)
    made = run(stage, Params(patient=("MR002",)), source(tmp_path, *CASES), tmp_path / "out")
    assert made.patients == ("MR002",)


def test_events_tell_what_happens_in_order(tmp_path: Path) -> None:
    events: list[Event] = []
    toy(tmp_path, *CASES, on_event=events.append)
    assert [(e.kind, e.finished, e.total, e.case, e.slices) for e in events[:-1]] == [
        ("planned", 0, 3, None, 0),
        ("done", 1, 3, "MR001_t1-in", 2),
        ("done", 2, 3, "MR002_t1-in", 2),
        ("done", 3, 3, "MR003_t1-in", 2),
    ]
    last = events[-1]
    assert (last.kind, last.finished, last.total, last.stage) == ("committed", 3, 3, "toy")
    assert last.dataset is not None
    assert len(last.dataset.slices) == 6


def test_events_of_a_run_with_a_problem(tmp_path: Path) -> None:
    events: list[Event] = []
    problems = problems_of(tmp_path, CASES[0], BROKEN, CASES[2], on_event=events.append)
    assert [(e.kind, e.case) for e in events] == [
        ("planned", None),
        ("done", "MR001_t1-in"),
        ("failed", "MR002_t1-in"),
        ("done", "MR003_t1-in"),
    ]
    assert events[2].problems == problems


def test_a_problem_has_its_place_its_reason_and_its_remedy(tmp_path: Path) -> None:
    assert problems_of(tmp_path, BROKEN) == (
        Problem(
            code="broken",
            id="MR002_t1-in_s001",
            file="raw/1.dcm",
            reason="it is broken",
            remedy="Mend it.",
        ),
    )


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_case_is_tried_and_every_problem_reported_in_order(tmp_path: Path, jobs: int) -> None:
    cases = [dataclasses.replace(case, levels=(-1, 1, -1)) for case in reversed(CASES)]
    found = within(FAST, lambda: problems_of(tmp_path, *cases, jobs=jobs))
    assert [problem.id for problem in found] == [f"{c.id}_s00{n}" for c in CASES for n in (0, 2)]


def test_with_a_problem_nothing_is_committed_but_the_work_is_kept(tmp_path: Path) -> None:
    problems_of(tmp_path, CASES[0], BROKEN, CASES[2])
    assert not (tmp_path / "out/datapackage.json").exists()
    counted = Counted()
    run(counted.stage, ToyParams(), source(tmp_path, *CASES), tmp_path / "out")
    assert counted.calls == ["MR002_t1-in"]


def test_a_problem_of_the_source_stops_the_commit_too(tmp_path: Path) -> None:
    problem = Problem(code="x", id="MR009", reason="it has no images")
    found = ToySource(tmp_path / "root", CASES, problems=(problem,))
    with pytest.raises(ProblemsError) as caught:
        run(TOY, ToyParams(), found, tmp_path / "out")
    assert caught.value.problems == (problem,)


def test_skipping_leaves_the_slices_out_and_records_them(tmp_path: Path) -> None:
    dataset = toy(tmp_path, CASES[0], BROKEN, CASES[2], on_error="skip")
    assert [row.id for row in dataset.case("MR002_t1-in").slices] == [
        "MR002_t1-in_s000",
        "MR002_t1-in_s002",
    ]
    assert [(p.id, p.code) for p in dataset.skipped] == [("MR002_t1-in_s001", "broken")]


def test_skipping_the_same_again_is_already_done(tmp_path: Path) -> None:
    toy(tmp_path, CASES[0], BROKEN, on_error="skip")
    events: list[Event] = []
    toy(tmp_path, CASES[0], BROKEN, on_error="skip", on_event=events.append)
    assert [event.kind for event in events] == ["already-done"]


def test_skipping_everything_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError, match="no slice is left"):
        toy(tmp_path, ToyCase("MR001_t1-in", (-1,)), on_error="skip")
    assert not (tmp_path / "out/datapackage.json").exists()


def test_what_is_already_done_is_only_opened(tmp_path: Path) -> None:
    toy(tmp_path, *CASES)
    before = stamps(tmp_path / "out")
    events: list[Event] = []
    counted = Counted()
    params, found = ToyParams(), source(tmp_path, *CASES)
    run(counted.stage, params, found, tmp_path / "out", on_event=events.append)
    assert [(e.kind, e.finished, e.total) for e in events] == [("already-done", 3, 3)]
    assert (counted.calls, stamps(tmp_path / "out")) == ([], before)


@pytest.mark.parametrize("change", ["params", "input", "stage"])
def test_another_request_never_touches_what_is_there(tmp_path: Path, change: str) -> None:
    toy(tmp_path, *CASES)
    before = stamps(tmp_path / "out")
    stage = msgspec.structs.replace(TOY, name="other") if change == "stage" else TOY
    cases = CASES[:2] if change == "input" else CASES
    params = ToyParams(add=int(change == "params"))
    with pytest.raises(ChaosprepError) as caught:
        run(stage, params, source(tmp_path, *cases), tmp_path / "out")
    assert caught.value.code == "output-differs"
    assert stamps(tmp_path / "out") == before


def test_overwriting_does_everything_again(tmp_path: Path) -> None:
    toy(tmp_path, *CASES)
    counted = Counted()
    run(
        counted.stage,
        ToyParams(add=9),
        source(tmp_path, *CASES[1:]),
        tmp_path / "out",
        overwrite=True,
    )
    assert counted.calls == ["MR002_t1-in", "MR003_t1-in"]
    toy(tmp_path, *CASES[1:], name="fresh", params={"add": 9})
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def test_overwriting_leaves_hard_links_of_the_old_files_alone(tmp_path: Path) -> None:
    toy(tmp_path, *CASES)
    file = "train/images/MR001_t1-in_s000.png"
    os.link(tmp_path / "out" / file, tmp_path / "kept.png")
    old = (tmp_path / "kept.png").read_bytes()
    toy(tmp_path, *CASES, params={"add": 9}, overwrite=True)
    assert (tmp_path / "kept.png").read_bytes() == old
    assert (tmp_path / "out" / file).read_bytes() != old


@pytest.mark.parametrize("wrong", ["patient", "nothing"])
def test_a_request_that_cannot_be_met_overwrites_nothing(tmp_path: Path, wrong: str) -> None:
    toy(tmp_path, *CASES)
    before = stamps(tmp_path / "out")
    params = ToyParams(patient=("MR009",) if wrong == "patient" else ())
    found = ToySource(tmp_path / "root", CASES if wrong == "patient" else ())
    with pytest.raises((UsageError, NothingFoundError)):
        run(TOY, params, found, tmp_path / "out", overwrite=True)
    assert stamps(tmp_path / "out") == before


def test_a_request_that_cannot_be_met_leaves_no_output(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        toy(tmp_path, *CASES, params={"patient": ("MR009",)})
    assert not (tmp_path / "out").exists()


def interrupted(tmp_path: Path, after: int) -> None:
    """Stop a run as Ctrl-C does, after so many cases."""

    def stop(event: Event) -> None:
        if event.finished == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        toy(tmp_path, *CASES, on_event=stop)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_finished_cases_are_not_done_again(tmp_path: Path, after: int) -> None:
    interrupted(tmp_path, after)
    counted, events = Counted(), list[Event]()
    params, found = ToyParams(), source(tmp_path, *CASES)
    run(counted.stage, params, found, tmp_path / "out", on_event=events.append)
    assert counted.calls == [case.id for case in CASES[after:]]
    assert (events[0].kind, events[0].finished, events[0].total) == ("planned", after, 3)
    toy(tmp_path, *CASES, name="fresh")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def test_a_case_that_was_damaged_since_is_done_again(tmp_path: Path) -> None:
    interrupted(tmp_path, 2)
    (tmp_path / "out/train/images/MR001_t1-in_s001.png").write_bytes(b"damaged")
    counted = Counted()
    run(counted.stage, ToyParams(), source(tmp_path, *CASES), tmp_path / "out")
    assert counted.calls == ["MR001_t1-in", "MR003_t1-in"]
    toy(tmp_path, *CASES, name="fresh")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def test_resuming_with_other_parameters_leaves_no_trace_of_the_first(tmp_path: Path) -> None:
    interrupted(tmp_path, 2)
    toy(tmp_path, CASES[0], CASES[2], params={"add": 1})
    toy(tmp_path, CASES[0], CASES[2], params={"add": 1}, name="fresh")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "fresh")


def test_a_workspace_left_by_a_kill_right_after_the_commit_is_tidied(tmp_path: Path) -> None:
    toy(tmp_path, *CASES)
    before = snapshot(tmp_path / "out")
    (tmp_path / "out/.chaosprep").mkdir()
    (tmp_path / "out/.chaosprep/journal.jsonl").write_bytes(b"whatever")
    toy(tmp_path, *CASES)
    assert snapshot(tmp_path / "out") == before


def test_what_another_run_committed_just_now_is_already_done(tmp_path: Path) -> None:
    """Between the plan and the lock there is time for a whole other run."""

    def plan(source: Any, cases: Any, params: ToyParams) -> Any:  # noqa: ANN401 - as the stage has it
        toy(tmp_path, *CASES)
        return TOY.plan(source, cases, params)

    counted, events = Counted(), list[Event]()
    late: Stage[ToyCase, ToyParams] = msgspec.structs.replace(counted.stage, plan=plan)
    run(late, ToyParams(), source(tmp_path, *CASES), tmp_path / "out", on_event=events.append)
    assert (counted.calls, [event.kind for event in events]) == ([], ["already-done"])


def test_an_output_that_cannot_be_made_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ChaosprepError) as caught:
        toy(tmp_path, *CASES, name="file/out")
    assert caught.value.code == "output"
    assert str(tmp_path / "file/out") in caught.value.reason


def test_a_full_memory_is_a_problem_of_the_case(tmp_path: Path) -> None:
    large = ToyCase("MR002_t1-in", trick="memory")
    dataset = toy(tmp_path, CASES[0], large, CASES[2], on_error="skip")
    assert [problem.id for problem in dataset.skipped] == ["MR002_t1-in"]
    assert [case.id for case in dataset.cases] == ["MR001_t1-in", "MR003_t1-in"]


def test_more_jobs_make_the_same_bytes(tmp_path: Path) -> None:
    cases = [ToyCase(f"MR{n:03d}_t1-in", tuple(range(n, n + 5))) for n in range(1, 13)]
    within(FAST, lambda: toy(tmp_path, *cases, name="two", jobs=2))
    toy(tmp_path, *cases, name="one", jobs=1)
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "two")


@settings(max_examples=25)
@given(order=st.permutations(CASES))
def test_the_order_of_the_cases_is_no_matter(
    tmp_path_factory: pytest.TempPathFactory, order: list[ToyCase]
) -> None:
    tmp_path = tmp_path_factory.mktemp("order")
    toy(tmp_path, *CASES, name="sorted")
    toy(tmp_path, *order, name="shuffled")
    assert snapshot(tmp_path / "sorted") == snapshot(tmp_path / "shuffled")


def test_a_worker_that_dies_once_costs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    unlucky = dataclasses.replace(CASES[1], trick=f"die-once {mark}")
    within(FAST, lambda: toy(tmp_path, CASES[0], unlucky, CASES[2], jobs=2))
    assert mark.exists()
    toy(tmp_path, *CASES, name="calm")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "calm")


def test_a_case_that_always_kills_its_worker_is_its_own_problem(tmp_path: Path) -> None:
    deadly = dataclasses.replace(CASES[1], trick="die")
    cases = (CASES[0], deadly, CASES[2])
    dataset = within(FAST, lambda: toy(tmp_path, *cases, jobs=2, on_error="skip"))
    assert [(p.id, p.code) for p in dataset.skipped] == [("MR002_t1-in", "worker-died")]
    assert [case.id for case in dataset.cases] == ["MR001_t1-in", "MR003_t1-in"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_nobody_foresaw_is_a_problem_of_its_case(tmp_path: Path, jobs: int) -> None:
    strange = dataclasses.replace(CASES[1], trick="unforeseen")
    dataset = toy(tmp_path, CASES[0], strange, CASES[2], jobs=jobs, on_error="skip")
    assert [(p.id, p.code) for p in dataset.skipped] == [("MR002_t1-in", "internal")]
    assert "KeyError at chaosprep/running/tasks.py:" in dataset.skipped[0].reason
    assert "by toys.py:" in dataset.skipped[0].reason
    assert "Smith" not in dataset.skipped[0].text
    assert [case.id for case in dataset.cases] == ["MR001_t1-in", "MR003_t1-in"]


@pytest.mark.parametrize("at", [0, -1])
def test_a_journal_that_is_changed_during_the_run_is_never_committed(
    tmp_path: Path, at: int
) -> None:
    def change(event: Event) -> None:
        path = tmp_path / "out/.chaosprep/journal.jsonl"
        if event.finished == event.total and event.kind == "done":
            lines = path.read_bytes().splitlines(keepends=True)
            lines[at] = lines[at].replace(b'"fold":null', b'"fold":1234')
            path.write_bytes(b"".join(lines))

    with pytest.raises(ChaosprepError, match="was changed while the run was at work") as caught:
        toy(tmp_path, *CASES, on_event=change)
    assert caught.value.code == "journal-changed"
    assert not (tmp_path / "out/datapackage.json").exists()
    toy(tmp_path, *CASES)
    toy(tmp_path, *CASES, name="calm")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "calm")


def test_an_interrupted_run_leaves_no_worker_and_no_lock(tmp_path: Path) -> None:
    """Also while the exception, and with it the run's frames, is still held by somebody."""

    def stop(event: Event) -> None:
        if event.kind == "done":
            raise KeyboardInterrupt

    cases = [ToyCase(f"MR{n:03d}_t1-in", trick="slow") for n in range(1, 13)]
    with pytest.raises(KeyboardInterrupt) as caught:
        within(FAST, lambda: toy(tmp_path, *cases, jobs=2, on_event=stop))
    before = stamps(tmp_path / "out/train")
    with locked(tmp_path / "out/.chaosprep/lock", tmp_path / "out"):
        time.sleep(0.6)
    assert caught.value.__traceback__ is not None
    assert stamps(tmp_path / "out/train") == before
