"""Conditions over columns: Python's own answers, but for what is missing, and nothing else run."""

import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosprep.errors import UsageError
from chaosprep.expressions.condition import Condition

ROW: dict[str, object] = {
    "rows": 256,
    "cols": 320,
    "slice": 7,
    "sequence": "t1-in",
    "patient": "MR001",
    "spacing": (5.5, 0.75, 0.75),
    "pixels": {"liver": 120, "spleen": 0},
    "labels": {63: "liver"},
    "warnings": (),
    "fold": None,
    "mask": None,
    "position": None,
}


def holds(text: str, row: Mapping[str, object] = ROW) -> bool | None:
    return Condition(text, ROW.keys()).holds("S", row.__getitem__)


def refusal(text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        holds(text)
    return caught.value


NUMBERS = st.sampled_from(
    ["rows", "cols", "slice", "spacing[0]", "spacing[-1]", "pixels['liver']", "pixels['spleen']"]
)
AMOUNTS = st.recursive(
    NUMBERS | st.integers(-9, 400).map(str),
    lambda one: st.one_of(
        st.builds(lambda a, op, b: f"({a} {op} {b})", one, st.sampled_from("+-*"), one),
        st.builds(lambda a: f"(-{a})", one),
        st.builds(lambda a, b: f"max({a}, {b})", one, one),
        st.builds(lambda a: f"abs({a})", one),
    ),
    max_leaves=4,
)
COMPARED = st.builds(
    lambda a, op, b, more, c: f"{a} {op} {b}" + (f" {more} {c}" if more else ""),
    AMOUNTS,
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    AMOUNTS,
    st.sampled_from(["", "<", ">="]),
    AMOUNTS,
)
SAID = st.sampled_from(
    [
        "sequence == 't1-in'",
        "sequence in ('ct', 't1-out')",
        "patient not in ('MR001', 'MR002')",
        "'liver' in pixels",
        "'t1' in sequence",
        "len(warnings) == 0",
        "not warnings",
        "spacing[0] in (5.5, 6)",
    ]
)
TRUTHS = st.recursive(
    COMPARED | SAID,
    lambda one: st.one_of(
        st.builds(lambda a, op, b: f"({a}) {op} ({b})", one, st.sampled_from(["and", "or"]), one),
        st.builds(lambda a: f"not ({a})", one),
    ),
    max_leaves=4,
)


@settings(max_examples=60)
@given(text=TRUTHS)
def test_what_is_there_is_judged_as_python_judges_it(text: str) -> None:
    text = f"({text}) and rows > 0"  # so that it names a column
    assert holds(text) is bool(eval(text, {}, dict(ROW)))  # noqa: S307 - made by this test


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("fold == 1", None),
        ("fold != 1", None),
        ("not fold == 1", None),
        ("fold + 1 < 3", None),
        ("position[2] > 0", None),
        ("pixels['kidney'] > 0", None),
        ("rows / pixels['spleen'] > 1", None),
        ("fold in (0, 1)", None),
        ("fold == 1 or rows == 256", True),
        ("fold == 1 and rows == 1", False),
        ("fold == 1 and rows == 256", None),
        ("fold is None", True),
        ("fold == null", True),
        ("fold != None", False),
        ("fold in (0, None)", True),
        ("rows is not None", True),
    ],
)
def test_what_is_missing_is_unknown_where_it_matters(text: str, found: bool | None) -> None:
    assert holds(text) is found


@pytest.mark.parametrize(
    "text",
    [
        "rows.__class__",
        "().__class__.__bases__[0]",
        "__import__('os').system('true')",
        "open('/etc/passwd')",
        "[x for x in warnings]",
        "(lambda: rows)()",
        "f'{rows}'",
        "rows if rows else 0",
        "(rows := 3)",
        "rows[0:1]",
        "max(*warnings)",
        "max(rows, key=abs)",
        "sequence % rows is rows",
        "1j < rows",
        "b'' == sequence",
        "{rows: 1}",
        "rows = 256",
        "rows > 3; rows",
        "256 > 3",
        "",
        "\x00",
        "rows > \ud800",
    ],
)
def test_nothing_but_a_condition_is_read(text: str) -> None:
    assert refusal(text).code == "where-syntax"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("sequence == 't1-in' or 'ct'", "'ct'"),
        ("sequence == ('t1-in' or 'ct')", "'t1-in'"),
        ("rows >= 256, cols >= 256", "rows >= 256, cols >= 256"),
        ("rows >= 256 and not [cols > 3]", "[cols > 3]"),
        ("rows > 256 or 512", "512"),
    ],
)
def test_what_would_hold_of_every_row_is_no_condition(text: str, part: str) -> None:
    error = refusal(text)
    assert error.code == "where-syntax"
    assert error.reason.endswith(f": {part} says nothing about a row")


@pytest.mark.parametrize(
    "text",
    [
        "10**10**10 < rows",
        "rows ** 9 ** 9 ** 9 > 1",
        "'a' * 10**9 == sequence",
        "(" * 400 + "rows" + ")" * 400,
        "-" * 900 + "rows",
        "not " * 240 + "rows",
        "[" * 150 + "]" * 150,
        "{1:" * 150,
        "rows" + ".a" * 400,
        "rows < " * 140 + "rows > 1 " + "+ 1" * 200,
        "x" * 10_000_000,
    ],
)
def test_what_would_take_long_is_refused_at_once(text: str) -> None:
    began = time.perf_counter()
    assert refusal(text).code.startswith("where-")
    assert time.perf_counter() - began < 1


def test_an_unknown_column_names_those_there_are() -> None:
    error = refusal("row > 3")
    assert error.code == "where-unknown"
    assert "There are: rows, cols" in error.remedy
    assert "Did you mean rows?" in error.remedy


@pytest.mark.parametrize(
    "text", ["rows == '256'", "sequence < 3", "rows in ('a', 'b')", "-patient < 1"]
)
def test_values_of_two_kinds_are_an_error_that_names_the_row(text: str) -> None:
    error = refusal(text)
    assert error.code == "where-type"
    assert "(S)" in error.reason


def test_a_key_that_no_row_has_is_misspelt() -> None:
    condition = Condition("pixels['livr'] > 3", ROW.keys())
    condition.holds("S", ROW.__getitem__)
    with pytest.raises(UsageError) as caught:
        condition.check_keys()
    assert caught.value.code == "where-unknown"
    assert "liver" in caught.value.remedy


def test_a_key_that_some_row_has_is_none_of_the_others() -> None:
    condition = Condition("pixels['kidney'] > 3", ROW.keys())
    assert condition.holds("S", ROW.__getitem__) is None
    assert condition.holds("S", (ROW | {"pixels": {"kidney": 4}}).__getitem__) is True
    condition.check_keys()
