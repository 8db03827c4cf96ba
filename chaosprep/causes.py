"""Many problems as few lines: those of one cause are a count and some examples."""

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

EXAMPLES = 3
_NAME = re.compile(r"'[^']*'|\"[^\"]*\"|(?<!\S)\S*[\d_/\\]\S*|\b(?:train|val|test)\b")
_SEVERAL = re.compile(r"#(?:,? (?:and )?#)+")
_SLICE = re.compile(r"(?<=\w)_s\d{3,}(?:_a\d+)?(?=[\s,:;]|$)")  # behind the id of a case


class Found(Protocol):
    """What is told of a problem."""

    @property
    def code(self) -> str:
        """The rule that failed."""

    @property
    def id(self) -> str:
        """The slice, case or patient."""

    @property
    def file(self) -> str | None:
        """The file, where there is one."""

    @property
    def reason(self) -> str:
        """What is wrong."""

    @property
    def remedy(self) -> str:
        """What to do, or nothing."""

    @property
    def text(self) -> str:
        """All of it, with the file."""


class Note(msgspec.Struct, frozen=True):
    """A warning of a case, told as problems are."""

    id: str
    reason: str
    code: str = "warning"
    file: str | None = None
    remedy: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.id}: {self.reason}"


class Cause(msgspec.Struct, frozen=True):
    """Problems of one code whose reasons and remedies differ in names and numbers only.

    `lines` tell a few of them, `more` counts the problems that no line tells.
    """

    code: str
    lines: tuple[str, ...]
    more: int


def by_cause(problems: Iterable[Found]) -> Iterator[Cause]:
    """Put together the problems of each cause, in the order in which the causes come first."""
    causes: dict[tuple[str, str, str], list[Found]] = {}
    for problem in problems:
        kind = problem.code, _kind(problem.reason), _kind(problem.remedy)
        causes.setdefault(kind, []).append(problem)
    for (code, *_), some in causes.items():
        yield _few(code, some)


def _kind(reason: str) -> str:
    """A reason with one sign for every name and number, however many there are in a row."""
    return _SEVERAL.sub("#", _NAME.sub("#", reason))


def _few(code: str, some: list[Found]) -> Cause:
    """Up to three are told as they are; of more, what all slices of a case have is one line."""
    if len(some) <= EXAMPLES:
        return Cause(code, tuple(one.text for one in some), 0)
    alike: dict[tuple[str, str], list[Found]] = {}
    for one in some:
        alike.setdefault((_SLICE.sub("", one.id), _SLICE.sub("", one.reason)), []).append(one)
    shown = list(alike.items())[:EXAMPLES]
    lines = tuple(_line(case, reason, same) for (case, reason), same in shown)
    return Cause(code, lines, len(some) - sum(len(same) for _, same in shown))


def _line(case: str, reason: str, same: list[Found]) -> str:
    """One line of all; where they differ in the slice of a case, the case is named."""
    first = same[0]
    if len(same) == 1:
        return first.text
    ids, files = {one.id for one in same}, {one.file for one in same}
    noun = "slices" if len(ids) > 1 else "files" if len(files) > 1 else "times"
    end = f". {first.remedy}" if first.remedy else ""
    return f"{case} ({len(same)} {noun}): {reason}{end}"
