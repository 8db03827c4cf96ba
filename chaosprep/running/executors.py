"""Where the work runs: in this process, or in worker processes, behind one `submit`."""

import errno
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from functools import partial
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from chaosprep.errors import ChaosprepError, UsageError, refused
from chaosprep.running.process import settle_in
from chaosprep.running.starting import (
    METHOD,
    SEMAPHORES,
    SHARED_MEMORY,
    check_system,
    interrupts_held,
    safe_path,
    starting,
)

_ALWAYS = ("msgspec.json", "chaosprep.formats.dicom.reading", "chaosprep.formats.pictures")
_PRELOAD = ("cv2", "pydicom.pixels", "PIL.Image")
T = TypeVar("T")
R = TypeVar("R")


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


class ProcessExecutor(Executor):
    """Runs tasks in worker processes that end with this one, however it ends."""

    patience = 5.0

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        context = multiprocessing.get_context(METHOD)
        with starting(SEMAPHORES, SHARED_MEMORY):
            self._ended, self._life = context.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(
                jobs, mp_context=context, initializer=_start_worker, initargs=(self._life,)
            )
        # all at first: one that starts while another's death is told would be waited for for ever
        self._pool._safe_to_dynamically_spawn_children = False  # type: ignore[attr-defined]

    @property
    def slots(self) -> int:
        """Two for each worker."""
        return 2 * self._jobs

    def submit(self, function: Callable[[T], R], task: T) -> "Future[R]":
        """Send the task to a worker; both must pickle."""
        try:
            with interrupts_held(), starting():
                return self._pool.submit(function, task)
        except BrokenExecutor as error:
            future: Future[R] = Future()
            future.set_exception(error)
            return future

    def look(self) -> None:
        """Give up where the thread that hands out tasks could start no helper, and has died of it.

        Raises:
            RefusedError: `system`.
        """
        thread: Any = self._pool._executor_manager_thread
        if thread is not None and not thread.is_alive():
            raise refused(OSError(errno.EAGAIN, "no new thread"))

    def close(self) -> None:
        """Drop what has not begun; when this returns, no worker writes any more.

        Raises:
            UsageError: `main-guard`, the workers ran the script that had started them.
            ChaosprepError: `workers-left`, one works on.
        """
        if self._ended.closed:
            return
        processes = self._processes()
        self._pool.shutdown(wait=True, cancel_futures=True)
        codes = {process.exitcode for process in processes}
        self._see_the_end(processes)
        if _UNGUARDED in codes:
            raise UsageError(
                "--jobs: every worker runs the calling script once more from its beginning",
                "Put what the script does under if __name__ == '__main__':, or use --jobs 1.",
                code="main-guard",
            )

    def abort(self) -> None:
        """End the workers where they stand; what they had not recorded is done again."""
        for process in self._processes():
            process.terminate()
        self.close()

    def _see_the_end(self, processes: list[BaseProcess]) -> None:
        """Wait for every worker: where its server was killed, it is taken for dead too soon."""
        for process in processes:
            process.join()
            process.close()  # tells a worker that lives on that nobody waits for it
        self._life.close()
        ended = self._ended.poll(_PATIENCE)  # at the end of a pipe that each of them had open
        self._ended.close()
        if not ended:
            raise ChaosprepError(
                "a worker process goes on, and does not answer",
                "End it, and run the same command again.",
                code="workers-left",
            )

    def _processes(self) -> list[BaseProcess]:
        """The workers; none once the pool is closed."""
        return list((self._pool._processes or {}).values())  # public only from Python 3.14 on


_PATIENCE = 30.0  # seconds; it takes milliseconds
_UNGUARDED = 79  # exit code of a worker that began by running the script which had started it


def check_guard() -> None:
    """End a worker that is only being started: it must not do the work of its parent once more.

    A new worker imports the main script; where that calls us outside of its ``__main__`` guard,
    the call comes here. The parent says what is wrong, by the exit code.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(_UNGUARDED)


def warm_up(jobs: int, libraries: Sequence[str] = _PRELOAD) -> None:
    """Let the server that workers are forked from import its libraries while this one plans.

    Its first call in a process decides on the libraries.
    """
    check_guard()
    if jobs > 1 and METHOD == "forkserver":
        from multiprocessing import forkserver, resource_tracker

        multiprocessing.set_forkserver_preload([*_ALWAYS, *libraries])
        check_system()
        with starting():
            resource_tracker.ensure_running()  # lets interrupts in again, so before they are held
            with interrupts_held(), safe_path():
                forkserver.ensure_running()


_held: list[Connection] = []


def _start_worker(life: Connection) -> None:
    _held.append(life)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    settle_in()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def open_executor(jobs: int, tasks: int | None = None) -> Executor:
    """The executor for a number of jobs: 1 is this process; no more workers than tasks."""
    warm_up(jobs)
    workers = jobs if tasks is None else max(1, min(jobs, tasks))
    return SerialExecutor() if jobs == 1 else ProcessExecutor(workers)


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
    executor = start()
    flying: dict[Future[list[R]], tuple[T, ...]] = {}
    again, suspects = deque[T](), deque[T]()
    try:
        while True:
            alone = _fill(executor, partial(_each, function), tasks, again, flying, suspects)
            if not flying:
                return
            broken = []
            for future in _finished(executor, flying):
                if isinstance(future.exception(), BrokenExecutor):
                    broken.append(future)
                    continue
                yield from zip(flying.pop(future), future.result(), strict=True)
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
    except BaseException:
        executor.abort()
        raise
    finally:
        executor.close()


def _finished(executor: Executor, flying: Iterable["Future[R]"]) -> list["Future[R]"]:
    """The futures that are done, of which there may be none after the executor's patience."""
    done = wait(flying, executor.patience, return_when=FIRST_COMPLETED).done
    if not done:
        executor.look()
    return [future for future in flying if future in done]


def _each(function: Callable[[T], R], batch: tuple[T, ...]) -> list[R]:
    return [function(task) for task in batch]


def _next(tasks: Iterator[T], again: deque[T], size: int) -> tuple[T, ...]:
    """The next batch: one task to run again, else of new ones so many at most; empty at the end."""
    return (again.popleft(),) if again else tuple(islice(tasks, size))


def _fill(
    executor: Executor,
    function: Callable[[tuple[T, ...]], list[R]],
    tasks: Iterator[T],
    again: deque[T],
    flying: dict["Future[list[R]]", tuple[T, ...]],
    suspects: deque[T],
) -> bool:
    """Keep the slots full; True where all else is done, and a suspect flies alone."""
    while len(flying) < executor.slots and (batch := _next(tasks, again, executor.batch)):
        flying[executor.submit(function, batch)] = batch
    if flying or not suspects:
        return False
    batch = (suspects.popleft(),)
    flying[executor.submit(function, batch)] = batch
    return True
