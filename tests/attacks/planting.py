"""Somebody's files, and what of them may stand where a command wants to write."""

import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.attacker import Zygote, tree
from tests.attacks.verbs import Verb, World

Tree = dict[str, bytes | str]
TEXT = b"years of work"


@dataclass(frozen=True)
class Theirs:
    """A folder of somebody's files, made anew."""

    path: Path

    @classmethod
    def made(cls, path: Path) -> "Theirs":
        shutil.rmtree(path, ignore_errors=True)
        (path / "folder").mkdir(parents=True)
        for name in ("file.txt", "folder/file.txt"):
            (path / name).write_bytes(TEXT)
            (path / name).chmod(0o640)
            os.utime(path / name, ns=(10**18, 10**18))
        return cls(path)

    def seen(self) -> dict[str, tuple[object, ...]]:
        """Every file with its bytes, its mode and when it was changed."""
        found: dict[str, tuple[object, ...]] = {}
        for name, content in tree(self.path).items():
            status = (self.path / name).lstat()
            when = status.st_mtime_ns if isinstance(content, bytes) else 0
            found[name] = (content, status.st_mode, when)
        return found


def _socket(path: Path, theirs: Theirs) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def _folder(path: Path, theirs: Theirs) -> None:
    path.mkdir()
    (path / "mine.txt").write_bytes(TEXT)


KINDS: dict[str, Callable[[Path, Theirs], None]] = {
    "link": lambda path, theirs: path.symlink_to(theirs.path / "file.txt"),
    "link to a folder": lambda path, theirs: path.symlink_to(theirs.path / "folder"),
    "dangling link": lambda path, theirs: path.symlink_to(theirs.path / "absent"),
    "hard link": lambda path, theirs: path.hardlink_to(theirs.path / "file.txt"),
    "fifo": lambda path, theirs: os.mkfifo(path),
    "folder": _folder,
    "socket": _socket,
}


def remove(path: Path) -> None:
    """Remove whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def plant(path: Path, kind: str, theirs: Theirs) -> None:
    """Put something of this kind there instead of what there is."""
    remove(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    KINDS[kind](path, theirs)


class Outputs:
    """What a verb leaves below a folder: new, old, or begun and killed; each made once."""

    def __init__(self, zygote: Zygote, verb: Verb, world: World, base: Path) -> None:
        self.zygote, self.verb, self.world, self.base = zygote, verb, world, base
        self._kept: dict[tuple[str, float], Path] = {}

    def put(self, here: Path, state: str, part: float = 0.6) -> None:
        """Make `here` hold this state: empty, begun, finished."""
        remove(here)
        if state == "empty":
            here.mkdir(parents=True)
        else:
            shutil.copytree(self._made(here, state, part), here, symlinks=True)

    def _made(self, here: Path, state: str, part: float) -> Path:
        """A copy of what the command leaves; made in the same place, which it may record."""
        key = (state, part)
        if key not in self._kept:
            here.mkdir(parents=True)
            words = self.verb.command(self.world, here)
            ended = self.zygote.run(words)
            assert ended.code == 0, ended
            if state == "begun":
                remove(here)
                here.mkdir()
                killed = self.zygote.run(words, kill=max(1, int(part * ended.events)))
                assert killed.code == -9, killed
            kept = self.base / f"{state}-{part}"
            shutil.move(here, kept)
            self._kept[key] = kept
        return self._kept[key]

    def new(self, here: Path) -> Tree:
        """What an uninterrupted run leaves."""
        return tree(self._made(here, "finished", 0.6))
