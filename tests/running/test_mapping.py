"""Cases mapped over workers: results in order, problems with their case."""

import os

import pytest

from chaosprep.errors import FileError, Problem
from chaosprep.running.mapping import map_cases


def square(number: int) -> int:
    if number == 3:
        raise FileError("it is three", "Give another.", code="three")
    if number == 13:
        os._exit(1)
    return number * number


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_tasks(jobs: int) -> None:
    assert map_cases(square, [5, 1, 4, 2], str, jobs) == ([25, 1, 16, 4], [])


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_is_a_problem_of_its_case(jobs: int) -> None:
    made, problems = map_cases(square, [5, 3, 1], str, jobs)
    assert made == [25, 1]
    assert problems == [Problem(code="three", id="3", reason="it is three", remedy="Give another.")]


def test_a_case_that_kills_its_worker_is_a_problem_of_that_case() -> None:
    made, problems = map_cases(square, [5, 13, 1], str, jobs=2)
    assert made == [25, 1]
    assert [(problem.code, problem.id) for problem in problems] == [("worker-died", "13")]


def test_each_case_is_told_when_it_is_done() -> None:
    told: list[tuple[str, int, int]] = []

    def listen(case: str, done: int, total: int) -> None:
        told.append((case, done, total))

    map_cases(square, [5, 3], str, 1, listen)
    assert told == [("5", 1, 2), ("3", 2, 2)]
