"""The executor for a number of jobs, and tasks mapped over one: a worker that dies is replaced."""

import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from chaosprep.running.executor import UNGUARDED, Executor, SerialExecutor
from chaosprep.running.pace import Pace

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")


def check_guard() -> None:
    """End a worker that is only being started: it must not do the work of its parent once more.

    A new worker imports the main script; where that calls us outside of its ``__main__`` guard,
    the call comes here. The parent says what is wrong, by the exit code.
    """
    multiprocessing = sys.modules.get("multiprocessing")  # a worker has it
    if multiprocessing and getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(UNGUARDED)


def warm_up(jobs: int, modules: Sequence[str] | None = None) -> None:
    """Let the server that workers are forked from import what they need while this one plans.

    Its first call in a process with more than one job decides on the modules; None for those that
    images of any kind take.
    """
    check_guard()
    if jobs > 1:
        from chaosprep.running.server import start_server

        start_server(modules)


def open_executor(jobs: int, tasks: int | None = None) -> Executor:
    """The executor for a number of jobs: 1 is this process; no more workers than tasks."""
    warm_up(jobs)
    if jobs == 1:
        return SerialExecutor()
    from chaosprep.running.processes import ProcessExecutor

    return ProcessExecutor(jobs if tasks is None else max(1, min(jobs, tasks)))


class WorkerDied:
    """Stands for the result of a task that killed its worker, alone and repeatedly."""


def map_unordered(
    start: Callable[[], Executor], function: Callable[[T], R], tasks: Iterator[T]
) -> Generator[tuple[T, R | WorkerDied], None, None]:
    """Run the tasks, yielding each with its result as it finishes; closing it ends the workers.

    Tasks are taken as slots become free. A batch whose worker dies is run again task by task.
    Whatever was in flight when a worker died once more runs alone in the end; one that then kills
    its worker again is the culprit and yields `WorkerDied`.
    """
    executor, pace = start(), Pace()
    flying: dict[Future[list[R]], tuple[T, ...]] = {}
    again, suspects, alone = deque[T](), deque[T](), False
    work = partial(_each, function)
    try:
        while True:
            if not (alone and flying):
                alone = _fill(executor, pace, work, tasks, again, flying, suspects)
            if not flying:
                break
            broken = []
            for future in executor.finished(flying):
                if is_broken(future):
                    broken.append(future)
                    continue
                batch = flying.pop(future)
                pace.did(len(batch))
                yield from zip(batch, future.result(), strict=True)
            if not broken:
                continue
            if not executor.isolates:
                executor.close()
                executor = start()
                broken = list(flying)
            for batch in [flying.pop(future) for future in broken]:
                if alone:
                    yield batch[0], WorkerDied()
                elif len(batch) > 1:
                    again.extend(batch)
                else:
                    suspects.extend(batch)
        executor.close()
    except BaseException:
        executor.abort()
        raise


def is_broken(future: "Future[Any]") -> bool:
    """Whether a future is done because its worker died."""
    error = future.exception()
    if error is None:
        return False
    from concurrent.futures import BrokenExecutor

    return isinstance(error, BrokenExecutor)


def _each(function: Callable[[T], R], batch: tuple[T, ...]) -> list[R]:
    return [function(task) for task in batch]


def _next(tasks: Iterator[T], again: deque[T], size: int) -> tuple[T, ...]:
    """The next batch: one task to run again, else of new ones so many at most; empty at the end."""
    return (again.popleft(),) if again else tuple(islice(tasks, size))


def _fill(
    executor: Executor,
    pace: Pace,
    function: Callable[[tuple[T, ...]], list[R]],
    tasks: Iterator[T],
    again: deque[T],
    flying: dict["Future[list[R]]", tuple[T, ...]],
    suspects: deque[T],
) -> bool:
    """Keep the slots full; True where all else is done, and a suspect flies alone."""
    while len(flying) < executor.slots and (batch := _next(tasks, again, pace.batch(executor))):
        flying[executor.submit(function, batch)] = batch
    if flying or not suspects:
        return False
    batch = (suspects.popleft(),)
    flying[executor.submit(function, batch)] = batch
    return True
