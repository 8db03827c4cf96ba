"""Where the work runs: in this process, or elsewhere, behind one `submit`."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
UNGUARDED = 79
"""Exit code of a worker that began by running the script which had started it."""


class Executor:
    """Runs a function on tasks, sent in batches.

    Where it `isolates`, the death of a worker breaks its own batches only; otherwise all that are
    in flight, and the executor with them.
    """

    isolates = False
    patience: float | None = None

    @property
    def batch(self) -> int:
        """How many tasks are best sent as the next batch."""
        return 1

    @property
    def slots(self) -> int:
        """How many batches are worth keeping in flight now."""
        return 1

    def submit(self, function: Callable[[T], R], task: T) -> "Future[R]":
        """Start a task; its future raises `BrokenExecutor` where the worker died."""
        raise NotImplementedError

    def look(self) -> None:
        """Called where nothing finished for `patience` seconds; raises where nothing will."""

    def close(self) -> None:
        """Drop what has not begun, and wait for what has."""

    def abort(self) -> None:
        """Drop everything at once; when this returns, nobody works any more."""


class SerialExecutor(Executor):
    """Runs each task at once, in this process."""

    def submit(self, function: Callable[[T], R], task: T) -> "Future[R]":
        """Run the task; its exception comes at once, not by the future."""
        future: Future[R] = Future()
        future.set_result(function(task))
        return future
