"""How a stage is run: one class, checked where it is made, taken whole or by keywords."""

from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep.errors import UsageError
from chaosprep.running.options import Event, RunOptions
from chaosprep.running.runner import run

from .toys import TOY, ToyParams, source


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"jobs": 0}, "jobs: 0 workers are too few"),
        ({"shard": "3/2"}, "shard: '3/2' is not I/N"),
    ],
)
def test_options_that_cannot_be_met_are_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        RunOptions(**fields)


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"on_error": "sotp"}, r"on_error: must be one of skip, stop \(given: 'sotp'\)"),
        ({"jobs": "2"}, "jobs: must be a whole number"),
        ({"job": 2}, r"job: no such parameter\..* Did you mean jobs\?"),
    ],
)
def test_a_wrong_keyword_of_run_is_named_and_nothing_is_written(
    tmp_path: Path, keywords: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        run(TOY, ToyParams(), source(tmp_path), tmp_path / "out", **keywords)
    assert caught.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_keywords_go_before_the_options_that_are_given_whole(tmp_path: Path) -> None:
    events: list[Event] = []
    options = RunOptions(on_event=events.append, shard="1/2")
    made = chaosprep.run(TOY, ToyParams(), source(tmp_path), tmp_path / "out", options, shard="2/2")
    assert made.shard is not None
    assert made.shard.index == 2
    assert [event.kind for event in events] == ["planned", "done", "committed"]
