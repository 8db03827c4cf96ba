"""Ratings that a page saved as files, so that several readers stand side by side on the next."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chaosprep.cells import read_cells
from chaosprep.errors import FileError, UsageError, plural
from chaosprep.files import read_regular
from chaosprep.printable import printable
from chaosprep.words import shortened

MOST: Final = 2
"""Files of ratings on one page."""

_LARGEST: Final = 2**24  # bytes of a table
_NAME, _NOTE = 40, 500  # letters; the page lets no note be longer
_VERDICTS: Final = frozenset({"pass", "fail"})
_REMEDY: Final = "Give the ratings.csv that a page on this directory saved."


@dataclass(frozen=True)
class Reader:
    """What one file says: case -> verdict (`pass`, `fail` or nothing) and note.

    `keys` are the pages that it says it is of; a file of an earlier release says none.
    """

    name: str
    file: str
    ratings: dict[str, tuple[str, str]]
    keys: frozenset[str]

    def check(self, cases: Collection[str], key: str) -> None:
        """Refuse ratings of another dataset, or of other predictions for it.

        Raises:
            UsageError: `ratings-other`.
        """
        strange = len(self.ratings.keys() - {*cases})
        if strange:
            is_ = "is" if strange == 1 else "are"
            why = f"{plural(strange, 'case')} in it {is_} not on this page"
        elif self.keys - {key}:
            why = "its ratings are of another dataset or prediction, which has cases of these names"
        else:
            return
        raise UsageError(f"--ratings: {self.file}: {why}", _REMEDY, "ratings-other")


def read_ratings(files: Sequence[str | Path]) -> tuple[Reader, ...]:
    """Read what the page saved as `ratings.csv`, each called by its file's name.

    Raises:
        UsageError: `ratings-many`, more files than two; `ratings-table`, one is no such table.
    """
    if len(files) > MOST:
        raise UsageError(
            f"--ratings: {len(files)} files, more than {MOST}",
            "Give two; the page itself reads more under Ratings of others.",
            "ratings-many",
        )
    names = _names(Path(file).stem for file in files)
    return tuple(_read(f"{file}", name) for file, name in zip(files, names, strict=True))


def _names(stems: Iterable[str]) -> list[str]:
    """A name for each reader; equal ones, as of two `ratings.csv`, are numbered."""
    found = [shortened(printable(stem), _NAME) for stem in stems]
    several, seen = Counter(found), Counter[str]()
    names = []
    for name in found:
        seen[name] += 1
        names.append(f"{name} {seen[name]}" if several[name] > 1 else name)
    return names


def _read(file: str, name: str) -> Reader:
    rows = _rows(file)
    heading = [cell.strip().casefold() for cell in rows[0][1]] if rows else []
    if not {"case", "verdict"} <= {*heading}:
        raise _no_table(file, "it has no columns called case and verdict")
    ratings: dict[str, tuple[str, str]] = {}
    keys = set()
    for line, row in rows[1:]:
        told = dict(zip(heading, map(str.strip, row), strict=False))
        case, verdict = told.get("case", ""), told.get("verdict", "").casefold()
        if not case or verdict not in _VERDICTS | {""}:
            raise _no_table(file, f"line {line} has no case, or a verdict that is not pass or fail")
        if case in ratings:
            raise _no_table(file, f"line {line} has a case that an earlier line has")
        note = re.sub(r"^'(?=[=+\-@\t\r])", "", told.get("note", ""))  # as the page guards it
        ratings[case] = verdict, shortened(printable(note), _NOTE)
        keys |= {told["report"]} if told.get("report") else set()
    if not any(verdict or note for verdict, note in ratings.values()):
        raise _no_table(file, "nothing is rated in it")
    return Reader(name, file, ratings, frozenset(keys))


def _rows(file: str) -> list[tuple[int, list[str]]]:
    try:
        return read_cells(read_regular(Path(file), follow=True, most=_LARGEST))
    except FileError as error:
        raise _no_table(file, error.reason) from error
    except ValueError as error:
        raise _no_table(file, "it is not CSV in UTF-8") from error


def _no_table(file: str, why: str) -> UsageError:
    return UsageError(f"--ratings: {file}: {why}", _REMEDY, "ratings-table")
