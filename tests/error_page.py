"""docs/errors.md, made from the code: `python -m tests.error_page` writes it."""

import re
from collections import defaultdict
from pathlib import Path

from tests.said import KINDS, Code, Said

HOUSE = Path(__file__).parents[1]
PAGE = HOUSE / "docs/errors.md"

HEAD = """\
# Errors

Every error of `chaosprep` has a code, says what is wrong and what to do about it. `--json`, and the
attribute `code` of a `ChaosprepError` or a `Problem`, give the code, for scripts: it stays what it
is, while the words may get better. A *problem* is an error with its place (which case, which file);
a command that finds some tells three of each cause (all with `-v`) and exits 1, or 3 with
`--on-error skip`. Messages name options as the command line does; the text of a Python exception
spells them as Python does, `on_error="skip"`.

What stands in braces is known only when it happens. This page is made from the code by
`python -m tests.error_page`.

| code | raised as (exit code) | what is wrong | what to do |
|--|--|--|--|
"""


def page(said: set[Said]) -> str:
    """The page: a row for each code, and for each remedy that it has."""
    rows: dict[tuple[str, str], list[Said]] = defaultdict(list)
    for one in sorted(said, key=lambda one: (one.code, one.remedy, one.reason, one.kind)):
        rows[one.code, one.remedy].append(one)
    lines = []
    for (code, remedy), some in rows.items():
        kinds = sorted({f"{one.kind} ({KINDS[one.kind]})" for one in some})
        reasons = dict.fromkeys(one.reason for one in some)
        words = "<br>".join(map(_plain, reasons))
        lines.append(f"| `{code}` | {', '.join(kinds)} | {words} | {_plain(remedy)} |\n")
    return HEAD + "".join(lines)


def _plain(text: str) -> str:
    """A text as Markdown that shows it to the letter."""
    return re.sub(r"([|*])", r"\\\1", text.replace("<", "&lt;"))


def all_said() -> set[Said]:
    """Every error and problem of the package as it is now."""
    return Code(HOUSE / "chaosprep").said()


if __name__ == "__main__":
    PAGE.write_text(page(all_said()), encoding="utf-8")
