"""Ids from names: safe to write anywhere, and in the order of the numbers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.layouts.names import collisions, make_ids


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["7"], ["P007"]),
        (["7", "12", "1000"], ["P007", "P012", "P1000"]),
        (["007", "012"], ["P007", "P012"]),
        (["case 7", "case 12"], ["case-7", "case-12"]),
        (["anna"], ["anna"]),
        (["Müller 3"], ["Muller-3"]),
        (["a_b (c)"], ["a-b-c"]),
        (["7a", "12a"], ["P7a", "P12a"]),
        (["LiTS.01"], ["LiTS.01"]),
    ],
)
def test_ids_of_patients(names: list[str], expected: list[str]) -> None:
    assert list(make_ids(names, "P", 3).values()) == expected


@pytest.mark.parametrize("name", ["", "张三", "---", "a" * 65])
def test_some_names_make_no_id(name: str) -> None:
    assert make_ids([name], "P", 3) == {name: None}


@pytest.mark.parametrize("names", [["7", "007"], ["a b", "a-b"], ["Anna", "anna"], ["7", "P007"]])
def test_names_that_make_one_id_are_told(names: list[str]) -> None:
    assert collisions(make_ids([*names, "other"], "P", 3)) == set(names)


@given(st.sets(st.text(max_size=20)))
def test_every_id_is_one_that_the_table_takes(names: set[str]) -> None:
    for id in make_ids(names, "P", 3).values():
        assert id is None or re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]*", id)


@given(st.sets(st.integers(0, 999)))
def test_up_to_999_sorting_by_text_is_sorting_by_number(numbers: set[int]) -> None:
    made = make_ids(map(str, numbers), "P", 3)
    assert sorted(map(str, made.values())) == [made[str(number)] for number in sorted(numbers)]


@given(st.permutations(["1", "10", "2", "x3", "x20", "anna"]))
def test_the_order_of_the_names_does_not_matter(names: list[str]) -> None:
    assert make_ids(names, "P", 3) == make_ids(sorted(names), "P", 3)


NAME = st.text("a7 -.0Ü9", max_size=6)


@given(st.sets(NAME), st.sets(NAME))
def test_other_names_change_no_id(names: set[str], others: set[str]) -> None:
    assert make_ids(names, "P", 3).items() <= make_ids(names | others, "P", 3).items()


def test_a_sequences_number_stays_as_it_is_written() -> None:
    assert make_ids(["1", "10", "t2"], "s", 1) == {"1": "s1", "10": "s10", "t2": "t2"}
