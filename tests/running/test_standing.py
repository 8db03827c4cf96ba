"""Workers that stand by between runs: started once, replaced where one dies, and none is left."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from chaosprep.running.executor import SerialExecutor
from chaosprep.running.executors import map_unordered
from chaosprep.running.standing import StandingWorkers
from tests.running.test_executors import alive, wait_until
from tests.running.toys import within

FAST = 30  # seconds; generous, only a hang takes as long


def whoami(pause: float) -> int:
    time.sleep(pause)
    return os.getpid()


def run(workers: StandingWorkers, tasks: int, pause: float = 0.02) -> set[int]:
    """The processes that did one run."""
    results = map_unordered(lambda: workers.executor(tasks), whoami, iter([pause] * tasks))
    return {pid for _, pid in results if isinstance(pid, int)}


@pytest.fixture
def workers() -> Iterator[StandingWorkers]:
    with StandingWorkers(2) as standing:
        yield standing


def test_one_run_after_the_other_has_the_same_processes(workers: StandingWorkers) -> None:
    first = within(FAST, lambda: run(workers, 8))
    assert len(first) == 2
    assert within(FAST, lambda: run(workers, 8)) <= first


def test_a_run_with_more_tasks_than_processes_starts_as_many_as_it_may(
    workers: StandingWorkers,
) -> None:
    (alone,) = within(FAST, lambda: run(workers, 1))
    assert len(within(FAST, lambda: run(workers, 8, 0.1))) == 2
    assert not alive(alone)


def test_where_one_died_between_two_runs_the_next_has_new_ones(workers: StandingWorkers) -> None:
    first = within(FAST, lambda: run(workers, 8))
    killed, mate = first
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: not alive(mate), FAST)  # until it is noticed, it might do a task
    assert within(FAST, lambda: run(workers, 8)).isdisjoint(first)


def test_a_run_that_is_left_leaves_nobody_at_work(workers: StandingWorkers) -> None:
    def leave() -> int:
        with closing(map_unordered(lambda: workers.executor(9), whoami, iter([0.05] * 9))) as left:
            pid = next(left)[1]
            assert isinstance(pid, int)
            return pid

    assert not alive(within(FAST, leave))
    assert within(FAST, lambda: run(workers, 4))


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_behind_the_context_no_process_is_left(error: BaseException | None) -> None:
    found: set[int] = set()
    try:
        with StandingWorkers(2) as standing:
            found |= within(FAST, lambda: run(standing, 8))
            if error is not None:
                raise error
    except KeyboardInterrupt:
        pass
    assert found
    assert not any(map(alive, found))


def test_an_earlier_run_that_is_ended_late_takes_no_processes_of_the_next_along() -> None:
    with StandingWorkers(2) as standing:
        first, second = standing.executor(1), standing.executor(8)
        pid = within(FAST, lambda: second.submit(whoami, 0.0).result())
        first.abort()
    assert not alive(pid)


def test_one_job_is_this_process() -> None:
    with StandingWorkers(1) as standing:
        assert isinstance(standing.executor(5), SerialExecutor)
