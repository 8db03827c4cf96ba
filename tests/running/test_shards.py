"""A shard works on its part of the plan that the whole run has, and is never taken for one."""

from pathlib import Path

import pytest

from chaosprep.dataset.opening import open_dataset, open_shard
from chaosprep.errors import ChaosprepError, ManifestError, Problem, ProblemsError, UsageError
from chaosprep.running.options import Event
from chaosprep.running.runner import run
from chaosprep.running.shards import Part, parse_part
from chaosprep.running.stage import Planned, Stage
from tests.running.toys import (
    SECOND,
    TOY,
    Counted,
    ToyCase,
    ToyParams,
    make_case,
    make_plan,
    no_path,
    snapshot,
    source,
)

CASES = tuple(ToyCase(f"MR{number:03d}_t1-in") for number in range(1, 8))


def shard(tmp_path: Path, part: str, *cases: ToyCase, **more: object) -> Path:
    output = tmp_path / f"part-{part.replace('/', '-of-')}"
    run(TOY, ToyParams(), source(tmp_path, *(cases or CASES)), output, shard=part, **more)  # type: ignore[arg-type]
    return output


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "-1/3", "1/0", "a/b", "1/3/5", "1.0/3"])
def test_a_shard_that_is_not_i_of_n_is_a_usage_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        run(TOY, ToyParams(), source(tmp_path), tmp_path / "out", shard=text)
    assert caught.value.code == "shard"
    assert not (tmp_path / "out").exists()


def test_every_nth_case_belongs_to_a_part_and_each_to_one() -> None:
    assert list(parse_part("2/3").of("abcdefgh")) == ["b", "e", "h"]
    for count in range(1, 12):
        parts = [Part(index, count).of(range(7)) for index in range(1, count + 1)]
        assert sorted(case for part in parts for case in part) == list(range(7))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_cases_of_a_part_slice_like_a_sequence() -> None:
    part = Part(1, 2).of("abcde")
    assert (part[1:], part[-1]) == (["c", "e"], "e")


def test_a_shard_does_the_work_of_its_cases_only(tmp_path: Path) -> None:
    counted = Counted()
    run(counted.stage, ToyParams(), source(tmp_path, *CASES), tmp_path / "out", shard="2/3")
    assert counted.calls == ["MR002_t1-in", "MR005_t1-in"]
    found = open_shard(tmp_path / "out")
    assert [case.id for case in found.cases] == counted.calls
    assert found.shard is not None
    assert (found.shard.index, found.shard.count) == (2, 3)
    assert found.manifest == tmp_path / "out/shard.json"


