"""The plan says what a run would do, and refuses what it must not do, without writing anything."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chaosprep.errors import ChaosprepError, NothingFoundError, Problem, ProblemsError, UsageError
from chaosprep.running.planning import Plan
from chaosprep.running.request import check_request
from chaosprep.running.runner import run
from chaosprep.running.stage import Stage
from tests.running.toys import (
    SECOND,
    TOY,
    ToyCase,
    ToyParams,
    ToySource,
    handmade,
    make_plan,
    snapshot,
    source,
)

THREE = (ToyCase("MR001_t1-in"), ToyCase("MR002_t1-in"), ToyCase("MR003_t1-in"))


def planned(tmp_path: Path, *cases: ToyCase, **params: Any) -> Plan[ToyCase]:
    return make_plan(TOY, ToyParams(**params), source(tmp_path, *cases), tmp_path / "out")


def counts(plan: Plan[ToyCase]) -> tuple[int, int, int]:
    """How many cases are done, to do, and how many entries are stale."""
    return len(plan.done), len(list(plan.to_do())), plan.stale


def half_done(tmp_path: Path) -> None:
    """Leave an unfinished output: cases 1 and 3 are done, case 2 had a problem, same input."""
    broken = dataclasses.replace(THREE[1], trick="memory")
    with pytest.raises(ProblemsError):
        run(TOY, ToyParams(), source(tmp_path, THREE[0], broken, THREE[2]), tmp_path / "out")


def refused(tmp_path: Path, output: Path) -> str:
    with pytest.raises(ChaosprepError) as caught:
        check_request(TOY, source(tmp_path), output)
    assert str(output) in caught.value.reason
    return caught.value.code


def test_an_empty_output_leaves_everything_to_do(tmp_path: Path) -> None:
    assert counts(planned(tmp_path, *THREE)) == (0, 3, 0)


def test_what_the_journal_holds_is_done_and_a_problem_is_tried_again(tmp_path: Path) -> None:
    half_done(tmp_path)
    plan = planned(tmp_path, *THREE)
    assert counts(plan) == (2, 1, 1)
    assert [case.id for case in plan.to_do()] == ["MR002_t1-in"]


def test_other_parameters_make_every_entry_stale(tmp_path: Path) -> None:
    half_done(tmp_path)
    assert counts(planned(tmp_path, *THREE, add=1)) == (0, 3, 3)


def test_another_version_of_the_stage_makes_every_entry_stale(tmp_path: Path) -> None:
    half_done(tmp_path)
    later = msgspec.structs.replace(TOY, version=2)
    plan = make_plan(later, ToyParams(), source(tmp_path, *THREE), tmp_path / "out")
    assert counts(plan) == (0, 3, 3)


def test_a_case_with_other_rows_or_other_files_is_stale(tmp_path: Path) -> None:
    half_done(tmp_path)
    other_rows = dataclasses.replace(THREE[0], levels=(5,))
    other_files = dataclasses.replace(THREE[2], held="the same names, other bytes")
    assert counts(planned(tmp_path, other_rows, THREE[1], THREE[2])) == (1, 2, 2)
    assert counts(planned(tmp_path, THREE[0], THREE[1], other_files)) == (1, 2, 2)


def test_a_case_whose_file_is_damaged_is_stale(tmp_path: Path) -> None:
    half_done(tmp_path)
    (tmp_path / "out/train/masks/MR003_t1-in_s001.png").write_bytes(b"")
    assert counts(planned(tmp_path, *THREE)) == (1, 2, 2)


def test_entries_of_cases_that_are_not_asked_for_do_not_count(tmp_path: Path) -> None:
    half_done(tmp_path)
    assert counts(planned(tmp_path, THREE[0])) == (1, 0, 0)


def test_overwriting_leaves_everything_to_do(tmp_path: Path) -> None:
    run(TOY, ToyParams(), source(tmp_path, *THREE), tmp_path / "out")
    plan = make_plan(TOY, ToyParams(), source(tmp_path, *THREE), tmp_path / "out", overwrite=True)
    assert (counts(plan), plan.is_committed) == ((0, 3, 0), False)


def test_a_finished_output_leaves_nothing_to_do(tmp_path: Path) -> None:
    run(TOY, ToyParams(), source(tmp_path, *THREE), tmp_path / "out")
    plan = planned(tmp_path, *THREE)
    assert (counts(plan), plan.is_committed) == ((3, 0, 0), True)


def test_planning_writes_nothing(tmp_path: Path) -> None:
    planned(tmp_path, *THREE)
    assert not (tmp_path / "out").exists()
    half_done(tmp_path)
    before = snapshot(tmp_path)
    planned(tmp_path, *THREE)
    assert snapshot(tmp_path) == before


def test_only_the_wanted_patients_are_planned(tmp_path: Path) -> None:
    plan = planned(tmp_path, *THREE, patient=("MR002",))
    assert [case.id for case in plan.cases] == ["MR002_t1-in"]


def test_an_unknown_patient_is_named_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        planned(tmp_path, *THREE, patient=("MR002", "MR009"))
    assert caught.value.reason.startswith("MR009: no such patient")
    assert "MR001, MR002, MR003" in caught.value.remedy


def test_no_case_at_all_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError):
        make_plan(TOY, ToyParams(), ToySource(tmp_path, ()), tmp_path / "out")


def test_a_source_that_has_only_problems_is_planned_so_that_they_are_told(tmp_path: Path) -> None:
    problem = Problem(code="x", id="MR001", reason="it is broken")
    found = ToySource(tmp_path, (), problems=(problem,))
    assert make_plan(TOY, ToyParams(), found, tmp_path / "out").cases == ()


@pytest.mark.parametrize("place", ["root", "root/out", ".", "elsewhere"])
def test_the_output_is_not_the_input_nor_inside_nor_around_it(tmp_path: Path, place: str) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "elsewhere").symlink_to("root")
    assert refused(tmp_path, tmp_path / place) == "output-place"


def test_an_output_with_the_beginning_of_the_inputs_name_is_beside_it(tmp_path: Path) -> None:
    check_request(TOY, source(tmp_path), tmp_path / "root2")


def test_a_file_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    assert refused(tmp_path, tmp_path / "out") == "output"


def test_somebody_elses_directory_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    check_request(TOY, source(tmp_path), tmp_path / "out")
    (tmp_path / "out/thesis.txt").touch()
    assert refused(tmp_path, tmp_path / "out") == "output-foreign"


@pytest.mark.parametrize("text", ['{"name": "chaosprep-phantom", "resources": []}', "", "[]"])
def test_somebody_elses_data_package_is_no_output(tmp_path: Path, text: str) -> None:
    """Overwriting it would remove its descriptor, and its files in `train/images`."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/datapackage.json").write_text(text)
    assert refused(tmp_path, tmp_path / "out") == "output-foreign"


