"""The hidden folder of an output: held by one run, with what runs keep there and nothing else."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chaosprep.errors import ChaosprepError
from chaosprep.running.claim import SupersededError, end_claims, make_claim
from chaosprep.running.journal import Journal
from chaosprep.running.kept import open_kept
from chaosprep.running.lock import locked
from chaosprep.running.settings import begun_with, keep_settings
from chaosprep.running.workspace import Workspace
from tests.running.toys import TOY, handmade

HEX = "0123456789abcdef" * 2
OURS = ("lock", "journal.jsonl", "settings.json", f"run-{HEX}", f".{HEX}.part", ".nfs00a1")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.inside(tmp_path / "out")


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file of somebody, outside of every output."""
    (tmp_path / "precious").write_bytes(b"precious")
    return tmp_path / "precious"


def told(path: Path) -> tuple[bytes, int, int]:
    """All that must not change of a file."""
    return path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_nlink


def refused(workspace: Workspace) -> str:
    """Why it is refused, by each way in."""
    with pytest.raises(ChaosprepError) as looked:
        workspace.check()
    with pytest.raises(ChaosprepError) as caught, workspace.held():
        pass
    assert looked.value.code == caught.value.code == "workspace"
    assert looked.value.text == caught.value.text
    return caught.value.reason


def test_it_stands_inside_a_stage_directory_and_beside_anything_else(tmp_path: Path) -> None:
    assert Workspace.inside(tmp_path / "out").path == tmp_path / "out/.chaosprep"
    assert Workspace.beside(tmp_path / "x.html").path == tmp_path / ".x.html.chaosprep"


