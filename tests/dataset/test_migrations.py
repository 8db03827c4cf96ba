"""What was renamed is found under its old name, wherever it was written down."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Meta

import chaosprep
from chaosprep.dataset import migrations
from chaosprep.dataset.descriptor import MANIFEST_MINOR
from chaosprep.dataset.migrations import Record
from chaosprep.errors import ChaosprepError
from chaosprep.formats.codecs import PngParams
from chaosprep.running.options import Event
from chaosprep.running.runner import run
from chaosprep.running.stage import CaseResult, Stage
from chaosprep.running.writer import Writer
from chaosprep.stage_table import STAGES, load_stage
from tests.running.toys import (
    TOY,
    ToyCase,
    ToyParams,
    ToySource,
    make_case,
    snapshot,
    source,
    toy_rows,
)

GOOD = (ToyCase("MR001_t1-in"), ToyCase("MR002_t1-in", (3, 4)))
BROKEN = (*GOOD, ToyCase("MR003_t1-in", (-1,)))


class RenamedParams(PngParams, frozen=True, kw_only=True):
    """`add` is called `plus` now, and `twice` is new."""

    plus: Annotated[int, Meta(description="Added to every level.")] = 0
    seed: Annotated[int, Meta(description="Not used.")] = 7
    twice: Annotated[bool, Meta(description="Add it twice.")] = False


def make_renamed(case: ToyCase, params: RenamedParams, writer: Writer) -> CaseResult:
    return make_case(case, ToyParams(add=params.plus * (1 + params.twice)), writer)


def no_source(path: Path, params: RenamedParams, bench: object) -> ToySource:
    raise AssertionError("the stage is given its source")


LATER = Stage(
    name="toy",
    version=1,
    params=RenamedParams,
    run_case=make_renamed,
    open=no_source,
    rows=toy_rows,
)


def renamed(old: str, new: str, stage: str) -> Callable[[Record], Record]:
    """A migration that gives a stage's parameter another name."""

    def change(record: Record) -> Record:
        parameters = dict(record["parameters"])
        if record["stage"] == stage and old in parameters:
            parameters[new] = parameters.pop(old)
        return record | {"parameters": parameters}

    return change


@pytest.fixture
def migrate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Add a migration of the next minor version to the table."""

    def add(*changes: Callable[[Record], Record]) -> None:
        table = tuple((MANIFEST_MINOR + 1, change) for change in changes)
        monkeypatch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS + table)

    return add


def rewrite(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the `chaosprep` part of a descriptor."""
    path = directory / "datapackage.json"
    descriptor = json.loads(path.read_bytes())
    change(descriptor["chaosprep"])
    path.write_text(json.dumps(descriptor))


def test_a_directory_with_a_renamed_parameter_is_already_done(
    tmp_path: Path, migrate: Callable[..., None]
) -> None:
    run(TOY, ToyParams(add=5), source(tmp_path, *GOOD), tmp_path / "out")
    before = snapshot(tmp_path / "out")
    migrate(renamed("add", "plus", "toy"))
    events: list[Event] = []
    params = RenamedParams(plus=5)
    run(LATER, params, source(tmp_path, *GOOD), tmp_path / "out", on_event=events.append)
    assert [event.kind for event in events] == ["already-done"]
    assert snapshot(tmp_path / "out") == before


def test_without_its_migration_the_old_name_is_named(tmp_path: Path) -> None:
    run(TOY, ToyParams(add=5), source(tmp_path, *GOOD), tmp_path / "out")
    with pytest.raises(ChaosprepError, match="the parameter add of toy"):
        run(LATER, RenamedParams(plus=5), source(tmp_path, *GOOD), tmp_path / "out")


def test_another_value_of_a_renamed_parameter_is_told_by_its_new_name(
    tmp_path: Path, migrate: Callable[..., None]
) -> None:
    run(TOY, ToyParams(add=5), source(tmp_path, *GOOD), tmp_path / "out")
    migrate(renamed("add", "plus", "toy"))
    with pytest.raises(ChaosprepError, match=r"other parameters \(plus 5, now 6\)"):
        run(LATER, RenamedParams(plus=6), source(tmp_path, *GOOD), tmp_path / "out")


