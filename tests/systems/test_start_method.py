"""How workers start is a choice of the environment, and one that is checked."""

import multiprocessing

import pytest

from chaosprep.errors import UsageError
from chaosprep.systems.starting import start_method

WAYS = sorted({"forkserver", "spawn"}.intersection(multiprocessing.get_all_start_methods()))


@pytest.mark.parametrize("way", WAYS)
def test_the_environment_chooses(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAOSPREP_START", way)
    assert start_method() == way


@pytest.mark.parametrize("ways", [["fork", "spawn", "forkserver"], ["spawn"]])
def test_without_a_choice_a_server_starts_them_where_there_can_be_one(
    ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHAOSPREP_START", raising=False)
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ways)
    assert start_method() == ways[-1]


@pytest.mark.parametrize("way", ["fork", "swpan"])
def test_an_unknown_way_is_told_with_those_that_there_are(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAOSPREP_START", way)
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["fork", "spawn"])
    with pytest.raises(UsageError) as caught:
        start_method()
    assert caught.value.code == "start-method"
    assert str(caught.value) == (
        f"CHAOSPREP_START: worker processes cannot be started by '{way}'. "
        "Give one of: spawn; or none, for spawn."
    )
