"""Files that others have open for a moment are removed and renamed a moment later."""

import errno
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chaosprep.errors import OutputError
from chaosprep.files import write_durably, writing
from chaosprep.systems import links, modes, opening
from chaosprep.systems.replacing import remove_tree, rename, replace, unlink
from tests.systems.shim import refusal

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the rules are kept by /proc")
Sleeps = list[float]


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> Sleeps:
    slept: Sleeps = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def busy(monkeypatch: pytest.MonkeyPatch, name: str, times: int) -> None:
    """Refuse a method of paths so many times, as where a virus scanner looks at the file."""
    method, left = getattr(Path, name), [times]

    def first(self: Path, *more: object, **named: object) -> object:
        left[0] -= 1
        if left[0] >= 0:
            raise refusal(32, self)
        return method(self, *more, **named)

    monkeypatch.setattr(Path, name, first)


@pytest.mark.parametrize("name", ["rename", "replace", "unlink"])
def test_what_is_open_for_a_moment_is_tried_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sleeps: Sleeps
) -> None:
    (tmp_path / "a").write_bytes(b"a")
    busy(monkeypatch, name, 3)
    calls: dict[str, Callable[[], None]] = {
        "rename": lambda: rename(tmp_path / "a", tmp_path / "b"),
        "replace": lambda: replace(tmp_path / "a", tmp_path / "b"),
        "unlink": lambda: unlink(tmp_path / "a"),
    }
    calls[name]()
    assert not (tmp_path / "a").exists()
    assert len(sleeps) == 3


def test_what_stays_open_is_given_up_after_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sleeps: Sleeps
) -> None:
    busy(monkeypatch, "unlink", 1000)
    with pytest.raises(PermissionError):
        unlink(tmp_path / "a")
    assert 0.5 < sum(sleeps) < 2


def test_no_other_refusal_is_waited_for(tmp_path: Path, sleeps: Sleeps) -> None:
    with pytest.raises(FileNotFoundError):
        unlink(tmp_path / "none")
    unlink(tmp_path / "none", missing_ok=True)
    with pytest.raises(FileNotFoundError):
        replace(tmp_path / "none", tmp_path / "b")
    with pytest.raises(FileNotFoundError):
        remove_tree(tmp_path / "none")
    assert sleeps == []


def test_an_output_that_another_has_open_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sleeps: Sleeps
) -> None:
    busy(monkeypatch, "replace", 1000)
    with pytest.raises(OutputError) as caught:
        write_durably(tmp_path / "a", b"a")
    assert caught.value.remedy.startswith("Close what has it open")
    monkeypatch.undo()
    assert [*tmp_path.iterdir()] == []


def test_a_path_that_is_too_long_is_told_with_its_length(tmp_path: Path) -> None:
    long = tmp_path / ("a" * 300)
    with pytest.raises(OutputError) as caught, writing(tmp_path):
        raise refusal(206, str(long))
    assert f"a path there has {len(str(long))} letters, and the system takes 259" in str(
        caught.value
    )
    assert caught.value.remedy.startswith("Give it a shorter name")


@on_linux
@pytest.mark.usefixtures("windows")
def test_a_folder_takes_the_place_of_an_empty_one_everywhere(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/file").write_bytes(b"")
    (tmp_path / "b").mkdir()
    rename(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b/file").exists()


@on_linux
@pytest.mark.usefixtures("windows")
def test_a_file_takes_no_place_that_is_taken(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
    with pytest.raises(FileExistsError):
        rename(tmp_path / "a", tmp_path / "b")


@on_linux
@pytest.mark.usefixtures("windows")
def test_the_rules_forbid_what_windows_forbids(tmp_path: Path) -> None:
    """The simulation itself."""
    file, folder = tmp_path / "folder/a", tmp_path / "folder"
    folder.mkdir()
    with file.open("wb"):
        for call in (file.unlink, lambda: file.rename(tmp_path / "b")):
            with pytest.raises(PermissionError) as caught:
                call()
            assert caught.value.winerror == 32  # type: ignore[attr-defined, unused-ignore]
        with pytest.raises(PermissionError):
            folder.rename(tmp_path / "other")
        (tmp_path / "b").write_bytes(b"")
        with pytest.raises(PermissionError):
            (tmp_path / "b").replace(file)
    file.unlink()


def test_a_file_system_without_links_takes_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"a")

    def refuse(*names: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert not links.hard_link(tmp_path / "a", tmp_path / "b")
    assert not links.hard_link_new(tmp_path / "a", tmp_path / "b")


def test_a_link_takes_no_name_that_is_taken(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
    with pytest.raises(FileExistsError):
        links.hard_link_new(tmp_path / "a", tmp_path / "b")


def test_without_the_privilege_there_is_no_symbolic_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise refusal(1314, target)

    monkeypatch.setattr(Path, "symlink_to", refuse)
    assert not links.symbolic_link(tmp_path / "a", tmp_path / "b")


def test_where_modes_say_nothing_no_file_is_said_to_be_open_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_bytes(b"k" * 32)
    (tmp_path / "key").chmod(0o644)
    assert modes.others_read(tmp_path / "key")
    monkeypatch.setattr(modes, "_HAS_MODES", False)
    assert not modes.others_read(tmp_path / "key")


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_a_link_is_not_followed_where_the_system_cannot_say_so(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"a")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    monkeypatch.setattr(opening, "_NO_LINK", None)
    flags = os.O_RDWR
    if kind == "link":
        with pytest.raises(OSError, match="link") as caught:
            opening.open_itself(tmp_path / kind, flags)
        assert caught.value.errno == errno.ELOOP
    elif kind == "folder":
        with pytest.raises(IsADirectoryError):
            opening.open_itself(tmp_path / kind, flags)
    else:
        os.close(opening.open_itself(tmp_path / kind, flags))
