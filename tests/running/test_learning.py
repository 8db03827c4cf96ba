"""A stage that learns over cases before it works on any: of whom, how often, what is kept."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chaosprep.dataset.manifest import WORKSPACE
from chaosprep.dataset.opening import open_dataset
from chaosprep.errors import ChaosprepError, FileError, ProblemsError
from chaosprep.running.learning import LEARNED, Learning
from chaosprep.running.merge import merge
from chaosprep.running.options import Event, OnError
from chaosprep.running.rehearsal import rehearse
from chaosprep.running.runner import run
from chaosprep.running.stage import CaseResult, Stage
from chaosprep.running.writer import Writer
from tests.running.toys import TOY, ToyCase, ToyParams, ToySource, make_case, snapshot, source


@dataclass(frozen=True)
class Pupil(ToyCase):
    """A toy case that knows what was learned: the sum of the first levels."""

    learned: int | None = None

    def content(self) -> bytes:
        return json.dumps([super().content().decode(), self.learned]).encode()

    def inputs(self) -> str:  # of the files alone
        return ToyCase.inputs(dataclasses.replace(self, learned=None))


SEEN: list[str] = []
"""The cases that were seen in this process, in their order."""


def see(case: Pupil, params: ToyParams) -> int:
    SEEN.append(case.id)
    for level in case.levels:
        if level < 0:
            raise FileError("it is broken", "Mend it.", "broken")
    return case.levels[0]


def conclude(seen: Sequence[int], params: ToyParams) -> dict[str, Any]:
    return {"add": [*seen]}


def give(case: Pupil, learned: dict[str, Any]) -> Pupil:
    return dataclasses.replace(case, learned=sum(learned["add"]))


def work(case: Pupil, params: ToyParams, writer: Writer) -> CaseResult:
    """Every level plus what was learned."""
    assert case.learned is not None
    params = ToyParams(add=params.add + case.learned)
    return make_case(case, params, writer)


def stops(case: Pupil, params: ToyParams, writer: Writer) -> CaseResult:
    """As a run that is killed behind its first case."""
    if case.id == "MR002_t1-in":
        raise KeyboardInterrupt
    return work(case, params, writer)


LEARNING: Learning[Pupil, ToyParams] = Learning(
    due=lambda params: params.add < 100,
    takes=lambda case: case.split == "train",
    see=see,
    conclude=conclude,
    give=give,
    sound=lambda learned: isinstance(learned.get("add"), list),
)
SCHOOL: Stage[Any, ToyParams] = msgspec.structs.replace(TOY, run_case=work, learn=LEARNING)
CASES = (
    Pupil("MR001_t1-in", (5,)),
    Pupil("MR002_t1-in", (7,)),
    Pupil("MR003_t1-in", (90,), split="val"),
    Pupil("MR004_t1-in", (11,)),
)


@pytest.fixture(autouse=True)
def unseen() -> None:
    SEEN.clear()


def taught(tmp_path: Path, output: str, *cases: Pupil, **more: Any) -> Path:
    run(SCHOOL, ToyParams(), pupils(tmp_path, *cases), tmp_path / output, **more)
    return tmp_path / output


def pupils(tmp_path: Path, *cases: Pupil) -> ToySource:
    return source(tmp_path, *(cases or CASES))


def interrupted(tmp_path: Path, output: str) -> Path:
    stage = msgspec.structs.replace(SCHOOL, run_case=stops)
    with pytest.raises(KeyboardInterrupt):
        run(stage, ToyParams(), pupils(tmp_path), tmp_path / output)
    return tmp_path / output


def learned_in(output: Path) -> dict[str, Any]:
    tool = json.loads((output / "datapackage.json").read_text())["chaosprep"]
    found: dict[str, Any] = tool["learned"]
    return found


def test_it_is_learned_of_those_it_takes_in_the_order_of_their_ids(tmp_path: Path) -> None:
    shuffled = taught(tmp_path, "out", *(CASES[at] for at in (1, 3, 0, 2)))
    assert learned_in(shuffled) == {"add": [5, 7, 11]}
    assert "MR003_t1-in" not in SEEN


def test_every_case_is_given_what_was_learned(tmp_path: Path) -> None:
    made = open_dataset(taught(tmp_path, "out"))
    levels = {case.id: int(case.image(case.slices[0])[0, 0]) for case in made.cases}
    assert levels == {
        "MR001_t1-in": 5 + 23,
        "MR002_t1-in": 7 + 23,
        "MR003_t1-in": 90 + 23,
        "MR004_t1-in": 11 + 23,
    }


def test_the_next_stage_has_it_in_its_history(tmp_path: Path) -> None:
    made = open_dataset(taught(tmp_path, "out"))
    assert made.history[-1].learned == {"add": [5, 7, 11]}


@pytest.mark.parametrize("jobs", [2, 3])
def test_more_processes_give_the_same_bytes(tmp_path: Path, jobs: int) -> None:
    assert snapshot(taught(tmp_path, "a")) == snapshot(taught(tmp_path, "b", jobs=jobs))


def test_parameters_that_ask_for_none_learn_nothing(tmp_path: Path) -> None:
    stage = msgspec.structs.replace(SCHOOL, run_case=make_case)
    run(stage, ToyParams(add=100), pupils(tmp_path), tmp_path / "out")
    tool = json.loads((tmp_path / "out/datapackage.json").read_text())["chaosprep"]
    assert SEEN == []
    assert "learned" not in tool


def test_what_is_finished_is_not_learned_anew(tmp_path: Path) -> None:
    taught(tmp_path, "out")
    SEEN.clear()
    events: list[Event] = []
    taught(tmp_path, "out", on_event=events.append)
    assert [event.kind for event in events] == ["already-done"]
    assert SEEN == []


def test_an_interrupted_run_goes_on_with_what_it_learned(tmp_path: Path) -> None:
    output = interrupted(tmp_path, "out")
    SEEN.clear()
    taught(tmp_path, "out")
    assert SEEN == []
    assert snapshot(output) == snapshot(taught(tmp_path, "whole"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(b"[5,7,11]", b"[5,7,12]"),
        lambda text: b"",
        lambda text: b"[" * 100_000,
    ],
    ids=["torn", "edited", "empty", "deep"],
)
def test_what_was_damaged_is_learned_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    output = interrupted(tmp_path, "out")
    place = output / WORKSPACE / LEARNED
    place.write_bytes(damage(place.read_bytes()))
    SEEN.clear()
    taught(tmp_path, "out")
    assert SEEN == ["MR001_t1-in", "MR002_t1-in", "MR004_t1-in"]
    assert snapshot(output) == snapshot(taught(tmp_path, "whole"))


def test_what_cannot_have_been_learned_is_learned_anew(tmp_path: Path) -> None:
    stage = msgspec.structs.replace(
        SCHOOL,
        run_case=stops,
        learn=msgspec.structs.replace(
            LEARNING,
            conclude=lambda seen, params: {"add": 5},
            give=lambda case, learned: dataclasses.replace(case, learned=0),
        ),
    )
    with pytest.raises(KeyboardInterrupt):
        run(stage, ToyParams(), pupils(tmp_path), tmp_path / "out")
    taught(tmp_path, "out")
    assert learned_in(tmp_path / "out") == {"add": [5, 7, 11]}


def test_another_case_to_learn_from_is_another_thing_learned(tmp_path: Path) -> None:
    output = interrupted(tmp_path, "out")
    changed = (Pupil("MR001_t1-in", (6,)), *CASES[1:])
    taught(tmp_path, "out", *changed)
    assert learned_in(output) == {"add": [6, 7, 11]}
    assert snapshot(output) == snapshot(taught(tmp_path, "whole", *changed))


def test_a_case_that_cannot_be_read_is_told_once_and_left_out(tmp_path: Path) -> None:
    cases = (*CASES, Pupil("MR005_t1-in", (3, -1)))
    output = taught(tmp_path, "out", *cases, on_error="skip")
    assert learned_in(output) == {"add": [5, 7, 11]}
    skipped = open_dataset(output).skipped
    assert [(one.id, one.code) for one in skipped] == [("MR005_t1-in_s001", "broken")]


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_what_was_learned_without_some_is_not_gone_on_with(
    tmp_path: Path, on_error: OnError
) -> None:
    broken = (*CASES, Pupil("MR005_t1-in", (-1, 3)))
    if on_error == "stop":
        with pytest.raises(ProblemsError):
            taught(tmp_path, "out", *broken)
    else:
        stage = msgspec.structs.replace(SCHOOL, run_case=stops)
        with pytest.raises(KeyboardInterrupt):
            run(stage, ToyParams(), pupils(tmp_path, *broken), tmp_path / "out", on_error="skip")
    assert not (tmp_path / "out" / WORKSPACE / LEARNED).exists()


def test_overwriting_learns_anew(tmp_path: Path) -> None:
    taught(tmp_path, "out")
    SEEN.clear()
    taught(tmp_path, "out", overwrite=True)
    assert SEEN == ["MR001_t1-in", "MR002_t1-in", "MR004_t1-in"]


def test_each_shard_learns_of_all_cases_and_they_make_the_same(tmp_path: Path) -> None:
    shards = [taught(tmp_path, f"part{n}", shard=f"{n}/3") for n in (1, 2, 3)]
    assert SEEN == 3 * ["MR001_t1-in", "MR002_t1-in", "MR004_t1-in"]
    merge(shards, tmp_path / "merged")
    assert snapshot(tmp_path / "merged") == snapshot(taught(tmp_path, "whole"))


def test_shards_that_learned_otherwise_are_not_merged(tmp_path: Path) -> None:
    shards = [taught(tmp_path, f"part{n}", shard=f"{n}/2") for n in (1, 2)]
    path = shards[1] / "shard.json"
    told = json.loads(path.read_text())
    told["chaosprep"]["learned"] = {"add": [1]}
    path.write_text(json.dumps(told))
    with pytest.raises(ChaosprepError, match="learned values") as caught:
        merge(shards, tmp_path / "merged")
    assert caught.value.code == "merge-learned"


def test_a_dry_run_learns_and_writes_nothing(tmp_path: Path) -> None:
    root, made = tmp_path / "root", pupils(tmp_path)
    stage = msgspec.structs.replace(SCHOOL, open=lambda path, params, bench: made)
    found = rehearse(stage, ToyParams(), root, tmp_path / "out")
    assert (found.problems, found.error) == ((), None)
    assert found.plan.learned == {"add": [5, 7, 11]}
    assert not (tmp_path / "out").exists()


def test_the_run_says_of_how_many_it_learned(tmp_path: Path) -> None:
    events: list[Event] = []
    taught(tmp_path, "out", on_event=events.append)
    (notes,) = [event.notes for event in events if event.kind == "planned"]
    assert notes == ("learned from 3 cases of the training side",)


def test_every_case_that_is_seen_is_told_before_the_work_begins(tmp_path: Path) -> None:
    events: list[Event] = []
    taught(tmp_path, "out", on_event=events.append)
    told = [(event.kind, event.finished, event.total) for event in events[:4]]
    assert told == [("seen", 1, 3), ("seen", 2, 3), ("seen", 3, 3), ("planned", 0, 4)]
    assert {event.case for event in events[:3]} == {
        case.id for case in CASES if case.split != "val"
    }
