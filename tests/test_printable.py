"""Text of others in one line: nothing that a terminal obeys, nothing that turns it around."""

import sys
from unicodedata import category

import pytest

from chaosprep.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\x1b]0;title\x07", r"a\x1b]0;title\x07"),
        ("a\x9b31mb", r"a\x9b31mb"),
        ("a\r\nb\tc\0", r"a\r\nb\tc\x00"),
        ("a\u202egnp.exe", r"a\u202egnp.exe"),
        ("\u2066a\u2069\u200f\u061c", r"\u2066a\u2069\u200f\u061c"),
        ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
        ("a\u00a0b\u200bc\ufeff\u00ad", r"a\xa0b\u200bc\ufeff\xad"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("broken \udcff", r"broken \udcff"),
    ],
)
def test_what_does_not_print_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["", "Müller 王小东", "a  b", "x -> y", "naïve 50 % \\ done", "🫀"]
)
def test_what_prints_stays(text: str) -> None:
    assert printable(text) == text


def test_no_sign_of_unicode_gets_through_that_is_not_to_be_seen() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    left = {category(sign) for sign in printable(every)}
    assert not left & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert {sign for sign in printable(every) if category(sign) == "Zs"} == {" "}
