"""Worker processes that cannot start, or whose server is killed."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

from chaosprep.errors import ChaosprepError, RefusedError
from chaosprep.running.interrupts import interrupts_held
from chaosprep.running.processes import ProcessExecutor
from chaosprep.running.server import start_server
from chaosprep.running.starting import check_system, starting
from chaosprep.systems.starting import start_method
from tests.attacks.outside import environment
from tests.running.test_executors import alive, wait_until
from tests.running.toys import within

LIMIT = 60  # seconds; generous, only a hang takes as long


@pytest.mark.skipif(start_method() != "forkserver", reason="no server listens here")
def test_without_a_folder_for_temporary_files_the_variable_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(ChaosprepError) as caught:
        check_system()
    assert caught.value.code == "workers"
    assert "TMPDIR" in caught.value.remedy
    assert "--jobs 1" in caught.value.remedy


@pytest.mark.skipif(start_method() != "forkserver", reason="no server listens here")
def test_a_long_path_that_the_program_has_settled_on_is_named_with_what_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = "/" + "l" * 100
    monkeypatch.setattr("multiprocessing.util.get_temp_dir", lambda: long)
    with pytest.raises(ChaosprepError) as caught:
        check_system()
    assert long in caught.value.reason
    assert "TMPDIR" in caught.value.remedy
    assert "short path" in caught.value.remedy


def test_a_daemonic_process_is_told_that_it_may_start_none() -> None:
    with multiprocessing.get_context(start_method()).Pool(1) as pool:
        assert pool.apply(refusal) == (
            "workers",
            "Use --jobs 1 without --dask, or start it by concurrent.futures.",
        )


def refusal() -> tuple[str, str]:
    with pytest.raises(ChaosprepError) as caught:
        check_system()
    return caught.value.code, caught.value.remedy


def test_a_script_from_standard_input_is_told_that_workers_do_not_find_it() -> None:
    done = subprocess.run(
        [sys.executable, "-"],
        input="from chaosprep.running.executors import warm_up; warm_up(1); warm_up(2)",
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
        env=environment(),
    )
    assert done.stderr.endswith(
        "chaosprep.errors.ChaosprepError: worker processes cannot be started: the calling script, "
        "<stdin>, is no file. Save it as one, or use jobs=1 without dask.\n"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EOFError("unexpected EOF"), "workers"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "workers"),
        (OSError("AF_UNIX path too long"), "workers"),
        (OSError(errno.EMFILE, "Too many open files"), "system"),
    ],
)
def test_what_starting_a_worker_raises_has_a_name(error: Exception, code: str) -> None:
    with pytest.raises(ChaosprepError) as caught, starting():
        raise error
    assert caught.value.code == code
    assert isinstance(caught.value, RefusedError) == (code == "system")


def tell_and_work(folder: str) -> None:
    """Leave the process id, and work on as one does that does not come to heed a signal."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(folder, str(os.getpid())).touch()
    while True:
        time.sleep(0.01)


@pytest.mark.skipif(start_method() != "forkserver", reason="workers have no server here")
def test_a_worker_whose_server_was_killed_has_ended_when_its_executor_has(tmp_path: Path) -> None:
    """It is taken for dead at once, and would write on while another does its work again."""
    executor = ProcessExecutor(1)
    future = executor.submit(tell_and_work, str(tmp_path))
    assert wait_until(lambda: any(tmp_path.iterdir()), LIMIT)
    (pid,) = (int(path.name) for path in tmp_path.iterdir())
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    os.kill(server, signal.SIGKILL)
    with pytest.raises(BrokenExecutor):
        future.result(LIMIT)
    within(LIMIT, executor.close)
    assert wait_until(lambda: not alive(pid), 1)  # its files are closed a moment before it is gone


def test_a_pool_that_could_start_no_helper_thread_is_given_up() -> None:
    """Python's own thread dies of it without a word to those who wait."""
    executor = ProcessExecutor(1)
    executor.submit(int, "1").result(LIMIT)
    executor.look()
    pool: Any = executor._pool
    before, pool._executor_manager_thread = pool._executor_manager_thread, threading.Thread()
    with pytest.raises(RefusedError, match="no more"):
        executor.look()
    pool._executor_manager_thread = before
    executor.close()


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Ctrl-C as Python has it, also where tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_waits_until_a_process_has_started() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the order is what is tested
        with interrupts_held():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            done.append("started")
        done.append("never")
    assert done == ["started"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_start_processes_too() -> None:
    found = []

    def start() -> None:
        with interrupts_held():
            found.append(1)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert found == [1]


@pytest.mark.skipif(start_method() != "forkserver", reason="workers have no server here")
def test_a_server_does_not_begin_with_the_script_that_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[list[str]] = []
    monkeypatch.setattr("multiprocessing.set_forkserver_preload", taken.append)
    start_server(["json", "__main__"])
    assert [("json" in one, "__main__" in one) for one in taken] == [(True, False)]
