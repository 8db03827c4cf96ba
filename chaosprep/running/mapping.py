"""Work on cases that makes no stage directory: mapped over workers, each problem with its case."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

from chaosprep.errors import ChaosprepError, Problem
from chaosprep.running.executors import WorkerDied, map_unordered, open_executor

T = TypeVar("T")
R = TypeVar("R")
OnCase = Callable[[str, int, int], None]
"""Called with a case's id, how many are done, and how many there are."""


def ignore(case: str, done: int, total: int) -> None:
    """An `on_case` that does nothing."""


def map_cases(
    function: Callable[[T], R],
    tasks: Sequence[T],
    name: Callable[[T], str],
    jobs: int,
    on_case: OnCase = ignore,
) -> tuple[list[R], list[Problem]]:
    """Do the work of every case; give the results in the order of the tasks, and the problems.

    Args:
        function: the work; a `ChaosprepError` of it is a problem of its case.
        tasks: one for each case; where `jobs` is not 1, they and `function` must pickle.
        name: the id of a task's case.
        jobs: worker processes; 1 works in this process.
        on_case: called in this process for each case that is done.
    """
    made: dict[int, R] = {}
    problems: list[Problem] = []
    numbered = iter(enumerate(tasks))
    work = _Work(function)
    with closing(map_unordered(lambda: open_executor(jobs, len(tasks)), work, numbered)) as results:
        for done, ((index, task), result) in enumerate(results, start=1):
            id = name(task)
            if isinstance(result, WorkerDied):
                problems.append(Problem.of(_DIED, id))
            elif isinstance(result, ChaosprepError):
                problems.append(Problem.of(result, id))
            else:
                made[index] = result
            on_case(id, done, len(tasks))
    problems.sort(key=lambda problem: problem.id)
    return [made[index] for index in sorted(made)], problems


@dataclass(frozen=True)
class _Work:
    """Calls a function on a numbered task; a named error is its result."""

    function: Callable[[Any], Any]

    def __call__(self, numbered: tuple[int, Any]) -> Any:  # noqa: ANN401 - whatever it gives
        try:
            return self.function(numbered[1])
        except ChaosprepError as error:
            return error


_DIED = ChaosprepError(
    "its worker process died, twice", "Try --jobs 1, or more memory.", "worker-died"
)