@pytest.mark.parametrize("folder", ["train", "train/images", "val/masks"])
def test_an_output_that_leads_elsewhere_is_refused(tmp_path: Path, folder: str) -> None:
    output = handmade(tmp_path / "out")
    (output / folder).parent.mkdir(exist_ok=True)
    (tmp_path / "elsewhere/images").mkdir(parents=True)
    if (output / folder).exists():
        (output / folder).rename(tmp_path / "old")
    (output / folder).symlink_to(tmp_path / "elsewhere")
    assert refused(tmp_path, output) == "output"


def test_a_damaged_stage_directory_may_be_overwritten(tmp_path: Path) -> None:
    run(TOY, ToyParams(), source(tmp_path), tmp_path / "out")
    text = (tmp_path / "out/datapackage.json").read_bytes()
    (tmp_path / "out/datapackage.json").write_bytes(text[:-20])
    check_request(TOY, source(tmp_path), tmp_path / "out")
    run(TOY, ToyParams(), source(tmp_path), tmp_path / "out", overwrite=True)
    assert (tmp_path / "out/datapackage.json").read_bytes() == text


def differing(tmp_path: Path, stage: Stage[ToyCase, ToyParams] = TOY, **params: Any) -> str:
    """Why a finished output is not that of another request."""
    with pytest.raises(ChaosprepError) as caught:
        make_plan(stage, ToyParams(**params), source(tmp_path, *THREE), tmp_path / "out")
    assert caught.value.code == "output-differs"
    assert "--overwrite" in caught.value.remedy
    return caught.value.reason


def test_a_finished_output_of_another_request_is_refused_with_the_difference(
    tmp_path: Path,
) -> None:
    run(TOY, ToyParams(), source(tmp_path, *THREE), tmp_path / "out")
    assert "add 0, now 4" in differing(tmp_path, add=4)
    assert "seed 7, now 8" in differing(tmp_path, seed=8)
    assert "output of toy" in differing(tmp_path, msgspec.structs.replace(TOY, name="other"))
    assert "(version 1)" in differing(tmp_path, msgspec.structs.replace(TOY, version=2))


@pytest.mark.parametrize(
    "cases",
    [
        THREE[:2],
        (*THREE, ToyCase("MR004_t1-in")),
        (*THREE[:2], dataclasses.replace(THREE[2], held="other bytes")),
        (*THREE[:2], dataclasses.replace(THREE[2], levels=(9,))),
    ],
)
def test_a_finished_output_of_another_input_is_refused(
    tmp_path: Path, cases: tuple[ToyCase, ...]
) -> None:
    run(TOY, ToyParams(), source(tmp_path, *cases), tmp_path / "out")
    assert "its input has changed" in differing(tmp_path)


def test_a_stage_follows_those_that_it_needs(tmp_path: Path) -> None:
    first = run(TOY, ToyParams(), source(tmp_path), tmp_path / "a")
    check_request(SECOND, first, tmp_path / "b")
    other = run(
        msgspec.structs.replace(TOY, name="other"), ToyParams(), source(tmp_path), tmp_path / "c"
    )
    with pytest.raises(UsageError, match="second works on the output of toy"):
        check_request(SECOND, other, tmp_path / "b")


def test_no_stage_is_gone_through_twice(tmp_path: Path) -> None:
    first = run(TOY, ToyParams(), source(tmp_path), tmp_path / "a")
    second = run(SECOND, ToyParams(), first, tmp_path / "b")
    with pytest.raises(UsageError, match=r"went through second already \(toy > second\)"):
        check_request(SECOND, second, tmp_path / "c")


def test_the_parameters_are_recorded_as_json_gives_them_back(tmp_path: Path) -> None:
    params = ToyParams(add=1, patient=("MR001",))
    run(TOY, params, source(tmp_path, *THREE), tmp_path / "out")
    descriptor = json.loads((tmp_path / "out/datapackage.json").read_bytes())
    assert descriptor["chaosprep"]["parameters"] == msgspec.to_builtins(params) | {
        "patient": ["MR001"]
    }
    assert make_plan(TOY, params, source(tmp_path, *THREE), tmp_path / "out").is_committed
