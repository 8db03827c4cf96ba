"""Keys stay as they are when a release adds a parameter or a field with a default."""

import dataclasses
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

import chaosprep
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError
from chaosprep.running.options import Event
from chaosprep.running.runner import run
from chaosprep.running.settings import SETTINGS, begun_with, settings_of
from chaosprep.running.stage import Stage
from chaosprep.series.source import SourceCase
from tests.running.toys import TOY, ToyCase, ToyParams, ToySource, make_case, source, toy_rows

GOOD = (ToyCase("MR001_t1-in"), ToyCase("MR002_t1-in", (3, 4)))
BROKEN = (*GOOD, ToyCase("MR003_t1-in", (-1,)))


class WiderParams(ToyParams, frozen=True, kw_only=True):
    """A later release's, which has one more."""

    angle: Annotated[int, Meta(description="Not used.")] = 0


class WiderSlice(Slice, frozen=True, kw_only=True):
    """A row with a column that a later release adds."""

    contrast: str | None = None


class WiderCase(SourceCase, frozen=True, kw_only=True):
    """A case with a field that a later release adds."""

    ward: dict[str, str] | None = None


def no_path(path: Path, params: WiderParams, bench: object) -> ToySource:
    raise AssertionError("the stage is given its source")


WIDER = Stage(
    name="toy", version=1, params=WiderParams, run_case=make_case, open=no_path, rows=toy_rows
)


def test_settings_are_the_same_with_one_more_default() -> None:
    assert settings_of(WIDER, WiderParams(add=2)) == settings_of(TOY, ToyParams(add=2))


def test_settings_differ_with_any_parameter_the_name_and_the_version() -> None:
    stages = (TOY, msgspec.structs.replace(TOY, name="b"), msgspec.structs.replace(TOY, version=2))
    found = {settings_of(stage, ToyParams(add=add)) for stage in stages for add in (0, 1)}
    assert len(found | {settings_of(WIDER, WiderParams(angle=1))}) == 7


def test_a_case_is_the_same_with_one_more_column(livers: chaosprep.Dataset) -> None:
    case = livers.cases[0]
    wider = tuple(WiderSlice(**msgspec.structs.asdict(row)) for row in case.slices)
    assert dataclasses.replace(case, slices=wider).content() == case.content()
    set_ = (msgspec.structs.replace(wider[0], contrast="late"), *wider[1:])
    assert dataclasses.replace(case, slices=set_).content() != case.content()


def test_a_source_case_is_the_same_with_one_more_field_and_below_another_root() -> None:
    fields = {
        "id": "MR001_t1-in",
        "patient": "MR001",
        "sequence": "t1-in",
        "pool": "train",
        "images": ("a.dcm",),
        "masks": None,
        "rule": "rank",
    }
    case = msgspec.convert({"root": "/here", **fields}, SourceCase)
    wider = msgspec.convert({"root": "/there", **fields}, WiderCase)
    assert wider.content() == case.content()
    assert msgspec.structs.replace(wider, ward={"1": "liver"}).content() != case.content()


def test_a_finished_directory_is_done_for_a_release_with_one_more_parameter(tmp_path: Path) -> None:
    run(TOY, ToyParams(), source(tmp_path, *GOOD), tmp_path / "out")
    events: list[Event] = []
    run(WIDER, WiderParams(), source(tmp_path, *GOOD), tmp_path / "out", on_event=events.append)
    assert [event.kind for event in events] == ["already-done"]
    with pytest.raises(ChaosprepError, match=r"other parameters \(angle 0, now 1\)"):
        run(WIDER, WiderParams(angle=1), source(tmp_path, *GOOD), tmp_path / "out")


@pytest.mark.parametrize(("angle", "done"), [(0, 2), (1, 0)])
def test_an_unfinished_one_is_gone_on_with_while_it_is_not_used(
    tmp_path: Path, angle: int, done: int
) -> None:
    with pytest.raises(ChaosprepError):
        run(TOY, ToyParams(add=3), source(tmp_path, *BROKEN), tmp_path / "out")
    params, events = WiderParams(add=3, angle=angle), list[Event]()
    run(WIDER, params, source(tmp_path, *GOOD), tmp_path / "out", on_event=events.append)
    assert events[0].finished == done


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"stage": "toy"}', b"\xff", b"[" * 50_000])
def test_settings_that_cannot_be_read_are_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / SETTINGS).write_bytes(text)
    mine = settings_of(TOY, ToyParams())
    assert begun_with(tmp_path, TOY, mine) == mine
