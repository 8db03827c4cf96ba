"""A worker that ends amid the result that it sends, of which the other end then has one half."""

import os
import signal
import sys
import time
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from chaosprep.running.executors import WorkerDied, map_unordered
from chaosprep.running.processes import ProcessExecutor
from tests.running.test_executors import FAST, wait_until
from tests.running.toys import within

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes have other calls there")


def send_half(task: tuple[int, str]) -> int:
    """Send the result, or half of it: then `die`, or, once told at a path, say so there."""
    number, trick = task
    told = Path(trick, "told")

    def half(self: Connection, data: bytes) -> None:
        os.write(self.fileno(), data[: len(data) // 2])
        if trick == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        Path(trick, "half").touch()
        time.sleep(10 * FAST)

    if trick:
        assert trick == "die" or wait_until(told.exists, FAST)
        Connection._send = half  # type: ignore[attr-defined]
    return number


def test_one_that_dies_amid_a_result_is_replaced_and_blamed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ProcessExecutor, "patience", 0.2)
    tasks = [(n, "die" if n == 3 else "") for n in range(8)]
    found = within(
        FAST, lambda: list(map_unordered(lambda: ProcessExecutor(2), send_half, iter(tasks)))
    )
    assert sorted(task for task, _ in found) == tasks
    assert [task[0] for task, result in found if isinstance(result, WorkerDied)] == [3]
    assert all(result == task[0] for task, result in found if task[0] != 3)


def test_one_that_is_ended_amid_a_result_is_not_waited_for(tmp_path: Path) -> None:
    tasks = [(0, ""), (1, str(tmp_path))]

    def leave() -> int:
        with closing(map_unordered(lambda: ProcessExecutor(2), send_half, iter(tasks))) as results:
            (number, _), _ = next(results)
            (tmp_path / "told").touch()
            assert wait_until((tmp_path / "half").exists, FAST)
        return number

    assert within(2 * FAST, leave) == 0
