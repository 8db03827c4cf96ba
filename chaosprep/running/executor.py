"""Where the work runs: in this process, or elsewhere, behind one `submit`."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")
UNGUARDED = 79
"""Exit code of a worker that began by running the script which had started it."""


class Executor:
    """Runs a function on tasks, sent in batches.

    Where it `isolates`, the death of a worker breaks its own batches only; otherwise all that are
    in flight, and the executor with them. Where it is `paced`, how long tasks take decides how many
    are sent at once.
    """

    isolates = False
    paced = False
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

    def finished(self, flying: "Collection[Future[Any]]") -> "list[Future[Any]]":
        """Those that are done, of which there may be none after `patience` seconds."""
        from chaosprep.running.interrupts import wait_for_one

        done = wait_for_one(flying, self.patience)
        if not done:
            self.look()
        return [future for future in flying if future in done]

    def look(self) -> None:
        """Called where nothing finished for `patience` seconds; raises where nothing will."""

    def close(self) -> None:
        """Drop what has not begun, and wait for what has."""

    def abort(self) -> None:
        """Drop everything at once; when this returns, nobody works any more."""


class _Done(Generic[R]):
    """A future that is done: what makes real ones takes long to import."""

    def __init__(self, result: R) -> None:
        self._result = result

    def done(self) -> bool:
        return True

    def exception(self) -> None:
        return None

    def result(self) -> R:
        return self._result


class SerialExecutor(Executor):
    """Runs each task at once, in this process."""

    def submit(self, function: Callable[[T], R], task: T) -> "Future[R]":
        """Run the task; its exception comes at once, not by the future."""
        return cast("Future[R]", _Done(function(task)))

    def finished(self, flying: "Collection[Future[Any]]") -> "list[Future[Any]]":
        """All of them."""
        return list(flying)
