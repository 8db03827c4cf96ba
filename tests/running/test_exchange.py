"""How a folder takes its name: with the system's exchange of two names, and without."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from chaosprep.running import exchange
from chaosprep.running.exchange import bring_back, rename_new, take_name
from chaosprep.systems import flushing
from chaosprep.systems.flushing import flush_folder

BY_HAND = ("no call", "no such operation")


@pytest.fixture(params=("the system", *BY_HAND))
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The three ways: an exchange, none in the C library, and a file system that knows none."""

    def refuse(*arguments: object) -> int:
        ctypes.set_errno(22)
        return -1

    way: str = request.param
    found: dict[str, Callable[[str], object]] = {
        "no call": lambda name: None,
        "no such operation": lambda name: refuse if name == "renameat2" else None,
    }
    if way in found:
        monkeypatch.setattr(exchange, "system_call", found[way])
    return way


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with a new folder in it."""
    (tmp_path / "workspace/new").mkdir(parents=True)
    (tmp_path / "workspace/new/file").write_text("new")
    return tmp_path / "workspace"


def earlier(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/file").write_text("old")
    return tmp_path / "out"


def test_a_name_that_is_free_is_taken(workspace: Path, tmp_path: Path, way: str) -> None:
    take_name(workspace / "new", tmp_path / "out")
    assert (tmp_path / "out/file").read_text() == "new"
    assert list(workspace.iterdir()) == []


def test_an_empty_folder_makes_way(workspace: Path, tmp_path: Path, way: str) -> None:
    (tmp_path / "out").mkdir()
    take_name(workspace / "new", tmp_path / "out")
    assert (tmp_path / "out/file").read_text() == "new"


def test_what_is_replaced_lies_in_the_room(workspace: Path, tmp_path: Path, way: str) -> None:
    take_name(workspace / "new", earlier(tmp_path))
    assert (tmp_path / "out/file").read_text() == "new"
    left = {path.name: (path / "file").read_text() for path in workspace.iterdir()}
    assert left == {"new.old" if way in BY_HAND else "new": "old"}


def test_with_an_exchange_the_name_is_never_free(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if flushing.system_call("renameat2") is None:
        pytest.skip("no exchange here")
    monkeypatch.setattr(Path, "rename", lambda *_: pytest.fail("renamed in steps"))
    take_name(workspace / "new", earlier(tmp_path))
    assert (tmp_path / "out/file").read_text() == "new"


def test_a_folder_that_cannot_take_the_name_leaves_the_earlier_one(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, out = Path.rename, earlier(tmp_path)

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(exchange, "system_call", lambda name: None)
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="No space"):
        take_name(workspace / "new", out)
    assert (out / "file").read_text() == "old"
    assert [path.name for path in workspace.iterdir()] == ["new"]


@pytest.mark.parametrize("is_empty_there", [False, True])
def test_what_a_killed_run_set_aside_gets_its_name_again(
    workspace: Path, tmp_path: Path, is_empty_there: bool
) -> None:
    earlier(tmp_path).rename(workspace / "new.old")
    if is_empty_there:
        (tmp_path / "out").mkdir()
    assert bring_back(workspace, tmp_path / "out") == []
    assert (tmp_path / "out/file").read_text() == "old"


def test_what_has_the_name_by_now_keeps_it(workspace: Path, tmp_path: Path) -> None:
    (workspace / "new.old").mkdir()
    out = earlier(tmp_path)
    assert bring_back(workspace, out) == [workspace / "new.old"]
    assert (out / "file").read_text() == "old"


def test_a_file_takes_a_name_that_nothing_has(tmp_path: Path, way: str) -> None:
    (tmp_path / "a").write_text("mine")
    rename_new(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "mine"


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_a_file_takes_no_name_that_something_has(tmp_path: Path, way: str, kind: str) -> None:
    (tmp_path / "a").write_text("mine")
    if kind == "file":
        (tmp_path / "b").write_text("theirs")
    elif kind == "link":
        (tmp_path / "b").symlink_to("nowhere")
    else:
        (tmp_path / "b").mkdir()
    with pytest.raises(FileExistsError):
        rename_new(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_text() == "mine"


def test_a_folder_is_flushed_file_by_file_where_the_system_cannot_at_once(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "system_call", lambda name: None)
    check_each(workspace / "new", monkeypatch, 100)


def check_each(folder: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Each of so many files is flushed by itself."""
    flushed = []
    files = [folder / "file", *(folder / f"deep/{number}" for number in range(1, count))]
    (folder / "deep").mkdir()
    for file in files:
        file.write_text("new")
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(os.fstat(handle).st_ino))
    flush_folder(folder)
    assert sorted(flushed) == sorted(file.stat().st_ino for file in files)


def test_a_few_files_do_not_wait_for_whatever_others_write(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "system_call", lambda name: lambda handle: pytest.fail(name))
    check_each(workspace / "new", monkeypatch, 32)


def test_a_disk_that_loses_what_was_written_is_told(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(handle: int) -> int:
        ctypes.set_errno(5)
        return -1

    for number in range(100):
        (workspace / str(number)).touch()
    monkeypatch.setattr(flushing, "system_call", lambda name: lose)
    with pytest.raises(OSError, match="Input/output error"):
        flush_folder(workspace)