@pytest.mark.parametrize("letter", ["a", "ä"])
def test_beside_a_long_name_it_has_one_that_a_file_system_takes(
    tmp_path: Path, letter: str
) -> None:
    names = set()
    for ending in ("x", "y"):
        output = tmp_path / (letter * (254 // len(letter.encode())) + ending)
        with Workspace.beside(output).held():
            names |= {path.name for path in tmp_path.iterdir()}
    assert len(names) == 2


def test_it_is_there_while_it_is_held_and_after_it(workspace: Workspace) -> None:
    with workspace.held():
        assert (workspace.path / "lock").read_text() == f"{os.getpid()}\n"
    assert (workspace.path / "lock").exists()


def test_it_is_held_once(workspace: Workspace) -> None:
    with workspace.held():
        with pytest.raises(ChaosprepError) as caught, workspace.held():
            pass
        assert caught.value.code == "locked"
        assert caught.value.reason == (
            f"{workspace.output}: process {os.getpid()} is writing there"
        )


def test_what_runs_keep_there_is_taken_and_cleared(workspace: Workspace) -> None:
    with workspace.held():
        for name in OURS:
            (workspace.path / name).touch()
        for name in (HEX, f"{HEX}.old"):
            (workspace.path / name / "deep").mkdir(parents=True)
            (workspace.path / name / "deep/file").touch()
    with workspace.held():
        workspace.sweep()
        assert sorted(path.name for path in workspace.path.iterdir()) == [".nfs00a1", "lock"]
        (workspace.path / ".nfs00a1").unlink()
        workspace.clear()
    assert not workspace.path.exists()


def test_what_the_file_system_keeps_until_the_lock_is_closed_is_no_matter(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS gives a removed file that is open another name, and removes that when it is closed."""
    close = os.close
    with workspace.held():
        workspace.clear()
        workspace.path.mkdir()
        (workspace.path / ".nfs0042").touch()

        def close_and_remove(handle: int) -> None:
            close(handle)
            (workspace.path / ".nfs0042").unlink(missing_ok=True)

        monkeypatch.setattr(os, "close", close_and_remove)
    monkeypatch.undo()
    assert not workspace.path.exists()


def test_a_run_that_was_killed_between_its_lock_and_the_folder_leaves_one_to_hold(
    workspace: Workspace,
) -> None:
    workspace.path.mkdir(parents=True)
    with workspace.held():
        workspace.clear()
    assert not workspace.path.exists()


STRANGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a symbolic link": (lambda path: path.symlink_to("elsewhere"), "it is a symbolic link, "),
    "a link to nowhere": (lambda path: path.symlink_to("nowhere"), "it is a symbolic link, "),
    "a link to itself": (lambda path: path.symlink_to(path.name), "it is a symbolic link, "),
    "a file": (Path.touch, "it is not a folder, "),
    "a FIFO": (os.mkfifo, "it is not a folder, "),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_a_workspace_that_is_no_folder_is_refused(workspace: Workspace, kind: str) -> None:
    make, reason = STRANGE[kind]
    (workspace.output / "elsewhere").mkdir(parents=True)
    make(workspace.path)
    assert refused(workspace) == (f"{workspace.path}: {reason}and a run keeps its own files there")
    assert list((workspace.output / "elsewhere").iterdir()) == []


def listen(path: Path) -> None:
    """A socket with a short name (a long one does not fit its address)."""
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


IN_IT: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "a symbolic link": (lambda path, to: path.symlink_to(to), "it is a symbolic link"),
    "a link to nowhere": (lambda path, to: path.symlink_to("no"), "it is a symbolic link"),
    "a hard link": (
        lambda path, to: path.hardlink_to(to),
        "it is a hard link to a file that has another name",
    ),
    "a FIFO": (lambda path, to: os.mkfifo(path), "it is not a regular file"),
    "a socket": (lambda path, to: listen(path), "it is not a regular file"),
    "a folder": (lambda path, to: path.mkdir(), "it is not what a run keeps there"),
}


@pytest.mark.parametrize("kind", IN_IT)
@pytest.mark.parametrize("name", OURS)
def test_what_stands_where_a_file_of_it_goes_is_refused_and_not_touched(
    workspace: Workspace, precious: Path, kind: str, name: str
) -> None:
    make, reason = IN_IT[kind]
    workspace.path.mkdir(parents=True)
    make(workspace.path / name, precious)
    before = told(precious)
    assert refused(workspace) == f"{workspace.path / name}: {reason}"
    assert told(precious) == before
    assert [path.name for path in workspace.path.iterdir()] == [name]


@pytest.mark.parametrize(
    "name", ["notes.txt", "run-1", f"run-{HEX.upper()}", f"{HEX}.part", "journal.jsonl.part", HEX]
)
def test_a_file_with_a_name_that_no_run_gives_is_refused(workspace: Workspace, name: str) -> None:
    workspace.path.mkdir(parents=True)
    (workspace.path / name).write_text("mine")
    assert refused(workspace) == f"{workspace.path / name}: it is not what a run keeps there"
    assert (workspace.path / name).read_text() == "mine"


def test_a_folder_that_is_a_link_is_never_emptied(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").touch()
    workspace.path.mkdir(parents=True)
    (workspace.path / HEX).symlink_to(tmp_path / "elsewhere")
    assert refused(workspace) == f"{workspace.path / HEX}: it is a symbolic link"
    assert (tmp_path / "elsewhere/file").exists()


@pytest.mark.parametrize("kind", ["a symbolic link", "a hard link", "a FIFO"])
def test_each_file_of_it_is_opened_without_following(
    tmp_path: Path, precious: Path, kind: str
) -> None:
    """Also where somebody puts a link there after the look at the whole."""
    before = told(precious)
    ways: dict[str, Callable[[], object]] = {
        "journal.jsonl": lambda: Journal(tmp_path / "journal.jsonl").__enter__(),
        "settings.json": lambda: begun_with(tmp_path, TOY, b"{}"),
    }
    for name, use in ways.items():
        IN_IT[kind][0](tmp_path / name, precious)
        with pytest.raises(ChaosprepError) as caught:
            use()
        assert caught.value.code == "workspace"
        (tmp_path / name).unlink()
    (tmp_path / "settings.json").symlink_to(precious)
    with pytest.raises(ChaosprepError, match="symbolic link"):
        keep_settings(tmp_path, b"{}")
    assert told(precious) == before


def test_a_link_to_nowhere_is_no_new_journal(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").symlink_to("made")
    with pytest.raises(ChaosprepError, match="symbolic link"), Journal(tmp_path / "journal.jsonl"):
        pass
    assert not (tmp_path / "made").exists()


def test_a_claim_in_whose_place_a_link_stands_is_none(tmp_path: Path, precious: Path) -> None:
    claim = make_claim(tmp_path)
    claim.check()
    claim.path.unlink()
    claim.path.symlink_to(precious)
    with pytest.raises(SupersededError):
        claim.check()


def test_only_claims_are_ended(tmp_path: Path) -> None:
    claim = make_claim(tmp_path)
    (tmp_path / "run-notes").touch()
    end_claims(tmp_path)
    assert not claim.path.exists()
    assert (tmp_path / "run-notes").exists()


def test_the_files_of_it_have_the_users_mode(workspace: Workspace) -> None:
    before = os.umask(0o027)
    try:
        with workspace.held():
            make_claim(workspace.path)
            with Journal(workspace.path / "journal.jsonl"):
                keep_settings(workspace.path, b"{}")
    finally:
        os.umask(before)
    files = list(workspace.path.iterdir())
    assert len(files) == 4
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o640"}
    assert oct(workspace.path.stat().st_mode & 0o777) == "0o750"


def test_what_is_put_there_before_the_lock_is_held_is_refused(
    workspace: Workspace, precious: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run looks before it makes anything, and again when nobody else may write."""

    @contextmanager
    def late(path: Path, output: Path) -> Iterator[None]:
        with locked(path, output):
            (workspace.path / "journal.jsonl").symlink_to(precious)
            yield

    monkeypatch.setattr("chaosprep.running.workspace.locked", late)
    with pytest.raises(ChaosprepError) as caught, workspace.held():
        pass
    assert caught.value.code == "workspace"


def test_a_folder_that_goes_while_its_lock_is_made_is_made_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run removes its workspace between our making of the folder and of the lock."""
    times = list[int]()

    def late(path: Path, flags: int) -> int:
        times.append(1)
        if len(times) < 3:
            path.parent.rmdir()
        return open_kept(path, flags)

    monkeypatch.setattr("chaosprep.running.lock.open_kept", late)
    with workspace.held():
        assert len(times) == 3


def test_where_no_folder_can_be_made_the_system_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    shutil.rmtree(tmp_path / "gone")
    with pytest.raises(FileNotFoundError), Workspace.inside(Path("out")).held():
        pass


def test_a_lock_whose_holder_cannot_be_written_down_holds_all_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk."""

    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with workspace.held():
        monkeypatch.undo()
        with pytest.raises(ChaosprepError, match="another process"), workspace.held():
            pass


def test_an_error_is_told_although_the_workspace_is_gone(tmp_path: Path) -> None:
    workspace = Workspace.inside(handmade(tmp_path / "out"))

    def stop() -> None:
        with workspace.held():
            workspace.clear()
            raise KeyError

    with pytest.raises(KeyError):
        stop()


def test_a_lock_that_cannot_be_removed_while_it_is_open_stops_no_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows; the next run takes it."""
    unlink = Path.unlink

    def is_open(self: Path, missing_ok: bool = False) -> None:
        if self.name == "lock":
            raise PermissionError(13, "Permission denied")
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", is_open)
    for _ in range(2):
        with workspace.held():
            workspace.clear()
