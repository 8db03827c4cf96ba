"""Worker processes that stand by from one run to the next: a chain of stages starts them once."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from chaosprep.errors import ChaosprepError
from chaosprep.running.executor import Executor, SerialExecutor
from chaosprep.running.executors import is_broken, open_executor, warm_up
from chaosprep.running.mapping import on_opened

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")


class StandingWorkers:
    """Gives each run an executor on the same processes, started when the first one asks.

    `modules` are what they need, as in `warm_up`. As a context it ends them, whatever comes.
    """

    def __init__(self, jobs: int, modules: Sequence[str] | None = None) -> None:
        self._jobs = jobs
        self._modules = modules
        self._pool: Executor | None = None
        self._size = 0

    def executor(self, tasks: int | None = None) -> Executor:
        """The executor of a run with so many tasks at most; raises what `open_executor` does."""
        size = self._jobs if tasks is None else max(1, min(self._jobs, tasks))
        if self._jobs == 1:
            return SerialExecutor()
        if self._pool is None or self._size < size:
            self.close()
            warm_up(self._jobs, self._modules)
            self._pool, self._size = open_executor(self._jobs, tasks), size
        return _Lent(self._pool, self._forget)

    def on_workers(
        self, function: Callable[[T], R], tasks: Sequence[T], jobs: int
    ) -> Iterator[tuple[T, R | ChaosprepError]]:
        """Do tasks that are no cases, for a workbench; few of them in this process."""
        opens = self.executor if jobs > 1 else partial(open_executor, 1)
        return on_opened(function, tasks, opens)

    def close(self) -> None:
        """Wait for the processes to end; raises what `ProcessExecutor.close` does."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def __enter__(self) -> "StandingWorkers":
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            if self._pool is not None:
                self._pool.abort()

    def _forget(self, pool: Executor) -> None:
        if self._pool is pool:
            self._pool = None


class _Lent(Executor):
    """The pool as one run has it: it stays when the run is done with it, unless it was harmed."""

    def __init__(self, pool: Executor, forget: Callable[[Executor], None]) -> None:
        self._pool = pool
        self._forget = forget
        self._flying: set[Future[Any]] = set()
        self.paced, self.patience = pool.paced, pool.patience

    @property
    def slots(self) -> int:
        return self._pool.slots

    def submit(self, function: Callable[[T], R], task: T) -> "Future[R]":
        future = self._pool.submit(function, task)
        self._flying.add(future)
        return future

    def finished(self, flying: "Collection[Future[Any]]") -> "list[Future[Any]]":
        done = super().finished(flying)
        self._flying -= {future for future in done if not is_broken(future)}
        return done

    def look(self) -> None:
        self._pool.look()

    def close(self) -> None:
        if self._flying:
            self._flying.clear()
            self._forget(self._pool)
            self._pool.close()

    def abort(self) -> None:
        self._flying.clear()
        self._forget(self._pool)
        self._pool.abort()