def stopped(tmp_path: Path) -> None:
    """A run that finished two cases and stopped at the third."""
    with pytest.raises(ChaosprepError):
        run(TOY, ToyParams(add=5), source(tmp_path, *BROKEN), tmp_path / "out")


def finished_before(tmp_path: Path, params: RenamedParams) -> int:
    """Go on with it; the cases that were not done again."""
    events: list[Event] = []
    run(LATER, params, source(tmp_path, *GOOD), tmp_path / "out", on_event=events.append)
    return events[0].finished


def test_an_unfinished_run_goes_on_under_the_new_name(
    tmp_path: Path, migrate: Callable[..., None]
) -> None:
    stopped(tmp_path)
    migrate(renamed("add", "plus", "toy"))
    assert finished_before(tmp_path, RenamedParams(plus=5)) == 2
    run(LATER, RenamedParams(plus=5), source(tmp_path, *GOOD), tmp_path / "whole")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "whole")


def test_another_value_begins_an_unfinished_run_anew(
    tmp_path: Path, migrate: Callable[..., None]
) -> None:
    stopped(tmp_path)
    migrate(renamed("add", "plus", "toy"))
    assert finished_before(tmp_path, RenamedParams(plus=6)) == 0


def test_a_new_parameter_that_is_used_begins_an_unfinished_run_anew(
    tmp_path: Path, migrate: Callable[..., None]
) -> None:
    stopped(tmp_path)
    migrate(renamed("add", "plus", "toy"))
    assert finished_before(tmp_path, RenamedParams(plus=5, twice=True)) == 0


def test_copies_are_made_again_from_a_renamed_parameter(
    images: chaosprep.Dataset, tmp_path: Path, migrate: Callable[..., None]
) -> None:
    made = chaosprep.augment(images, tmp_path / "out", keep_label=0.5)

    def as_before(tool: dict[str, Any]) -> None:
        tool["parameters"]["least_label"] = tool["parameters"].pop("keep_label")

    rewrite(made.directory, as_before)
    with pytest.raises(ChaosprepError, match="the parameter least_label of augment"):
        chaosprep.verify(made.directory, replay="all")
    migrate(renamed("least_label", "keep_label", "augment"))
    assert chaosprep.verify(made.directory, replay="all").faults == ()


def test_a_renamed_stage_is_found_in_the_history(
    images: chaosprep.Dataset, tmp_path: Path, migrate: Callable[..., None]
) -> None:
    directory = Path(shutil.copytree(images.directory, tmp_path / "images"))

    def as_before(tool: dict[str, Any]) -> None:
        for record in (tool, *tool["history"]):
            record["stage"] = record["stage"].replace("convert", "window")

    rewrite(directory, as_before)
    with pytest.raises(ChaosprepError, match="augment works on the output of convert"):
        chaosprep.augment(directory, tmp_path / "out")
    migrate(lambda one: one | {"stage": one["stage"].replace("window", "convert")})
    made = chaosprep.augment(directory, tmp_path / "out")
    assert [past.stage for past in made.history][-2:] == ["convert", "augment"]


def test_a_renamed_field_of_the_record_is_read(
    images: chaosprep.Dataset, tmp_path: Path, migrate: Callable[..., None]
) -> None:
    directory = Path(shutil.copytree(images.directory, tmp_path / "images"))

    def as_before(tool: dict[str, Any]) -> None:
        tool["seed_of_all"] = tool.pop("seed")

    def change(record: Record) -> Record:
        record = dict(record)
        if "seed_of_all" in record:
            record["seed"] = record.pop("seed_of_all")
        return record

    rewrite(directory, as_before)
    migrate(change)
    assert chaosprep.open(directory).made == images.made


def test_every_stage_is_known_by_its_parameters() -> None:
    for name in STAGES:
        assert migrations.params_of(name) is load_stage(name).params
    assert migrations.params_of("denoise") is None
