"""Cells of a table: no formula, one line, numbers stay numbers; and tables of others, read."""

import csv
from collections.abc import Iterator
from io import StringIO

import pytest

from chaosprep.cells import cell, divide, read_cells


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", " =1", "-", "+", "--1", "1e"),
        *("\uff1d1+1", "\uff20SUM(A1)", '=HYPERLINK("http://x","y")', "\u00a0=1", "-liver", "+-3"),
    ],
)
def test_what_begins_like_a_formula_is_text(text: str) -> None:
    shown = cell(text)
    assert shown.lstrip()[0] not in "=+-@\uff1d\uff0b\uff0d\uff20"
    assert shown.replace("'", "", 1).strip() == text.strip() or "\\xa0" in shown


@pytest.mark.parametrize("text", ["\t=1", "\r=1", "\n=1", "a\n=1", "a\t=1", "a\r\n=1"])
def test_a_cell_is_one_line(text: str) -> None:
    assert len(cell(text).splitlines()) == 1
    assert "\t" not in cell(text)
    assert cell(text)[0] in "\\a"


def test_a_program_that_divides_at_semicolons_finds_no_formula() -> None:
    assert cell("liver;=1+1;  @x") == "liver;'=1+1;'  @x"


@pytest.mark.parametrize("text", ["-1", "+1", "-0.5", "-.5", "-1e-3", "1E5", "0", "-12.000000"])
def test_a_number_stays_one(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    "text", ["liver", "right-kidney", "n/a", "a=b", "MR001_t1-in", "x, y", 'a "b"', "O'Neil", "1-2"]
)
def test_other_text_stays(text: str) -> None:
    assert cell(text) == text


def test_a_table_of_hostile_cells_has_as_many_rows_and_columns() -> None:
    texts = ['a"b', "a,b", "a\nb", '"=1"', "=1,2", "\x00", "a\rb"]
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerows([[cell(text), "x"] for text in texts])
    rows = list(csv.reader(StringIO(stream.getvalue())))
    assert [len(row) for row in rows] == [2] * len(texts)


@pytest.mark.parametrize(
    "text",
    [
        "name,what\na,b;c\n",
        'name;what\na;"b;c"\n',
        "\ufeffname\twhat\r\na\tb;c\r\n",
        "sep=\t\r\nname\twhat\r\na\tb;c\r\n",
        '"name";"what"\n"a";"b;c"\n',
        "\n\nname,what\n , \na,b;c\n",
        "name,what\ra,b;c\r",
    ],
)
def test_tables_of_all_sorts_have_the_same_cells(text: str) -> None:
    assert [row for _, row in read_cells(text.encode())] == [["name", "what"], ["a", "b;c"]]


def test_what_stands_in_quotes_divides_nothing() -> None:
    assert read_cells(b'"a, b";c\n1;2\n') == [(1, ["a, b", "c"]), (2, ["1", "2"])]


def test_a_cell_keeps_its_line_ends() -> None:
    assert read_cells('a,"b\nc"\nd,e\u2028f\n'.encode()) == [
        (2, ["a", "b\nc"]),
        (3, ["d", "e\u2028f"]),
    ]


def test_lines_count_from_the_first_of_the_file() -> None:
    assert [line for line, _ in read_cells(b"sep=;\na;b\n\nc;d\n")] == [2, 4]


def test_what_is_no_text_is_no_table() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        read_cells(b"\xff\xfea\x00")


@pytest.fixture(params=[2**17, 2**31 - 1])  # the most on Windows
def limit(request: pytest.FixtureRequest) -> Iterator[None]:
    """The limit of `csv` as it is, and as other packages set it for the whole process."""
    before = csv.field_size_limit(request.param)
    yield
    csv.field_size_limit(before)


@pytest.mark.usefixtures("limit")
@pytest.mark.parametrize("quotes", [True, False])
def test_how_long_a_cell_may_be_is_not_for_other_packages_to_say(quotes: bool) -> None:
    most = "x" * 2**17
    assert list(divide([f"a,{most}\n"], ",", quotes=quotes)) == [(1, ["a", most])]
    with pytest.raises(ValueError, match=r"larger than field limit|above 131072 characters"):
        list(divide(["a,b\n", f"a,{most}x\n"], ",", quotes=quotes))


@pytest.mark.usefixtures("limit")
def test_a_quote_that_is_not_closed_takes_in_no_table() -> None:
    with pytest.raises(ValueError, match=r"larger than field limit|above 131072 characters"):
        read_cells(b'a,"' + b"b,c\n" * 2**16)
