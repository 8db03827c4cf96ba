"""What results show in a notebook: tables, lines, links and pictures."""

from io import BytesIO
from pathlib import PurePath

import numpy as np
import pytest
from PIL import Image

from chaosprep import html
from tests.html_page import Page

NASTY = "<script>alert(1)</script>&\x1b[2J\u202e"


@pytest.mark.parametrize(
    "made",
    [
        html.title(NASTY),
        html.table([NASTY], [[NASTY]]),
        html.lines([NASTY]),
        html.link(PurePath("a"), NASTY),
    ],
    ids=["title", "table", "lines", "link"],
)
def test_text_of_others_is_shown_as_it_is(made: str) -> None:
    assert "<script" not in made
    page = Page(made)
    assert r"<script>alert(1)</script>&\x1b[2J\u202e" in page.text


def test_numbers_stand_at_the_right() -> None:
    made = html.table(["Case", "Dice"], [["MR001", "0.9"]], numbers=["Dice"])
    assert Page(made).rows == [["Case", "Dice"], ["MR001", "0.9"]]
    sides = [part.split('"')[0] for part in made.split("text-align:")[1:]]
    assert sides == ["left", "right"] * 2


def test_a_long_table_says_where_the_rest_is() -> None:
    page = Page(html.table(["n"], [[str(n)] for n in range(html.MOST + 5)], more=".results"))
    assert len(page.rows) == html.MOST + 1
    assert "and 5 more in .results" in page.text
    assert "more" not in Page(html.table(["n"], [["1"]] * html.MOST, more=".results")).text


def test_all_of_a_table_is_shown_where_nothing_else_has_it() -> None:
    assert len(Page(html.table(["n"], [["1"]] * 100)).rows) == 101


def test_a_link_leads_to_the_file_whatever_it_is_called() -> None:
    (target,) = Page(html.link(PurePath('a b/"javascript:x".html'), "Open")).links
    assert target == "a%20b/%22javascript%3Ax%22.html"


def test_a_picture_lies_in_the_page() -> None:
    stream = BytesIO()
    Image.fromarray(np.eye(3, dtype=np.uint8)).save(stream, "PNG")
    page = Page(html.picture(stream.getvalue(), "MR001_s000", 20))
    assert np.array_equal(page.pictures["MR001_s000"], np.eye(3))


def test_no_lines_are_no_box() -> None:
    assert html.lines([]) == ""
