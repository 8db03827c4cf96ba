"""Tables of what is to be left out, and why: the report's ratings, or any list of cases."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from chaosprep.errors import FileError, UsageError, plural
from chaosprep.files import read_regular, sha256
from chaosprep.printable import printable
from chaosprep.words import shortened

_MOST = 2**24  # bytes of a table
_LONGEST = 500  # letters of a reason: the report's notes have no more
_SHOWN = 5  # lines in a message
_IDS: Final = ("id", "slice", "sliceid", "case", "caseid", "patient", "patientid")
_REASONS: Final = ("reason", "note", "why", "comment")
_VERDICT: Final = "verdict"
_FAIL: Final = "fail"
_KEPT: Final = frozenset({"", "pass", "needswork"})
_REMEDY: Final = (
    "Give the report's ratings.csv, or a CSV or TSV file with a column case, patient or id, and "
    "reason where there is one."
)
_LISTED: Final = (
    "Give ids of cases or patients as the table has them; chaosprep inspect lists them."
)
_PSEUDONYMS: Final = (
    "The ids are pseudonyms here: give them as slices.jsonl of a split with the same key has them."
)


@dataclass(frozen=True)
class Excluded:
    """The names (of slices, cases or patients) that tables exclude, each with the reasons.

    `lines` says where a name stands: the file's place among those given, and the line. Of names
    that somebody rated and did not fail, `kept` has the same.
    """

    reasons: dict[str, str] = field(default_factory=dict)
    lines: dict[str, tuple[int, int]] = field(default_factory=dict)
    kept: dict[str, tuple[int, int]] = field(default_factory=dict)

    def of(self, *names: str) -> str | None:
        """The reason for the first of some names that is excluded; None where none is."""
        return next((self.reasons[name] for name in names if name in self.reasons), None)

    def check(self, owners: Iterable[tuple[str, str]]) -> None:
        """Refuse a patient that is excluded with a case that somebody rated and did not fail.

        Args:
            owners: pairs of a name and the name of what it is a part of.

        Raises:
            UsageError: `exclude-differs`.
        """
        for name, whole in owners:
            if name in self.kept and whole in self.reasons:
                raise _differs(self.kept[name], self.lines[whole])


def read_excluded(files: Sequence[str]) -> Excluded:
    """What some tables exclude, all of them together.

    A row names a slice, a case, or a patient with all cases. With a column `verdict` only those
    that failed are excluded, not those that passed, need work or were not rated; without one all
    are.

    Raises:
        UsageError: `exclude-table`, a file is no such table; `exclude-differs`, two rows say the
            opposite of one name.
    """
    found = Excluded()
    for number, file in enumerate(files):
        for line, name, verdict, reason in _read(file):
            place = number, line
            if verdict == "":
                continue
            if verdict in _KEPT:
                found.kept.setdefault(name, place)
            else:
                found.lines.setdefault(name, place)
                both = (found.reasons.get(name, ""), reason)
                found.reasons[name] = "; ".join(dict.fromkeys(one for one in both if one))
            if name in found.kept and name in found.reasons:
                raise _differs(found.kept[name], found.lines[name])
    return found


def fingerprint(files: Sequence[str]) -> str:
    """8 hexadecimal digits that tell what tables exclude, and why, from what others do.

    Raises:
        UsageError: what `read_excluded` raises.
    """
    return sha256(msgspec.json.encode(sorted(read_excluded(files).reasons.items())))[:8]


def strangers_note(
    found: Excluded, known: Iterable[str], files: Sequence[str], *, by_key: bool = False
) -> tuple[str, ...]:
    """What is to be said of names that nothing here has: their number and lines.

    They are not repeated, as they may be anybody's. ``by_key`` says that ids are pseudonyms, which
    nothing lists before a split has made them.

    Raises:
        UsageError: `exclude-unknown`, nothing here has any of the names.
    """
    there = {*known}
    strange = [place for name, place in found.lines.items() if name not in there]
    if not strange:
        return ()
    several = len(files) > 1
    shown = ", ".join(_place(place, several=several) for place in sorted(strange)[:_SHOWN])
    told = f"{shown}{', ...' if len(strange) > _SHOWN else ''}"
    count = plural(len(strange), "name")
    if len(strange) == len(found.lines) and not there & found.kept.keys():
        raise UsageError(
            f"--exclude: nothing here is called by any of its names ({count}: {told})",
            _PSEUDONYMS if by_key else _LISTED,
            "exclude-unknown",
        )
    return (f"--exclude: nothing here is called by {count} of its table ({told})",)


def _read(file: str) -> Iterator[tuple[int, str, str, str]]:
    """The line, name, verdict and reason of every row that names something."""
    rows = _rows(file)
    first = [_folded(one) for one in rows[0][1]] if rows else []
    places = [first.index(name) for name in _IDS if name in first]
    has_heading = bool(places)
    reasons = [first.index(name) for name in _REASONS if name in first] if has_heading else [1]
    verdict_at = first.index(_VERDICT) if has_heading and _VERDICT in first else None
    if not has_heading and any(len(row) > 2 for _, row in rows):
        raise _no_table(file, "none of its columns is called case, patient or id")
    for line, row in rows[has_heading:]:
        cells = [_unguarded(one) for one in row]
        named = [cells[at] for at in places or [0] if at < len(cells) and cells[at]]
        # A table of slices has their numbers in a column of that name.
        name = next((one for one in named if not one.isdecimal()), named[0] if named else "")
        verdict = _FAIL
        if verdict_at is not None:
            verdict = _folded(cells[verdict_at]) if verdict_at < len(cells) else ""
            if verdict not in _KEPT | {_FAIL}:
                raise _no_table(file, f"line {line} has a verdict that is not pass or fail")
        if not name and any(cells) and verdict != "":
            raise _no_table(file, f"line {line} names nothing")
        told = (cells[at] for at in reasons if at < len(cells) and cells[at])
        reason = next(told, "" if verdict_at is None else "rated fail")
        if name:
            yield line, name, verdict, shortened(printable(reason), _LONGEST)


def _rows(file: str) -> list[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line where it ends."""
    try:
        text = read_regular(Path(file), follow=True, most=_MOST).decode("utf-8-sig")
    except FileError as error:
        raise _no_table(file, error.reason) from error
    except UnicodeDecodeError as error:
        raise _no_table(file, "it is no text in UTF-8") from error
    start = re.match(r"sep=(.)\r?\n?", text, re.IGNORECASE)  # Excel's own first line
    first = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").partition("\n")[0])
    sign = next((one for one in first if one in ",;\t"), ",")
    sign, text = (start[1], text[start.end() :]) if start else (sign, text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    try:
        found = [(reader.line_num + bool(start), row) for row in reader]
    except (csv.Error, TypeError) as error:
        raise _no_table(file, "its cells cannot be told apart") from error
    return [(line, row) for line, row in found if any(cell.strip() for cell in row)]


def _folded(title: str) -> str:
    return re.sub(r"[\s_-]", "", title).casefold()


def _unguarded(text: str) -> str:
    """A cell without the `'` that keeps a spreadsheet from taking it for a formula."""
    return re.sub(r"^'(?=\s*[=+\-@])", "", text.strip()).strip()


def _place(place: tuple[int, int], *, several: bool) -> str:
    number, line = place
    return f"line {line} of table {number + 1}" if several else f"line {line}"


def _no_table(file: str, why: str) -> UsageError:
    return UsageError(f"--exclude: {file}: {why}", _REMEDY, "exclude-table")


def _differs(one: tuple[int, int], other: tuple[int, int]) -> UsageError:
    (first, kept), (second, failed) = one, other
    where = (
        f"{_place(one, several=True)} and {_place(other, several=True)}"
        if first or second
        else f"lines {min(kept, failed)} and {max(kept, failed)}"
    )
    return UsageError(
        f"--exclude: {where} contradict each other: one keeps what the other excludes",
        "Settle which is right, and leave the other out.",
        "exclude-differs",
    )
