"""Text of others in cells of CSV or TSV: written so that no spreadsheet takes it for a formula."""

import csv
import re

from chaosprep.printable import printable

# https://owasp.org/www-community/attacks/CSV_Injection; some programs divide at semicolons.
_FORMULA = re.compile(r"(^|;)(?=\s*[=+\-@＝＋－＠])")  # noqa: RUF001 - the wide signs count too
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def cell(text: str) -> str:
    """A text as a cell: in one line, behind a `'` where it begins as a formula does.

    That is with `=`, `+`, `-` or `@`, also behind a semicolon. Tabs and line ends are written out,
    and a number, negative or not, stays as it is.
    """
    shown = printable(text)
    return shown if _NUMBER.fullmatch(shown) else _FORMULA.sub(r"\1'", shown)


def read_cells(data: bytes) -> list[list[str]]:
    """The cells of a table as others write it: divided by commas, semicolons or tabs.

    The first line tells by which: by the first of the three that it has. Where it is Excel's own
    (`sep=;`) it changes places with the next, and is left empty: every other row stays on its line.

    Raises:
        ValueError: it is no CSV in UTF-8.
    """
    text = data.decode("utf-8-sig")
    first = text.partition("\n")[0]
    told = re.fullmatch(r"sep=([,;\t])\s*", first, re.IGNORECASE)
    sign = told[1] if told else next((one for one in (",", ";", "\t") if one in first), ",")
    try:
        rows = list(csv.reader(text.splitlines(), delimiter=sign))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    return [*rows[1:2], [], *rows[2:]] if told else rows
