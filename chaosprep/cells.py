"""Cells of CSV or TSV: written so that no spreadsheet takes one for a formula, and read."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from chaosprep.printable import printable

# https://owasp.org/www-community/attacks/CSV_Injection; some programs divide at semicolons.
_FORMULA = re.compile(r"(^|;)(?=\s*[=+\-@＝＋－＠])")  # noqa: RUF001 - the wide signs count too
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_TOLD = re.compile(r"sep=([^\r\n\"])(?:\r\n?|\n)", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_LONGEST = 2**17  # characters; the limit of `csv` is the same, until some library moves it for all


def cell(text: str) -> str:
    """A text as a cell: in one line, behind a `'` where it begins as a formula does.

    That is with `=`, `+`, `-` or `@`, also behind a semicolon. Tabs and line ends are written out,
    and a number, negative or not, stays as it is.
    """
    shown = printable(text)
    return shown if _NUMBER.fullmatch(shown) else _FORMULA.sub(r"\1'", shown)


def read_cells(data: bytes) -> list[tuple[int, list[str]]]:
    """The rows of a table as others write it that are not empty, each with the line it ends on.

    Cells are divided by commas, semicolons or tabs: by the first of the three that stands outside
    quotes in the first line, or by what Excel's own line in front of it tells (`sep=;`).

    Raises:
        ValueError: it is not CSV in UTF-8.
    """
    text = data.decode("utf-8-sig")
    if told := _TOLD.match(text):
        sign, text = told[1], text[told.end() :]
    else:
        first = _QUOTED.sub("", text.lstrip("\r\n").partition("\n")[0])
        sign = next((one for one in first if one in ",;\t"), ",")
    rows = divide(io.StringIO(text, newline=""), sign)
    return [(line + bool(told), row) for line, row in rows if any(map(str.strip, row))]


def divide(
    lines: Iterable[str], sign: str, *, strict: bool = False, quotes: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table, divided at a sign, each with the line it ends on.

    With ``strict``, quotes stand around whole cells; without ``quotes`` they are letters like any.

    Raises:
        ValueError: a cell has more than 131,072 characters, or a quote is not closed, or stands
            where it cannot.
    """
    how: Literal[0, 3] = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    rows = csv.reader(lines, delimiter=sign, quoting=how, strict=strict)
    try:
        for row in rows:
            if max(map(len, row), default=0) > _LONGEST:
                raise ValueError(f"line {rows.line_num} has a cell above {_LONGEST} characters")
            yield rows.line_num, row
    except csv.Error as error:
        raise ValueError(str(error)) from error
