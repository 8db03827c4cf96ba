"""Where the work runs: in this process, or in worker processes, behind one `submit`."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing.process import BaseProcess
from typing import TypeVar

from chaosprep.errors import UsageError
from chaosprep.running.process import settle_in

_ALWAYS = ("msgspec.json", "chaosprep.formats.dicom.reading", "chaosprep.formats.pictures")
_PRELOAD = ("cv2", "pydicom.pixels", "PIL.Image")
METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
"""How worker processes start."""
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

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        context = multiprocessing.get_context(METHOD)
        self._pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker)

    @property
    def slots(self) -> int:
        """Two for each worker."""
        return 2 * self._jobs

    def submit(self, function: Callable[[T], R], task: T) -> "Future[R]":
        """Send the task to a worker; both must pickle."""
        try:
            return self._pool.submit(function, task)
        except BrokenExecutor as error:
            future: Future[R] = Future()
            future.set_exception(error)
            return future

    def close(self) -> None:
        """Drop what has not begun; when this returns, no worker writes any more.

        Raises:
            UsageError: `main-guard`, the workers ran the script that had started them.
        """
        processes = self._processes()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if any(process.exitcode == _UNGUARDED for process in processes):
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

    def _processes(self) -> list[BaseProcess]:
        """The workers; none once the pool is closed."""
        return list((self._pool._processes or {}).values())  # public only from Python 3.14 on


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
        from multiprocessing import forkserver

        multiprocessing.set_forkserver_preload([*_ALWAYS, *libraries])
        with _interrupts_held(), _safe_path():
            forkserver.ensure_running()


@contextmanager
def _safe_path() -> Iterator[None]:
    """Let a Python that starts in here not import what lies in the current folder."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let a process that starts in here ignore Ctrl-C from its first moment: the parent decides."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _start_worker() -> None:
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
