"""Work on cases that makes no stage directory: mapped over workers, each problem with its case."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence, Sized
from contextlib import closing
from functools import partial
from typing import TypeVar

from chaosprep.errors import ChaosprepError, Problem
from chaosprep.running.boundary import too_large, tried
from chaosprep.running.executor import Executor
from chaosprep.running.executors import WorkerDied, map_unordered, open_executor

T = TypeVar("T")
R = TypeVar("R")
OnCase = Callable[[str, int, int], None]
"""Called with a case's id, how many are done, and how many there are."""


def ignore(case: str, done: int, total: int) -> None:
    """An `on_case` that does nothing."""


def map_cases(
    function: Callable[[T], R],
    tasks: Iterable[T],
    name: Callable[[T], str],
    jobs: int,
    on_case: OnCase = ignore,
    count: int | None = None,
) -> tuple[list[R], list[Problem]]:
    """Do the work of every case; give the results in the order of the tasks, and the problems.

    Args:
        function: the work; what it raises is a problem of its case.
        tasks: one for each case, read as workers become free; where `jobs` is not 1, they and
            `function` must pickle.
        name: the id of a task's case.
        jobs: worker processes; 1 works in this process.
        on_case: called in this process for each case that is done.
        count: how many tasks there are at most; needed where `tasks` has no length.
    """
    made: dict[int, R] = {}
    problems: list[Problem] = []
    total = len(tasks) if isinstance(tasks, Sized) else count or 0
    with closing(stream_cases(function, tasks, jobs, total)) as results:
        for done, (index, task, result) in enumerate(results, start=1):
            id = name(task)
            if isinstance(result, ChaosprepError):
                problems.append(Problem.of(result, id))
            else:
                made[index] = result
            on_case(id, done, total)
    problems.sort(key=lambda problem: problem.id)
    return [made[index] for index in sorted(made)], problems


def on_workers(
    function: Callable[[T], R], tasks: Sequence[T], jobs: int
) -> Iterator[tuple[T, R | ChaosprepError]]:
    """Do tasks that are no cases, for a workbench: each with its result or error as it is done."""
    return on_opened(function, tasks, partial(open_executor, jobs))


def on_opened(
    function: Callable[[T], R], tasks: Sequence[T], opens: Callable[[int], Executor]
) -> Iterator[tuple[T, R | ChaosprepError]]:
    """Do tasks as `on_workers` does, on what opens for so many."""
    with closing(_streamed(function, tasks, opens, len(tasks))) as results:
        for _, task, result in results:
            yield task, result


def stream_cases(
    function: Callable[[T], R], tasks: Iterable[T], jobs: int, count: int
) -> Generator[tuple[int, T, R | ChaosprepError], None, None]:
    """Do the work of every case; as it is done, yield its number, task, and result or error.

    Closing it ends the workers. `tasks` are read as workers become free; `count` is how many
    there are at most.
    """
    return _streamed(function, tasks, partial(open_executor, jobs), count)


def _streamed(
    function: Callable[[T], R], tasks: Iterable[T], opens: Callable[[int], Executor], count: int
) -> Generator[tuple[int, T, R | ChaosprepError], None, None]:
    work, numbered = partial(_tried, function), iter(enumerate(tasks))
    with closing(map_unordered(lambda: opens(count), work, numbered)) as results:
        for (index, task), result in results:
            yield index, task, too_large() if isinstance(result, WorkerDied) else result


def _tried(function: Callable[[T], R], numbered: tuple[int, T]) -> R | ChaosprepError:
    return tried(function, numbered[1])
