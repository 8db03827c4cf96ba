"""Which Dask cluster: one of this machine's processes, the configured one, or an address."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from chaosprep.errors import ChaosprepError, UsageError
from chaosprep.running.executors import check_guard, warm_up

LOCAL = "local"
CONFIG = "config"
_INSTALL = "Run: pip install 'chaosprep[dask]'."
_TLS = "distributed.comm.tls"
_LOGGERS = (
    "asyncio",
    "distributed",
    "distributed.client",
    "distributed.nanny",
    "distributed.scheduler",
)
_IGNORE_INTERRUPTS = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
_PRELOAD = ("distributed", "chaosprep.running.dask.workers")
_SETTINGS = {
    "distributed.admin.tick.interval": "500ms",
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # a case that kills its worker is found with fewer deaths; nobody else's work is here
    "distributed.scheduler.allowed-failures": 1,
}


def warm_up_for(dask: str | None, jobs: int, modules: Sequence[str]) -> None:
    """Let the server that workers are forked from start, where workers are processes of ours.

    Args:
        dask: as in `scheduler_address`.
        jobs: the worker processes; one is this process itself, or a process of `local`.
        modules: what the workers need besides, as in `warm_up`.
    """
    check_guard()
    if dask is None:
        warm_up(jobs, modules)
    elif dask == LOCAL:
        warm_up(jobs + 1, (*_PRELOAD, *modules))


@contextmanager
def scheduler_address(dask: str | None, jobs: int) -> Iterator[str | None]:
    """The address of the scheduler that is meant, as long as the context lasts; None without one.

    Args:
        dask: `local` starts a cluster of `jobs` processes on this machine; `config` or nothing is
            what Dask is configured to use (`DASK_SCHEDULER_ADDRESS`); all else is an address.
        jobs: the worker processes of `local`.

    Raises:
        ChaosprepError: `dask-missing`, Dask is not installed.
        UsageError: `dask-address`, Dask is not configured.
        ChaosprepError: `main-guard`, the processes of `local` do not start.
    """
    if dask is None:
        yield None
        return
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ChaosprepError("dask is not installed", _INSTALL, code="dask-missing") from error
    if dask == LOCAL:
        with _local_cluster(jobs) as address:
            yield address
    else:
        yield _configured() if dask in (CONFIG, "") else dask


def _configured() -> str:
    import dask

    address = dask.config.get("scheduler-address", None)
    if not address:
        raise UsageError(
            "--dask: no scheduler is configured",
            "Set DASK_SCHEDULER_ADDRESS, or give its address.",
            code="dask-address",
        )
    return str(address)


@contextmanager
def _local_cluster(jobs: int) -> Iterator[str]:
    from logging import CRITICAL

    import dask
    import distributed.utils
    from distributed import LocalCluster

    from chaosprep.running.starting import starting
    from chaosprep.systems.starting import start_method

    started = {"distributed.worker.multiprocessing-method": start_method()}
    distributed.utils._forkserver_preload_set = True  # what it would set is imported here as well
    with silent(), dask.config.set(started | _SETTINGS | _keys()):
        try:
            cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                protocol="tls://",
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                memory_limit=0,
                silence_logs=CRITICAL,
                preload=[_IGNORE_INTERRUPTS],
            )
        except RuntimeError as error:  # "Nanny failed to start."
            below: BaseException = error
            while under := below.__cause__ or below.__context__:
                below = under
                if isinstance(below, OSError):
                    with starting():
                        raise below from None
            raise ChaosprepError(
                "dask: the local worker processes do not start",
                "In a script, put what it does under if __name__ == '__main__':.",
                code="main-guard",
            ) from None
        with cluster:
            yield cluster.scheduler_address


def _keys() -> dict[str, object]:
    """Keys of this cluster alone, as settings: others on this machine reach its ports too.

    They are made anew and handed on in memory; every client in this process has them as long as the
    settings hold, and nobody else is answered.

    Raises:
        ChaosprepError: `dask-missing`, what makes keys is not installed.
    """
    from distributed.security import Security

    try:
        made = Security.temporary()
    except ImportError as error:
        raise ChaosprepError(
            "cryptography is not installed", _INSTALL, code="dask-missing"
        ) from error
    settings: dict[str, object] = {f"{_TLS}.ca-file": made.tls_ca_file}
    for role in ("client", "scheduler", "worker"):
        found = made.get_tls_config_for_role(role)
        settings |= {f"{_TLS}.{role}.{name}": found[name] for name in ("cert", "key")}
    return settings


@contextmanager
def silent() -> Iterator[None]:
    """Keep Dask's log lines away: what they tell becomes an error, or is settled."""
    import logging

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
