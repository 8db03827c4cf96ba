"""Workers may die; what they were doing is done again, and only a killer of workers is blamed."""

import os
import platform
import queue
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.errors import ChaosprepError
from chaosprep.running.executor import Executor, SerialExecutor
from chaosprep.running.executors import WorkerDied, map_unordered, open_executor
from chaosprep.running.processes import ProcessExecutor
from tests.running.toys import within

FAST = 30  # seconds; generous, only a hang takes as long


def square(number: int) -> int:
    return number * number


def whoami(pause: float) -> int:
    time.sleep(pause)
    return os.getpid()


def complain(number: int) -> int:
    raise ValueError(f"task {number}")


def play(task: tuple[int, str]) -> int:
    """Die at every try (`die`, `slow-die`), or at the first (`once PATH`), or be slow (`slow`)."""
    number, trick = task
    name, _, path = trick.partition(" ")
    if name.startswith("slow"):
        time.sleep(0.3)
    if name.endswith("die"):
        os._exit(1)
    if name == "once" and not Path(path).exists():
        Path(path).touch()
        os._exit(1)
    return number * number


def be_killed(task: tuple[str, int]) -> int:
    """Say who works here, then wait to be killed from outside; the second try goes through."""
    folder, number = task
    mark = Path(folder, f"{number}")
    if number == 0 and not mark.exists():
        mark.with_suffix(".part").write_text(str(os.getpid()))
        mark.with_suffix(".part").rename(mark)
        time.sleep(60)
    return number


def alive(pid: int) -> bool:
    """Whether a process still works (one that only waits to be reaped does not)."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_gives_its_result_once(jobs: int) -> None:
    def work() -> list[Any]:
        return list(map_unordered(lambda: open_executor(jobs), square, iter(range(20))))

    assert sorted(within(FAST, work)) == [(n, n * n) for n in range(20)]


def test_one_job_works_in_this_process_in_order() -> None:
    found = list(map_unordered(SerialExecutor, whoami, iter([0.0] * 3)))
    assert found == [(0.0, os.getpid())] * 3


def test_more_jobs_work_in_other_processes() -> None:
    def work() -> set[Any]:
        return {
            pid for _, pid in map_unordered(lambda: ProcessExecutor(2), whoami, iter([0.2] * 4))
        }

    found = within(FAST, work)
    assert len(found) == 2
    assert os.getpid() not in found


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_exception_of_a_task_comes_through(jobs: int) -> None:
    with pytest.raises(ValueError, match="task 3"):
        within(FAST, lambda: list(map_unordered(lambda: open_executor(jobs), complain, iter([3]))))


def test_tasks_are_taken_only_as_slots_become_free() -> None:
    """So that a million cases are never in memory at once."""
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = map_unordered(SerialExecutor, square, tasks())
    for _ in range(3):
        next(results)
    assert len(taken) == 3


def test_a_worker_that_dies_once_is_replaced_and_its_work_redone(tmp_path: Path) -> None:
    tasks = [(n, f"once {tmp_path / 'mark'}" if n == 2 else "") for n in range(8)]

    def work() -> list[Any]:
        return list(map_unordered(lambda: ProcessExecutor(2), play, iter(tasks)))

    assert sorted(within(FAST, work)) == [(task, task[0] ** 2) for task in tasks]
    assert (tmp_path / "mark").exists()


def test_tasks_that_always_kill_their_worker_are_named_and_the_others_finish() -> None:
    culprits = {1, 2, 6}
    tasks = [(n, "die" if n in culprits else "slow" if n == 0 else "") for n in range(8)]

    def work() -> list[Any]:
        return list(map_unordered(lambda: ProcessExecutor(2), play, iter(tasks)))

    found = within(FAST, work)
    assert sorted(task for task, _ in found) == tasks
    assert {task[0] for task, result in found if isinstance(result, WorkerDied)} == culprits
    assert {result for _, result in found if isinstance(result, int)} == {0, 9, 16, 25, 49}


def test_one_that_takes_its_time_to_kill_its_worker_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ProcessExecutor, "patience", 0.05)
    tasks = [(0, ""), (1, "slow-die")]

    def work() -> list[Any]:
        return list(map_unordered(lambda: ProcessExecutor(2), play, iter(tasks)))

    died = [task for task, result in within(FAST, work) if isinstance(result, WorkerDied)]
    assert died == [(1, "slow-die")]


def test_a_worker_that_is_killed_from_outside_is_replaced(tmp_path: Path) -> None:
    def work() -> list[Any]:
        tasks = iter([(str(tmp_path), n) for n in range(5)])
        return [result for _, result in map_unordered(lambda: ProcessExecutor(2), be_killed, tasks)]

    def kill() -> None:
        assert wait_until((tmp_path / "0").exists, FAST)
        os.kill(int((tmp_path / "0").read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    assert sorted(within(FAST, work)) == [0, 1, 2, 3, 4]
    killer.join()


def test_closing_the_map_leaves_no_worker_at_work() -> None:
    """Otherwise one could still write when the next run holds the lock."""
    pids: set[int] = set()

    def work() -> None:
        results = map_unordered(lambda: ProcessExecutor(2), whoami, iter([0.05] * 1000))
        for _ in range(4):
            pid = next(results)[1]
            assert isinstance(pid, int)
            pids.add(pid)
        results.close()

    within(FAST, work)
    assert pids
    assert not any(alive(pid) for pid in pids)


PARENT = """
import sys, time, os
from pathlib import Path
from chaosprep.running.executors import map_unordered
from chaosprep.running.processes import ProcessExecutor
from tests.running.test_executors import announce
if __name__ == "__main__":
    list(map_unordered(lambda: ProcessExecutor(2), announce, iter([sys.argv[1]] * 50)))
