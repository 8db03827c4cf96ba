"""Text of others in a cell of CSV or TSV, which a spreadsheet must not take for a formula."""

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
