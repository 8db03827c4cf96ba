"""Cases mapped over workers: results in order, problems with their case."""

import errno
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chaosprep.errors import FileError, OutputError, Problem
from chaosprep.files import write_new
from chaosprep.running.mapping import map_cases, stream_cases


def square(number: int) -> int:
    if number == 3:
        raise FileError("it is three", "Give another.", code="three")
    if number == 13:
        os._exit(1)
    if number == 17:
        raise KeyError("John Smith")
    if number == 19:
        raise MemoryError
    if number == 28:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return number * number


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_tasks(jobs: int) -> None:
    assert map_cases(square, [5, 1, 4, 2], str, jobs) == ([25, 1, 16, 4], [])


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_is_a_problem_of_its_case(jobs: int) -> None:
    made, problems = map_cases(square, [5, 3, 1], str, jobs)
    assert made == [25, 1]
    assert problems == [Problem(code="three", id="3", reason="it is three", remedy="Give another.")]


def write(path: Path) -> None:
    write_new(path, b"data")


@pytest.mark.parametrize("jobs", [1, 2])
def test_where_there_is_no_writing_the_work_ends(tmp_path: Path, jobs: int) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Not a directory"):
        map_cases(write, [tmp_path / "file/a", tmp_path / "b"], str, jobs)


def test_a_case_that_kills_its_worker_is_a_problem_of_that_case() -> None:
    made, problems = map_cases(square, [5, 13, 1], str, jobs=2)
    assert made == [25, 1]
    assert [(problem.code, problem.id) for problem in problems] == [("worker-died", "13")]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_case_that_takes_too_much_memory_is_a_problem_with_a_remedy(jobs: int) -> None:
    made, problems = map_cases(square, [5, 19, 1], str, jobs)
    assert made == [25, 1]
    assert [problem.text for problem in problems] == [
        "19: its worker ran out of memory. Try --jobs 1, or more memory."
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_nobody_foresaw_is_a_problem_of_its_case_to_be_reported(jobs: int) -> None:
    made, problems = map_cases(square, [5, 17, 1], str, jobs)
    assert made == [25, 1]
    assert [(problem.code, problem.id) for problem in problems] == [("internal", "17")]
    assert "KeyError at chaosprep/running/" in problems[0].text
    assert "Smith" not in problems[0].text


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_the_system_refuses_is_no_problem_of_a_case(jobs: int) -> None:
    with pytest.raises(OSError, match="No space left"):
        map_cases(square, [5, 28, 1], str, jobs)


def test_each_case_is_told_when_it_is_done() -> None:
    told: list[tuple[str, int, int]] = []

    def listen(case: str, done: int, total: int) -> None:
        told.append((case, done, total))

    map_cases(square, [5, 3], str, 1, listen)
    assert told == [("5", 1, 2), ("3", 2, 2)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_tasks_are_read_as_workers_become_free(jobs: int) -> None:
    read: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(20, 1020):
            read.append(number)
            yield number

    with closing(stream_cases(square, tasks(), jobs, 1000)) as results:
        _, task, result = next(results)
    assert result == task * task
    assert len(read) < 200


def test_as_they_finish_an_error_stands_for_the_result_of_its_task() -> None:
    with closing(stream_cases(square, [5, 3, 13, 1], 2, 4)) as results:
        found = {task: result for _, task, result in results}
    errors = {task: str(one) for task, one in found.items() if isinstance(one, Exception)}
    assert {task: one for task, one in found.items() if task not in errors} == {5: 25, 1: 1}
    assert errors == {
        3: "it is three. Give another.",
        13: "its worker process died, twice. Try jobs=1, or more memory.",
    }


def test_without_a_length_the_count_is_what_listeners_are_told() -> None:
    told: list[tuple[str, int, int]] = []

    def listen(case: str, done: int, total: int) -> None:
        told.append((case, done, total))

    map_cases(square, iter([5, 4]), str, 1, listen, count=2)
    assert told == [("5", 1, 2), ("4", 2, 2)]
