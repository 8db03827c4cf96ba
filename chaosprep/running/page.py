"""The one file that a verb makes to be looked at: whole or not there, never in place of others'."""

import re
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from chaosprep.errors import ChaosprepError, FileError, UsageError
from chaosprep.files import read_start, real, settle, temporary_in, write_new, writing
from chaosprep.imaging.png.chunks import with_text
from chaosprep.running.exchange import rename_new
from chaosprep.running.workspace import Workspace

Save = Callable[[bytes], None]
"""Gives the file its content and its name."""

_START = 4096  # bytes of a file that tell what made it


@dataclass(frozen=True)
class FileKind:
    """A kind of file: what it is called, how its name ends, and how one made here begins."""

    noun: str
    ending: str
    form: re.Pattern[bytes]
    sign: Callable[[bytes], bytes] = bytes


def _sign_picture(png: bytes) -> bytes:
    return with_text(png, "Software", "chaosprep")


PAGE = FileKind(
    "page",
    ".html",
    re.compile(rb'\s*<!doctype html>.*?<meta name="generator" content="chaosprep ', re.DOTALL),
)
CARD = FileKind("card", ".md", re.compile(rb"# Data card\n"))
TEXT = FileKind("text", ".md", re.compile(rb"# How this dataset was made\n"))
PICTURE = FileKind(
    "picture",
    ".png",
    re.compile(rb"\x89PNG\r\n\x1a\n.{29}tEXtSoftware\0chaosprep", re.DOTALL),
    _sign_picture,
)


def check_place(output: Path, directory: Path, kind: FileKind) -> None:
    """Refuse a name of another kind, or inside the dataset, where every file has its record.

    Raises:
        UsageError: saying which of the two, or that there is no such folder; OutputError.
    """
    if output.suffix.lower() != kind.ending:
        reason = f"{output}: its name is that of another kind of file"
        raise UsageError(reason, f"End its name in {kind.ending}.", "output")
    with writing(output):
        if real(output).is_relative_to(real(directory)):
            raise UsageError(
                f"{output}: it would lie inside the dataset, whose manifest does not list it",
                "Write it next to the directory.",
                "output",
            )
        try:
            folder = output.parent.stat()
        except FileNotFoundError as error:
            missing = f"{output}: its folder does not exist"
            raise UsageError(missing, "Make it first.", "output") from error
        if not stat.S_ISDIR(folder.st_mode):
            reason = f"{output}: what should be its folder is not a folder"
            raise UsageError(reason, "Give a name in a folder.", "output")


def check_standing(output: Path, kind: FileKind, overwrite: bool) -> bool:
    """Refuse to replace what is not of this kind and made here; tell whether anything is there.

    Raises:
        ChaosprepError: `output-foreign`; OutputError: it cannot be looked at.
    """
    with writing(output):
        try:
            found = output.lstat()
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(found.st_mode):
            what = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "not a regular file"
            raise ChaosprepError(
                f"{output}: it is {what}, and is not replaced",
                "Give another name, or move it away.",
                code="output-foreign",
            )
        if found.st_size and not overwrite and not _is_made_here(output, kind):
            raise ChaosprepError(
                f"{output}: it is not a {kind.noun} that chaosprep made",
                "Give another name, or use --overwrite to replace it.",
                code="output-foreign",
            )
    return True


def _is_made_here(file: Path, kind: FileKind) -> bool:
    try:
        return kind.form.match(read_start(file, _START)) is not None
    except FileError:
        return False


@contextmanager
def new_file(output: Path, kind: FileKind, overwrite: bool) -> Iterator[Save]:
    """Hold the place of a file while its content is made; saved, it is there whole.

    A file that was made here is replaced, others only with `overwrite`; a link, a folder or a pipe
    never. It is written in the workspace beside `output` and gets its name when it is on the disk.

    Raises:
        ChaosprepError: `output-foreign`, or another run writes there (`locked`).
        OutputError: it cannot be written.
    """
    workspace = Workspace.beside(output)

    def save(data: bytes) -> None:
        temporary = temporary_in(workspace.path)
        with writing(output):
            write_new(temporary, kind.sign(data))
            is_there = check_standing(output, kind, overwrite)
            settle(temporary, output, None if is_there else rename_new)

    with ExitStack() as stack:
        with writing(output):
            stack.enter_context(workspace.held())
            stack.callback(_clear, workspace)
            workspace.sweep()
            check_standing(output, kind, overwrite)
        yield save


def _clear(workspace: Workspace) -> None:
    with suppress(OSError):  # what was raised before is told, or all is done
        workspace.clear()
