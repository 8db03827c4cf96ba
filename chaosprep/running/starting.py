"""What starting other processes takes of the system, and what is said where it refuses."""

import multiprocessing
import multiprocessing.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaosprep.errors import SHORT, ChaosprepError, refused
from chaosprep.running.interrupts import interrupts_held
from chaosprep.running.process import variable
from chaosprep.systems.starting import start_method

SEMAPHORES = "the system gives no semaphores"
SHARED_MEMORY = (
    "Make /dev/shm a folder that can be written and has room, or use --jobs 1 without --dask."
)
_TEMPORARY = (
    "Set TMPDIR to a folder that can be written and has a short path, as /tmp, or use --jobs 1 "
    "without --dask."
)
_GONE = "the process that starts them has ended"
_LONGEST = 107 - len("/listener-12345678")
"""Bytes of a folder with a socket: unix(7) gives a path 108, the last one zero."""
_OWN = len("/pymp-12345678")
"""Bytes that the folder for sockets adds to the one that it is in."""
_SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


@contextmanager
def starting(what: str = _GONE, remedy: str = "") -> Iterator[None]:
    """Start worker processes; `what` stands in the way, and `remedy` is what else can be done.

    Raises:
        ChaosprepError: `workers`, or `system` where the machine has no more of something.
    """
    try:
        yield
    except (EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno in SHORT:
            raise refused(error) from error
        if isinstance(error, ConnectionError):
            what, remedy = _GONE, ""
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ChaosprepError(
            f"worker processes cannot be started: {what} ({said})",
            remedy or "Run the same command again, or use --jobs 1 without --dask.",
            code="workers",
        ) from error


def check_system() -> None:
    """See that worker processes can be started, and where their server listens.

    Raises:
        ChaosprepError: `workers`, or `system` where the machine has no more of something.
    """
    with starting(
        "the current folder is gone", "Change to another one, or use --jobs 1 without --dask."
    ):
        Path.cwd()
    _check_caller()
    if start_method() == "forkserver":
        with starting("there is no usable folder for temporary files", _TEMPORARY):
            _settle_sockets()
    with interrupts_held(), starting(SEMAPHORES, SHARED_MEMORY):
        multiprocessing.get_context(start_method()).Lock()


def _check_caller() -> None:
    """See that this process may start others, and that they find the script they begin with."""
    if multiprocessing.current_process().daemon:  # as those of `multiprocessing.Pool` are
        raise ChaosprepError(
            "worker processes cannot be started: this process is a daemonic one",
            "Use --jobs 1 without --dask, or start it by concurrent.futures.",
            code="workers",
        )
    main = sys.modules["__main__"]
    script = getattr(main, "__file__", None)
    is_script = main.__spec__ is None and not hasattr(sys, "frozen")
    if script and is_script and not Path(script).is_file():
        raise ChaosprepError(
            f"worker processes cannot be started: the calling script, {script}, is no file",
            "Save it as one, or use --jobs 1 without --dask.",
            code="workers",
        )


def _settle_sockets() -> None:
    """Let the server listen below `TMPDIR`, or a folder with a path that is short enough."""
    before = tempfile.tempdir
    if _is_long(tempfile.gettempdir(), _OWN):
        tempfile.tempdir = _short_folder()
    try:
        chosen = multiprocessing.util.get_temp_dir()  # keeps its first answer
    finally:
        tempfile.tempdir = before
    if _is_long(chosen):  # by somebody who asked before
        raise _too_long(chosen)


def _is_long(folder: str, more: int = 0) -> bool:
    return len(os.fsencode(folder)) + more > _LONGEST


def _too_long(folder: str) -> OSError:
    return OSError(f"the path of {folder} is too long for a socket below it")


def _short_folder() -> str:
    for folder in _SHORT_FOLDERS:
        if Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise _too_long(tempfile.gettempdir())


@contextmanager
def safe_path() -> Iterator[None]:
    """Let a Python that starts in here not import what lies in the current folder."""
    with variable("PYTHONSAFEPATH", "1"):
        yield
