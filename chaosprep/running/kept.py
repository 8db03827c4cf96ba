"""What a run keeps in its workspace: regular files of its own, never followed, else refused."""

import os
from pathlib import Path

from chaosprep.errors import ChaosprepError, FileError
from chaosprep.files import open_own


def open_kept(path: Path, flags: int) -> int:
    """Open a file of a workspace, or make it; `flags` are those of `os.open`.

    Raises:
        ChaosprepError: `workspace`, what stands there is no file of a run.
        OSError: what the system says.
    """
    try:
        return open_own(path, flags)
    except FileError as error:
        raise strange(path, error.reason) from error


def read_kept(path: Path) -> bytes | None:
    """The bytes of a file of a workspace; None where there is none.

    Raises:
        ChaosprepError: `workspace`, what stands there is no file of a run.
    """
    try:
        handle = open_kept(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read()


def strange(path: Path, reason: str) -> ChaosprepError:
    """The error where a workspace holds what no run put there."""
    remedy = "Look at it, move it away, and run the same command again."
    return ChaosprepError(f"{path}: {reason}", remedy, code="workspace")
