"""The hidden folder of whoever writes an output: its lock, and what has no name of its own yet.

A stage directory has it inside; a folder, page or picture beside it. Nothing in it is believed:
what is no regular file of its own, or has no name that a run gives, was put there by somebody else.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from chaosprep.dataset.manifest import JOURNAL, WORKSPACE
from chaosprep.dataset.opening import is_finished
from chaosprep.errors import FileError
from chaosprep.files import check_own
from chaosprep.running.claim import CLAIM
from chaosprep.running.kept import strange
from chaosprep.running.learning import LEARNED
from chaosprep.running.lock import locked
from chaosprep.running.settings import SETTINGS
from chaosprep.systems import replacing
from chaosprep.systems.replacing import remove_tree, unlink

LOCK = "lock"
_FILE = re.compile(
    rf"{LOCK}|{re.escape(JOURNAL)}|{re.escape(SETTINGS)}|{re.escape(LEARNED)}|{CLAIM.pattern}"
    r"|\.[0-9a-f]{32}\.part"
)
_FOLDER = re.compile(r"[0-9a-f]{32}(\.old)?")
_OF_NFS = re.compile(r"\.nfs[0-9a-f]+")  # a removed file that somebody has open; it goes by itself
_LONGEST = 200  # bytes of a name; file systems take 255


class Workspace(msgspec.Struct, frozen=True):
    """A hidden folder, held by one process at a time, for what is written to `output`.

    ``finished`` tells whether the output needs nothing more that is kept here; ``_last`` are names
    of files that go at the end of `held`, when nobody has them open.
    """

    path: Path
    output: Path
    finished: Callable[[Path], bool] = is_finished
    _last: set[str] = msgspec.field(default_factory=set)

    @classmethod
    def inside(cls, directory: Path, finished: Callable[[Path], bool] = is_finished) -> "Workspace":
        """The workspace of a stage directory or a run of train."""
        return cls(directory / WORKSPACE, directory, finished)

    @classmethod
    def beside(cls, output: Path) -> "Workspace":
        """The workspace of a folder or file that is there whole or not at all."""
        name = output.name
        if len(os.fsencode(name)) > _LONGEST:
            name = hashlib.sha256(os.fsencode(name)).hexdigest()
        return cls(output.with_name(f".{name}{WORKSPACE}"), output)

    @contextmanager
    def held(self, check: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Make the folder and hold its lock; what a run keeps there outlasts the context.

        An output that is finished keeps nothing, however the context ends. `check` looks at it
        once more: where it refuses, nobody begins, and no lock is left.

        Raises:
            ChaosprepError: `locked`, another run holds it; `workspace`, it holds something that no
                run made; OSError: it cannot be made.
        """
        self.check()
        try:
            with locked(self.path / LOCK, self.output):
                self.check()
                self._allowed_by(check)
                try:
                    yield
                except BaseException:
                    with suppress(OSError):  # the other error is told
                        if self.finished(self.output):
                            self.clear()
                    raise
        finally:
            with suppress(OSError):  # another run holds it by now
                while self._last:
                    (self.path / self._last.pop()).unlink()  # refused where somebody has it open
                self.path.rmdir()  # it is empty where NFS kept its lock until now

    def _allowed_by(self, check: Callable[[], None]) -> None:
        try:
            check()
        except BaseException:
            with suppress(OSError):  # the other error is told
                if self._names() == [LOCK]:
                    self.clear()
            raise

    def _names(self) -> list[str]:
        return [path.name for path in self.path.iterdir()]

    def check(self) -> None:
        """Refuse a workspace that is a link or no folder, or holds what no run puts there.

        Raises:
            ChaosprepError: `workspace`; OSError: it cannot be looked at.
        """
        try:
            mode = self.path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(mode):
            kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a folder"
            raise strange(self.path, f"it is {kind}, and a run keeps its own files there")
        with suppress(FileNotFoundError):  # a run that just ends
            for path in list(self.path.iterdir()):
                self._check(path)

    def sweep(self) -> None:
        """Remove what runs made here, all but the lock; the caller holds it."""
        for path in list(self.path.iterdir()):
            if _FOLDER.fullmatch(path.name):
                remove_tree(path)
            elif _FILE.fullmatch(path.name) and path.name != LOCK:
                unlink(path, missing_ok=True)

    def clear(self) -> None:
        """Remove what runs made here, and the folder; the caller holds the lock.

        Where the lock cannot be removed as it is open, it goes at the end of `held`.
        """
        self.sweep()
        if replacing.OPEN_FILES_STAY:
            self._last.add(LOCK)
        else:
            with suppress(PermissionError):  # the file system is of a system where it cannot
                (self.path / LOCK).unlink(missing_ok=True)
        with suppress(OSError):  # another run holds it by now, or somebody put something there
            self.path.rmdir()

    def _check(self, path: Path) -> None:
        try:
            found = path.lstat()
        except FileNotFoundError:  # a file that just got its name
            return
        if not stat.S_ISDIR(found.st_mode):
            try:
                check_own(found)
            except FileError as error:
                raise strange(path, error.reason) from error
        known = (_FOLDER,) if stat.S_ISDIR(found.st_mode) else (_FILE, _OF_NFS)
        if not any(form.fullmatch(path.name) for form in known):
            raise strange(path, "it is not what a run keeps there")
