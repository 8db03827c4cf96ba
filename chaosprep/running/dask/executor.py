"""Where the work runs: on the workers of a Dask cluster (the extra `dask`).

What must be shared is a file system: workers read the source and write the output under the same
paths as this process. That, and that they are of one version, is looked at before any case runs.
"""

import gc
import math
import os
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from chaosprep.errors import ChaosprepError, UsageError
from chaosprep.running.claim import Claim, SupersededError
from chaosprep.running.dask import workers as dask_workers
from chaosprep.running.dask.cluster import silent
from chaosprep.running.dask.workers import at_work, check_workers, no_workers, seen_versions, work
from chaosprep.running.executor import Executor

T = TypeVar("T")
R = TypeVar("R")

PARTS = 4
"""A batch is such a part of a worker thread's share of what is left: all threads end together."""
LARGEST = 64
"""Cases in a batch at most: what one death costs, and what lies in memory for each thread."""


class DaskExecutor(Executor):
    """Runs batches on the workers of a cluster.

    The scheduler runs a batch again whose worker died, as often as it allows failures.
    """

    isolates = True
    patience = 5.0

    def __init__(self, address: str, claim: Claim, source: Path, cases: int) -> None:
        self._claim = claim
        self._versions = seen_versions()
        self._remote: dict[Future[Any], Any] = {}
        self._served = time.monotonic()
        self._left, self._count, self._counted = cases, 1, -math.inf
        try:
            with ExitStack() as opening:  # what is open is closed again where this fails
                opening.enter_context(silent())
                self._client = _connect(address)
                opening.callback(self._client.close)
                check_workers(self._client, claim, source)
                self._open = opening.pop_all()
        except OSError as error:
            raise _lost() from error

    @property
    def batch(self) -> int:
        """What `batch_size` says of the cases that were not sent yet."""
        return batch_size(self._left, self._threads())

    @property
    def slots(self) -> int:
        """One batch for each worker thread, and some to go on with."""
        threads = self._threads()
        return threads + max(2, threads // 4)

    def submit(self, function: Callable[[T], R], task: T) -> "Future[R]":
        """Send a batch; it raises `BrokenExecutor` where its workers died."""
        future, key = Future[R](), f"chaosprep-{os.urandom(8).hex()}"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")
            remote = self._client.submit(
                work, function, task, self._claim, self._versions, pure=False, key=key
            )
        self._left -= len(task) if isinstance(task, tuple) else 1
        self._remote[future] = remote  # who drops it cancels it
        remote.add_done_callback(lambda done: self._settle(future, done))
        return future

    def close(self) -> None:
        """Leave the cluster; it drops what nobody waits for."""
        self._open.close()

    def look(self) -> None:
        """Give up where there has been no worker for `dask_workers.PATIENCE` seconds.

        Raises:
            ChaosprepError: `dask-no-workers`.
        """
        if self._client.status != "running" or self._workers():
            self._served = time.monotonic()
        elif time.monotonic() - self._served > dask_workers.PATIENCE:
            raise no_workers("the last worker is gone")

    def abort(self) -> None:
        """Take back the right to write, and wait for those who are at it as far as they answer."""
        self._claim.give_up()
        remote, self._remote = list(self._remote.values()), {}
        if self._client.status == "running":
            arguments = (self._client, self._claim, remote)
            waiting = threading.Thread(target=_end, args=arguments, daemon=True)
            waiting.start()
            waiting.join(dask_workers.PATIENCE)
        self.close()

    def _threads(self) -> int:
        """The worker threads, counted every two seconds."""
        if time.monotonic() - self._counted > 2:
            self._count = max(1, sum(self._workers().values()))
            self._counted = time.monotonic()
        return self._count

    def _workers(self) -> dict[str, int]:
        """Worker -> its threads.

        Raises:
            ChaosprepError: `dask-lost`; to others, a lost connection would look like a lost disk.
        """
        try:
            found: dict[str, int] = self._client.nthreads()
        except OSError as error:
            raise _lost() from error
        return found

    def _settle(self, future: "Future[Any]", done: Any) -> None:  # noqa: ANN401 - no types
        from distributed.scheduler import KilledWorker

        if done.status in ("lost", "pending"):  # its worker died with the result: it is made again
            done.add_done_callback(lambda again: self._settle(future, again))
            return
        self._remote.pop(future, None)
        if done.status == "finished":
            try:
                future.set_result(done.result())
            except OSError:  # it is there, and nobody brings it: one of a disk has status "error"
                future.set_exception(_lost())
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the future's
                future.set_exception(error)
            return
        raised = done.exception() if done.status == "error" else _lost()
        if isinstance(raised, KilledWorker):
            raised = BrokenExecutor(str(raised))
        elif isinstance(raised, SupersededError):
            raised = _superseded()
        future.set_exception(raised)


def _end(client: Any, claim: Claim, remote: list[Any]) -> None:  # noqa: ANN401 - no types
    """Cancel what is under way, and wait for those who are at it."""
    try:
        client.cancel(remote, force=True)
        while any(client.run(at_work, claim, on_error="ignore").values()):
            time.sleep(0.05)
    except Exception:  # noqa: BLE001 - left meanwhile, or no scheduler: the claim still stops them
        return


def batch_size(cases: int, threads: int) -> int:
    """Cases in the next batch, of so many that are left.

    Scheduler and client take about 3 ms for a batch, besides what the client takes for each row,
    and a case of 32 slices takes about 25 ms: batches that shrink leave them 1 % of the work of a
    few threads. But they are one process each: they keep up with so many threads where a batch has
    a sixth as many cases, `LARGEST` with some 400.
    """
    enough, lasting = threads // 6, cases // (PARTS * threads)
    return max(1, min(LARGEST, max(lasting, min(enough, cases // threads))))


def _connect(address: str) -> Any:  # noqa: ANN401 - no types
    from distributed import Client

    refusal: ChaosprepError
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions are checked below, those that matter
            return Client(address, timeout=dask_workers.PATIENCE, set_as_default=False)
    except OSError:
        refusal = ChaosprepError(
            f"--dask: no scheduler answers at {address}",
            "Start one there (dask scheduler), or correct the address.",
            code="dask-unreachable",
        )
    except (ArithmeticError, ImportError, RuntimeError, TypeError, ValueError) as error:
        refusal = UsageError(
            f"--dask: {address!r} is not an address that can be used here ({error})",
            "Give one such as tcp://host:8786, or local, or config.",
            code="dask-address",
        )
    gc.collect()  # a client that is half made would wait for its loop for ever when Python ends
    raise refusal


def _lost() -> ChaosprepError:
    return ChaosprepError(
        "dask: the scheduler is gone, or dropped the work",
        "Start it again; the same command continues from here.",
        code="dask-lost",
    )


def _superseded() -> ChaosprepError:
    return ChaosprepError(
        "dask: another run has begun to write into this output, or its workspace was removed",
        "Keep one run for each output; the same command continues from here.",
        code="dask-superseded",
    )
