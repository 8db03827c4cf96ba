"""The folder of a run: held by one, made of regular files of its own, nothing else touched."""

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.running.workspace import Workspace

pytest.importorskip("torch")

from tests.torch.test_training import FILES, code_of, contents


def test_a_run_is_known_by_its_best_checkpoint_alone(
    run: Path, images: Dataset, tmp_path: Path
) -> None:
    """As --overwrite leaves it where it is killed before its last step."""
    (tmp_path / "best.pt").write_bytes((run / "best.pt").read_bytes())
    chaosprep.train(images, tmp_path, overwrite=True, epochs=3, batch=4)
    assert contents(tmp_path) == contents(run)


@pytest.mark.parametrize("held", [(), ("best.pt.part",), ("best.pt", "curves.csv")])
def test_a_run_that_was_killed_in_its_first_epoch_begins_again(
    run: Path, images: Dataset, tmp_path: Path, held: tuple[str, ...]
) -> None:
    """Also one of 0.1.0, which wrote to `best.pt.part`, and a damaged one."""
    (tmp_path / ".chaosprep").mkdir()
    (tmp_path / ".chaosprep/lock").write_text("17\n")
    for name in held:
        (tmp_path / name).write_bytes(b"torn")
    chaosprep.train(images, tmp_path, epochs=3, batch=4)
    assert contents(tmp_path) == contents(run)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("thesis.txt", ()),
        ("curves.csv", ()),
        ("thesis.txt", ("lock",)),
        ("train/images/a.png", ("lock",)),
    ],
)
def test_a_hidden_folder_makes_no_folder_a_run(
    images: Dataset, tmp_path: Path, name: str, kept: tuple[str, ...], overwrite: bool
) -> None:
    (tmp_path / ".chaosprep").mkdir()
    for one in kept:
        (tmp_path / ".chaosprep" / one).touch()
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    assert code_of(images, tmp_path, overwrite=overwrite) == "output-foreign"
    assert (tmp_path / name).read_text() == "mine"


def test_a_finished_run_that_is_refused_stays_as_it_was(
    run: Path, images: Dataset, stored: Dataset, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    for source, learning_rate in ((stored, 0.001), (images, 0.5)):
        assert code_of(source, copy, epochs=3, batch=4, lr=learning_rate) == "output-differs"
        assert contents(copy) == contents(run)


LINKS: dict[str, Callable[[Path, Path], object]] = {
    "a symbolic link": lambda path, to: path.symlink_to(to),
    "a hard link": lambda path, to: path.hardlink_to(to),
    "a FIFO": lambda path, to: os.mkfifo(path),
    "a folder": lambda path, to: path.mkdir(),
}


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("name", [*FILES, ".chaosprep/lock", "best.pt.part"])
def test_what_is_no_file_of_a_run_is_refused_and_not_touched(
    run: Path, images: Dataset, tmp_path: Path, name: str, kind: str
) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    precious = tmp_path / "precious"
    precious.write_bytes((run / "best.pt").read_bytes())
    (copy / name).unlink(missing_ok=True)
    (copy / name).parent.mkdir(exist_ok=True)
    LINKS[kind](copy / name, precious)
    before = precious.read_bytes(), precious.stat().st_mtime_ns, precious.stat().st_nlink
    code = "workspace" if ".chaosprep" in name else "output"
    for overwrite in (False, True):
        assert code_of(images, copy, epochs=3, batch=4, overwrite=overwrite) == code
    assert before == (precious.read_bytes(), precious.stat().st_mtime_ns, precious.stat().st_nlink)
    assert all((copy / one).exists() for one in FILES)


def test_a_workspace_that_is_a_link_is_refused(run: Path, images: Dataset, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    (tmp_path / "elsewhere").mkdir()
    (copy / ".chaosprep").symlink_to(tmp_path / "elsewhere")
    for overwrite in (False, True):
        assert code_of(images, copy, epochs=3, batch=4, overwrite=overwrite) == "workspace"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_overwriting_touches_nothing_else_in_the_folder(
    run: Path, images: Dataset, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    for name in ("notes.txt", "last.pt.bak", "figures/best.pt"):
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text("mine")
    chaosprep.train(images, copy, overwrite=True, epochs=1, batch=4)
    for name in ("notes.txt", "last.pt.bak", "figures/best.pt"):
        assert (copy / name).read_text() == "mine"


def test_an_epoch_that_cannot_be_written_leaves_nothing_that_is_not_whole(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "last.pt":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", full)
    assert code_of(images, tmp_path / "run", epochs=1, batch=4) == "output"
    assert sorted(p.name for p in (tmp_path / "run").rglob("*")) == [
        ".chaosprep",
        "best.pt",
        "curves.csv",
        "lock",
    ]


def test_what_another_run_did_meanwhile_is_done(
    run: Path, images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Workspace.held

    def late(self: Workspace, *check: Callable[[], None]) -> AbstractContextManager[None]:
        monkeypatch.undo()
        chaosprep.train(images, tmp_path / "run", epochs=3, batch=4)
        return held(self, *check)

    monkeypatch.setattr(Workspace, "held", late)
    assert chaosprep.train(images, tmp_path / "run", epochs=3, batch=4).already_done
    assert contents(tmp_path / "run") == contents(run)


def test_what_somebody_else_put_there_meanwhile_is_not_joined(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Workspace.held

    def late(self: Workspace, *check: Callable[[], None]) -> AbstractContextManager[None]:
        (tmp_path / "run").mkdir()
        (tmp_path / "run/notes.txt").write_text("mine")
        return held(self, *check)

    monkeypatch.setattr(Workspace, "held", late)
    assert code_of(images, tmp_path / "run", epochs=1, batch=4) == "output-foreign"
    assert [path.name for path in (tmp_path / "run").rglob("*")] == ["notes.txt"]


def test_a_run_that_is_held_is_refused(run: Path, images: Dataset) -> None:
    before = contents(run)
    with Workspace.inside(run).held():
        for overwrite in (False, True):
            assert code_of(images, run, epochs=3, batch=4, overwrite=overwrite) == "locked"
        Workspace.inside(run).clear()
    assert contents(run) == before
