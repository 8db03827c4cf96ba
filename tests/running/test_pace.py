"""Quick tasks are sent several at once, slow ones alone; what comes of them stays."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from chaosprep.running.executor import Executor, SerialExecutor
from chaosprep.running.executors import map_unordered
from chaosprep.running.pace import Pace
from chaosprep.running.processes import ProcessExecutor

Batches = list[tuple[float, int]]


class Paced(Executor):
    paced = True

    @property
    def slots(self) -> int:
        return 4


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Batches]:
    """Batches one after the other on a made-up clock: when each was sent, and how large it was."""
    now = 0.0
    monkeypatch.setattr("chaosprep.running.pace.time.monotonic", lambda: now)

    def send(seconds_of_a_task: float) -> Batches:
        nonlocal now
        pace, sent = Pace(), list[tuple[float, int]]()
        begin = now
        while now < begin + 60:
            size = pace.batch(Paced())
            sent.append((now - begin, size))
            now += size * seconds_of_a_task
            pace.did(size)
        return sent

    return send


@pytest.mark.parametrize("seconds", [0.1, 1.0, 20.0])
def test_tasks_that_take_long_go_one_by_one(
    batches: Callable[[float], Batches], seconds: float
) -> None:
    assert {size for _, size in batches(seconds)} == {1}


def test_quick_ones_go_together_once_it_is_known_that_they_are(
    batches: Callable[[float], Batches],
) -> None:
    sent = batches(0.001)
    assert sent[0][1] == 1
    assert sent[-1][1] == 16
    assert [size for _, size in sent] == sorted(size for _, size in sent)


@pytest.mark.parametrize("seconds", [0.0001, 0.001, 0.01, 0.03])
def test_a_batch_is_a_moment_and_a_small_part_of_the_time_that_has_passed(
    batches: Callable[[float], Batches], seconds: float
) -> None:
    for passed, size in batches(seconds):
        assert size == 1 or 4 * size * seconds <= min(0.2, passed / 32) + 1e-9


def test_who_is_not_paced_decides_alone() -> None:
    pace = Pace()
    pace.did(10_000)
    assert pace.batch(SerialExecutor()) == 1


def quick(number: int) -> int:
    time.sleep(0.0002)
    return -number


def test_workers_are_sent_several_and_every_task_is_done_once() -> None:
    sizes = set[int]()

    class Seen(ProcessExecutor):
        def submit(self, function: Callable[[Any], Any], task: Any) -> "Future[Any]":  # noqa: ANN401
            sizes.add(len(task))
            return super().submit(function, task)

    found = sorted(map_unordered(lambda: Seen(2), quick, iter(range(3000))))
    assert found == [(number, -number) for number in range(3000)]
    assert len(sizes) > 1
