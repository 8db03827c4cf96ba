"""Worker processes: how they start, and how they end."""

import errno
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from chaosprep.errors import ChaosprepError, UsageError, refused
from chaosprep.running.executor import UNGUARDED, Executor
from chaosprep.running.interrupts import interrupts_held, wait_for_thread
from chaosprep.running.process import settle_in
from chaosprep.running.starting import SEMAPHORES, SHARED_MEMORY, starting
from chaosprep.systems.starting import start_method

T = TypeVar("T")
R = TypeVar("R")


class ProcessExecutor(Executor):
    """Runs tasks in worker processes that end with this one, however it ends."""

    paced = True
    patience = 5.0

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        context = multiprocessing.get_context(start_method())
        with interrupts_held(), starting(SEMAPHORES, SHARED_MEMORY):
            self._ended, self._life = context.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(
                jobs, mp_context=context, initializer=_start_worker, initargs=(self._life,)
            )
        # all at first: one that starts while another's death is told would be waited for for ever
        self._pool._safe_to_dynamically_spawn_children = False  # type: ignore[attr-defined]
        self._processes: list[BaseProcess] = []
        self._thread: threading.Thread | None = None
        self._kept: list[object] = []

    @property
    def slots(self) -> int:
        """Two for each worker."""
        return 2 * self._jobs

    def submit(self, function: Callable[[T], R], task: T) -> "Future[R]":
        """Send the task to a worker; both must pickle."""
        try:
            with interrupts_held(), starting():
                future = self._pool.submit(function, task)
                # all workers have it; where one dies amid a result, nobody else could end it
                self._pool._result_queue._writer.close()  # type: ignore[attr-defined]
                return future
        except BrokenExecutor as error:
            broken: Future[R] = Future()
            broken.set_exception(error)
            return broken

    def look(self) -> None:
        """See whether the thread that hands out tasks waits in vain, for a worker that has died.

        One that died amid a result leaves the thread with half of it, and the other workers with
        a lock that nobody gives back. They end too, then all is done again.

        Raises:
            RefusedError: `system`, the thread could start no helper, and has died of it.
        """
        thread: Any = self._pool._executor_manager_thread
        with interrupts_held():
            is_dead = thread is not None and not thread.is_alive()
        if is_dead:
            raise refused(OSError(errno.EAGAIN, "no new thread"))
        workers = self._started()
        if _gone(workers):
            _terminate(workers)

    def close(self) -> None:
        """Drop what has not begun; when this returns, no worker writes any more.

        Raises:
            UsageError: `main-guard`, the workers ran the script that had started them.
            ChaosprepError: `workers-left`, one works on.
        """
        if self._ended.closed:
            return
        self._dismiss()
        codes = {process.exitcode for process in self._processes}
        self._see_the_end()
        if UNGUARDED in codes:
            raise UsageError(
                "--jobs: every worker runs the calling script once more from its beginning",
                "Put what the script does under if __name__ == '__main__':, or use --jobs 1.",
                code="main-guard",
            )

    def abort(self) -> None:
        """End the workers where they stand; what they had not recorded is done again."""
        if self._ended.closed:
            return
        _terminate(self._processes or self._started())
        self.close()

    def _dismiss(self) -> None:
        """Have the pool end, once; what an interrupt must not take apart is kept until then."""
        if not self._kept:
            with interrupts_held():
                pool: Any = self._pool
                self._processes = self._started()
                self._thread = pool._executor_manager_thread
                self._kept = [
                    pool._call_queue,
                    pool._result_queue,
                    pool._executor_manager_thread_wakeup,
                ]
                pool.shutdown(wait=False, cancel_futures=True)
        if self._thread is not None:
            wait_for_thread(self._thread)

    def _see_the_end(self) -> None:
        """Wait for every worker: where its server was killed, it is taken for dead too soon."""
        for process in self._processes:
            process.join()
        with interrupts_held():
            while self._processes:
                self._processes.pop().close()  # tells one that lives on that nobody waits for it
            self._thread = None
            self._kept.clear()
            self._life.close()
        ended = self._ended.poll(_PATIENCE)  # at the end of a pipe that each of them had open
        self._ended.close()
        if not ended:
            raise ChaosprepError(
                "a worker process still runs, but does not answer",
                "End it, and run the same command again.",
                code="workers-left",
            )

    def _started(self) -> list[BaseProcess]:
        """The workers; none once the pool is closed."""
        return list((self._pool._processes or {}).values())  # public only from Python 3.14 on


def _gone(processes: list[BaseProcess]) -> list[object]:
    """The sentinels of those that have ended, whether or not anybody has noticed."""
    return list(wait([process.sentinel for process in processes], 0))


def _terminate(processes: list[BaseProcess]) -> None:
    gone = _gone(processes)
    for process in processes:
        if process.sentinel not in gone:
            process.terminate()


_PATIENCE = 30.0  # seconds; it takes milliseconds


_held: list[Connection] = []


def _start_worker(life: Connection) -> None:
    _held.append(life)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    threading.Thread(target=end_with_parent, daemon=True).start()
    settle_in()


def end_with_parent() -> None:
    """Wait for the process that started this one, and end as soon as it has ended; never return."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