def alternate(source: object, cases: object, params: ToyParams) -> Planned[ToyCase]:
    """A plan that needs all cases at once: the second half validates."""
    ids = sorted(case.id for case in cases)  # type: ignore[attr-defined]
    late = set(ids[len(ids) // 2 :])

    def complete(case: ToyCase) -> ToyCase:
        return ToyCase(case.id, case.levels, "val" if case.id in late else "train")

    return Planned(complete)


def test_what_is_decided_over_all_cases_is_decided_as_without_shards(tmp_path: Path) -> None:
    stage = Stage("toy", 1, ToyParams, make_case, no_path, plan=alternate)
    run(stage, ToyParams(), source(tmp_path, *CASES), tmp_path / "whole")
    whole = {row.id: row.split for row in open_dataset(tmp_path / "whole").slices}
    found: dict[str, str] = {}
    for index in (1, 2, 3):
        output = tmp_path / str(index)
        run(stage, ToyParams(), source(tmp_path, *CASES), output, shard=f"{index}/3")
        found |= {row.id: row.split for row in open_shard(output).slices}
    assert found == whole


def test_a_shard_is_refused_where_a_stage_directory_is_wanted(tmp_path: Path) -> None:
    part = shard(tmp_path, "1/3")
    with pytest.raises(ManifestError, match="shard 1 of 3, not a whole stage") as caught:
        open_dataset(part)
    assert caught.value.code == "shard"
    assert "Merge the shards first" in caught.value.remedy
    with pytest.raises(ManifestError) as caught:
        run(SECOND, ToyParams(), part, tmp_path / "second")
    assert caught.value.code == "shard"


def test_a_stage_directory_is_no_shard(tmp_path: Path) -> None:
    run(TOY, ToyParams(), source(tmp_path), tmp_path / "out")
    with pytest.raises(ManifestError) as caught:
        open_shard(tmp_path / "out")
    assert caught.value.code == "not-a-shard"


def test_a_shard_without_cases_is_a_finished_one(tmp_path: Path) -> None:
    part = shard(tmp_path, "9/9")
    assert len(open_shard(part)) == 0


def test_a_finished_shard_is_not_done_again(tmp_path: Path) -> None:
    part, before, events = shard(tmp_path, "1/3"), {}, list[Event]()
    before = snapshot(part)
    shard(tmp_path, "1/3", on_event=events.append)
    assert [event.kind for event in events] == ["already-done"]
    assert snapshot(part) == before


@pytest.mark.parametrize("other", ["2/3", "1/4", None])
def test_another_part_does_not_go_into_the_directory_of_a_shard(
    tmp_path: Path, other: str | None
) -> None:
    part = shard(tmp_path, "1/3")
    with pytest.raises(ChaosprepError, match="it holds shard 1 of 3") as caught:
        run(TOY, ToyParams(), source(tmp_path, *CASES), part, shard=other)
    assert caught.value.code == "output-differs"


def test_a_shard_does_not_go_into_a_stage_directory(tmp_path: Path) -> None:
    run(TOY, ToyParams(), source(tmp_path, *CASES), tmp_path / "out")
    with pytest.raises(ChaosprepError, match="it holds every case, not a shard"):
        run(TOY, ToyParams(), source(tmp_path, *CASES), tmp_path / "out", shard="1/3")


def test_overwrite_makes_a_stage_directory_of_a_shard(tmp_path: Path) -> None:
    part = shard(tmp_path, "1/3")
    run(TOY, ToyParams(), source(tmp_path, *CASES), part, overwrite=True)
    run(TOY, ToyParams(), source(tmp_path, *CASES), tmp_path / "whole")
    assert snapshot(part) == snapshot(tmp_path / "whole")


def test_an_interrupted_shard_goes_on(tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop(event: Event) -> None:
        if event.finished == 1 and event.kind == "done":
            raise StopError

    with pytest.raises(StopError):
        shard(tmp_path, "1/3", on_event=stop)
    counted = Counted()
    output = tmp_path / "part-1-of-3"
    with pytest.raises(ManifestError, match="an unfinished shard"):
        open_shard(output)
    run(counted.stage, ToyParams(), source(tmp_path, *CASES), output, shard="1/3")
    assert counted.calls == ["MR004_t1-in", "MR007_t1-in"]


def test_a_problem_stops_the_shard_that_has_it_and_no_other(tmp_path: Path) -> None:
    cases = (*CASES[:6], ToyCase("MR007_t1-in", (1, -1)))
    shard(tmp_path, "2/3", *cases)
    with pytest.raises(ProblemsError, match="1 problem, nothing was committed"):
        shard(tmp_path, "1/3", *cases)
    assert not (tmp_path / "part-1-of-3/shard.json").exists()


def test_a_problem_of_the_source_stops_every_shard(tmp_path: Path) -> None:
    lost = Problem(code="lost", id="MR009", reason="it is lost")
    for part in ("1/2", "2/2"):
        with pytest.raises(ProblemsError) as caught:
            run(
                TOY,
                ToyParams(),
                source(tmp_path, *CASES, problems=(lost,)),
                tmp_path / part,
                shard=part,
            )
        assert caught.value.problems == (lost,)


def test_a_dry_run_counts_the_cases_of_the_shard(tmp_path: Path) -> None:
    plan = make_plan(TOY, ToyParams(), source(tmp_path, *CASES), tmp_path / "out", part=Part(3, 3))
    assert [case.id for case in plan.to_do()] == ["MR003_t1-in", "MR006_t1-in"]