"""


def announce(folder: str) -> None:
    """Leave the worker's process id, then work on."""
    Path(folder, str(os.getpid())).touch()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        sum(range(10_000))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
def test_workers_end_by_themselves_when_their_parent_is_killed(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(script), str(tmp_path / "pids")]
    parent = subprocess.Popen(command, env=environment)
    try:
        assert wait_until(lambda: len(list((tmp_path / "pids").iterdir())) == 2, FAST)
    finally:
        parent.kill()
        parent.wait(10)
    pids = [int(path.name) for path in (tmp_path / "pids").iterdir()]
    assert wait_until(lambda: not any(alive(pid) for pid in pids), 5)


class Scripted(Executor):
    """An executor of one thread, broken for good by a batch that holds a culprit."""

    slots = 1

    def __init__(self, slots: int, culprits: set[int]) -> None:
        self.slots = slots
        self._culprits = culprits
        self._broken = False
        self._queue: queue.Queue[tuple[Future[Any], Callable[[Any], Any], Any] | None]
        self._queue = queue.Queue()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def submit(self, function: Callable[[Any], Any], task: Any) -> "Future[Any]":  # noqa: ANN401
        future: Future[Any] = Future()
        self._queue.put((future, function, task))
        return future

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def abort(self) -> None:
        self.close()

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            future, function, task = item
            self._broken = self._broken or bool(self._culprits & set(task))
            if self._broken:
                future.set_exception(BrokenExecutor())
            else:
                future.set_result(function(task))


@given(st.integers(1, 9), st.integers(1, 6), st.sets(st.integers(0, 8)))
def test_exactly_the_culprits_are_blamed(tasks: int, slots: int, culprits: set[int]) -> None:
    found = list(map_unordered(lambda: Scripted(slots, culprits), square, iter(range(tasks))))
    assert sorted(task for task, _ in found) == list(range(tasks))
    for task, result in found:
        assert isinstance(result, WorkerDied) if task in culprits else result == task * task


def test_where_nothing_finishes_the_executor_has_a_look() -> None:
    """As Dask's does, whose last worker may go without a word."""

    class Stuck(Executor):
        patience: float | None = 0.01

        def submit(self, function: Callable[[Any], Any], task: Any) -> "Future[Any]":  # noqa: ANN401
            return Future()

        def look(self) -> None:
            raise ChaosprepError("nobody is left", code="alone")

    with pytest.raises(ChaosprepError, match="nobody is left"):
        list(map_unordered(Stuck, str, iter([1])))


def test_workers_import_nothing_from_the_current_folder(tmp_path: Path) -> None:
    """As the command itself does not: there may lie an old copy, or somebody's `cv2.py`."""
    program, here = tmp_path / "bin/program.py", tmp_path / "here"
    program.parent.mkdir()
    here.mkdir()
    program.write_text(WITH_A_WORKER)
    (here / "cv2.py").write_text("from pathlib import Path\nPath('imported').touch()\n")
    subprocess.run([sys.executable, program], cwd=here, check=True, timeout=FAST)
    assert not (here / "imported").exists()


WITH_A_WORKER = """
from chaosprep.running.executors import open_executor
if __name__ == "__main__":
    executor = open_executor(2)
    assert executor.submit(abs, -3).result() == 3
    executor.close()
"""


def faults_of(pictures: int) -> int:
    """Page faults of taking and leaving cases of 32 pictures of 128 kB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(pictures // 32):
        [b"x" * 2**17 for _ in range(32)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_workers_keep_the_memory_of_a_case_for_the_next() -> None:
    """Else each picture is 32 pages of 4 kB that are mapped anew."""
    executor = open_executor(2, 1)
    executor.submit(faults_of, 32).result()
    assert executor.submit(faults_of, 3200).result() < 3200
    executor.close()
