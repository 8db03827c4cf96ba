"""Problems of one cause are a few lines and a count."""

import pytest

from chaosprep.causes import by_cause
from chaosprep.errors import Problem
from tests.running.toys import within


def problem(id: str, reason: str, code: str = "x", file: str | None = None) -> Problem:
    return Problem(code=code, id=id, file=file, reason=reason, remedy="Look.")


def told(*problems: Problem) -> list[tuple[tuple[str, ...], int]]:
    return [(cause.lines, cause.more) for cause in by_cause(problems)]


def test_three_are_told_as_they_are() -> None:
    some = [problem(f"MR001_t1-in_s00{n}", "gone", file=f"{n}.png") for n in range(3)]
    assert told(*some) == [(tuple(one.text for one in some), 0)]


def test_of_more_three_are_told_and_the_rest_is_counted() -> None:
    some = [problem(f"MR00{n}", f"it has {n} slices in 'a {n}'") for n in range(1, 8)]
    assert told(*some) == [(tuple(one.text for one in some[:3]), 4)]


def test_one_text_on_many_slices_of_a_case_is_one_line() -> None:
    one = [problem(f"MR001_t1-in_s{n:03}", "odd") for n in range(40)]
    two = [problem(f"MR002_t1-in_s{n:03}_a01", "odd") for n in range(5)]
    assert told(*one, *two) == [
        (("MR001_t1-in (40 slices): odd. Look.", "MR002_t1-in (5 slices): odd. Look."), 0)
    ]


def test_one_id_many_times_is_one_line() -> None:
    assert told(*[problem("MR001", "odd")] * 4) == [(("MR001 (4 times): odd. Look.",), 0)]


def test_many_files_of_one_case_are_one_line() -> None:
    some = [problem("MR001_t1-in", "odd", file=f"{n}.png") for n in range(4)]
    assert told(*some) == [(("MR001_t1-in (4 files): odd. Look.",), 0)]


def test_numbers_names_and_lists_of_them_make_no_causes() -> None:
    parts = ("1, 2 and 3 of a/b.png", "4 of c/d.png", "5, 6 of x_y", "9 of 'z'")
    reasons = [f"lacks {part}" for part in parts]
    assert [more for _, more in told(*(problem(f"P{n}", r) for n, r in enumerate(reasons)))] == [1]


def test_other_codes_reasons_or_remedies_are_other_causes() -> None:
    other = Problem(code="x", id="P", reason="gone", remedy="Run.")
    found = told(problem("P", "gone"), problem("P", "gone", "y"), problem("P", "cut"), other)
    assert [lines for lines, _ in found] == [
        ("P: gone. Look.",),
        ("P: gone. Look.",),
        ("P: cut. Look.",),
        ("P: gone. Run.",),
    ]


def leak(one: str, side: str, other: str, there: str) -> Problem:
    return problem(one, f"in {side}, with the pixels of {other} in {there}", "leakage")


def test_the_slices_of_two_cases_are_one_line_that_names_the_cases() -> None:
    some = [leak(f"P1_a_s{n:03}", "train", f"P2_a_s{n:03}", "val") for n in range(9)]
    assert told(*some) == [
        (("P1_a (9 slices): in train, with the pixels of P2_a in val. Look.",), 0)
    ]


def test_pairs_of_other_cases_are_lines_of_their_own() -> None:
    some = [
        leak(f"P{case}_a_s{n:03}", "train", f"Q{case}_a_s{n:03}_a01", "val")
        for case in range(5)
        for n in range(2)
    ]
    lines = tuple(
        f"P{case}_a (2 slices): in train, with the pixels of Q{case}_a in val. Look."
        for case in range(3)
    )
    assert told(*some) == [(lines, 4)]


def test_the_sides_make_no_causes() -> None:
    sides = [("train", "val"), ("val", "train"), ("test", "train"), ("val", "test")]
    some = [leak(f"P{n}", one, f"Q{n}", other) for n, (one, other) in enumerate(sides)]
    assert told(*some) == [(tuple(one.text for one in some[:3]), 1)]


def test_what_only_looks_like_a_slice_keeps_its_name() -> None:
    some = [
        problem(f"P{n}", f"the folder p_s{n} and the file p_s001.png are odd") for n in range(4)
    ]
    assert [lines for lines, _ in told(*some)] == [tuple(one.text for one in some[:3])]


@pytest.mark.parametrize("part", ["x", "--a-", "train", "'x", '"a', "_s001", "`", "-", "#, "])
def test_a_text_of_any_length_is_told_at_once(part: str) -> None:
    some = [problem(f"MR00{n}", part * 50_000) for n in range(5)]
    assert within(10, lambda: told(*some)[0][1]) == 2
