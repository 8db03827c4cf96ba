"""A Dask cluster that runs: python -m benchmarks.cluster WORKERS tells its address.

It ends with its input, so that it never outlives who started it.
"""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = 30
"""Seconds that it has to end by itself."""


@contextmanager
def running_cluster(workers: int) -> Iterator[dict[str, str]]:
    """The address of its scheduler as `scheduler`, and its process as `pid`, while it lasts."""
    command = [sys.executable, "-m", "benchmarks.cluster", str(workers)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield {"scheduler": process.stdout.readline().strip(), "pid": str(process.pid)}
        finally:
            process.stdin.close()
            try:
                process.wait(ENDING)
            except subprocess.TimeoutExpired:
                process.kill()  # its workers end with it


def main(workers: int) -> None:
    """Run until the input ends: processes of one thread, as `dask worker` starts them."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
