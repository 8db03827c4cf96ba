"""docs/errors.md is what the code says, and the code says something of every error."""

from pathlib import Path

import pytest

from tests.error_page import PAGE, all_said, page
from tests.said import UNNAMED, Code, Said

HELPERS = """
_REMEDIES = {"no-mask": "Bring it back."}
KINDS = (("too-old", "old"), ("too-new", "new"))

def check(file, rows):
    if not rows:
        raise FileError(f"{file}: it has {len(rows)} rows", "Write some.", code="no-rows")
    for code, what in KINDS:
        raise _refused(code, f"it is {what}")
    reason = "never said"
    reason = "one"
    if rows[0]:
        reason = "other"
    return Problem(code="odd" if rows[0] else "even", id=file, reason=reason, remedy=_next(rows))

def _refused(code, reason):
    return UsageError(reason, _REMEDIES.get(code, "Take another."), code)

def _next(rows):
    return "Look."

def again(error):
    raise _refused("no-mask", "the mask is gone")
    raise FileError(error.reason, error.remedy, error.code)
    raise ChaosprepError("nothing is known")
"""


@pytest.fixture(scope="module")
def said() -> set[Said]:
    return all_said()


def test_the_page_is_made_from_the_code(said: set[Said]) -> None:
    """`python -m tests.error_page` makes it again."""
    assert PAGE.read_text("utf-8") == page(said)


def test_every_error_has_a_code_of_its_own(said: set[Said]) -> None:
    assert {one.reason for one in said if one.code == UNNAMED or "{" in one.code} == set()


def test_every_error_says_what_to_do(said: set[Said]) -> None:
    assert {(one.code, one.reason) for one in said if not one.remedy.strip("{}")} == set()


def test_helpers_loops_tables_and_branches_are_followed(tmp_path: Path) -> None:
    (tmp_path / "toy.py").write_text(HELPERS)
    assert Code(tmp_path).said() == {
        Said("no-rows", "FileError", "{file}: it has {rows} rows", "Write some."),
        Said("too-old", "UsageError", "it is old", "Take another."),
        Said("too-new", "UsageError", "it is new", "Take another."),
        Said("odd", "Problem", "one", "Look."),
        Said("odd", "Problem", "other", "Look."),
        Said("even", "Problem", "one", "Look."),
        Said("even", "Problem", "other", "Look."),
        Said("no-mask", "UsageError", "the mask is gone", "Bring it back."),
        Said("error", "ChaosprepError", "nothing is known", ""),
    }
