"""Tables of what is to be left out, and why: the report's ratings, or any list of cases."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from chaosprep.cells import read_cells
from chaosprep.errors import FileError, UsageError, plural
from chaosprep.files import read_regular, sha256
from chaosprep.printable import printable
from chaosprep.words import shortened

_MOST = 2**24  # bytes of a table
_LONGEST = 500  # letters of a reason: the report's notes have no more
_SHOWN = 5  # lines in a message
_SLICES: Final = ("id", "slice", "sliceid")
_CASES: Final = ("case", "caseid")
_PATIENTS: Final = ("patient", "patientid")
_IDS: Final = (*_SLICES, *_CASES, *_PATIENTS)
_SEQUENCE: Final = "sequence"
_NUMBER: Final = re.compile(r"([0-9]{1,9})(?:\.0+)?")
_REASONS: Final = ("reason", "note", "why", "comment")
_VERDICT: Final = "verdict"
_FAIL: Final = "fail"
_KEPT: Final = frozenset({"", "pass", "needswork"})
_MEANT: Final = frozenset({"exclude", "excluded", "include", "included", "keep", "use", "drop"})
_NO_HEADING: Final = "none of its columns is called case, patient or id"
_REMEDY: Final = (
    "Give the report's ratings.csv, or a CSV or TSV file with a column case, patient or id, and "
    "reason where there is one."
)
_LISTED: Final = "Give ids of cases or patients as in the table; chaosprep inspect lists them."
_PSEUDONYMS: Final = (
    "The ids are pseudonyms here: take them from slices.jsonl of a split with the same key."
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


def wholes(id: str) -> Iterator[str]:
    """An id and what it may be a part of: the patient and the case of a slice, say."""
    parts = id.split("_")
    return ("_".join(parts[:end]) for end in range(1, len(parts) + 1))


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
    if not found.lines:
        return ("--exclude: its table leaves out nothing",) if files else ()
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
            f"--exclude: none of its names was found here ({count}: {told})",
            _PSEUDONYMS if by_key else _LISTED,
            "exclude-unknown",
        )
    return (f"--exclude: not found here: {count} of its table ({told})",)


def _read(file: str) -> Iterator[tuple[int, str, str, str]]:
    """The line, name, verdict and reason of every row that names something."""
    rows = _rows(file)
    heading = [_folded(one) for one in rows[0][1]] if rows else []
    if has_heading := not {*_IDS}.isdisjoint(heading):
        _check_heading(file, heading, [row for _, row in rows[1:]])
    else:
        heading = ["id", _REASONS[0]]
    is_rated = _VERDICT in heading
    for line, row in rows[has_heading:]:
        cells = [_unguarded(one) for one in row]
        if any(cells[len(heading) :]):
            what = f"line {line} has more cells than the heading"
            why = f"{what}: perhaps a comma in a text" if has_heading else _NO_HEADING
            raise _no_table(file, why)
        told: dict[str, str] = {}
        for title, cell in zip(heading, cells, strict=False):
            told[title] = told.get(title) or cell
        verdict = _folded(told.get(_VERDICT, "")) if is_rated else _FAIL
        if verdict not in _KEPT | {_FAIL}:
            raise _no_table(file, f"line {line} has a verdict that is not pass or fail")
        name = _name(file, line, told)
        if not name and any(cells) and verdict != "":
            raise _no_table(file, f"line {line} names nothing")
        reason = _first(told, _REASONS) or ("rated fail" if is_rated else "")
        if name:
            yield line, name, verdict, shortened(printable(reason), _LONGEST)


def _check_heading(file: str, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Refuse a table that says by a column of another name which of its rows go."""
    if _VERDICT in heading:
        return
    for at, title in enumerate(heading):
        said = {_folded(row[at]) for row in rows if at < len(row)}
        is_rating = _FAIL in said and "pass" in said and said <= {*_KEPT, _FAIL}
        if is_rating or (title in _MEANT and len(said) > 1):
            what = f"its column {printable(shortened(title, 40))} tells some rows from others"
            raise _no_table(
                file, f"{what}, but without a column called verdict every row is left out"
            )


def _name(file: str, line: int, told: Mapping[str, str]) -> str:
    """What a row names: a slice, also by its case and number; a case, also by its sequence."""
    words = {title: text for title, text in told.items() if not _NUMBER.fullmatch(text)}
    if name := _first(words, _SLICES):
        return name
    case, patient = _first(words, _CASES), _first(words, _PATIENTS)
    if patient and not case and words.get(_SEQUENCE):
        case = f"{patient}_{words[_SEQUENCE]}"
    number = _NUMBER.fullmatch(told.get("slice", ""))
    if number and patient and not case:
        raise _no_table(file, f"line {line} has the number of a slice, but no case")
    whole = f"{case}_s{int(number[1]):03}" if number and case else case
    return whole or patient or _first(told, _IDS)


def _first(told: Mapping[str, str], titles: Iterable[str]) -> str:
    return next((told[title] for title in titles if told.get(title)), "")


def _rows(file: str) -> list[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line where it ends."""
    try:
        return read_cells(read_regular(Path(file), follow=True, most=_MOST))
    except FileError as error:
        raise _no_table(file, error.reason) from error
    except ValueError as error:
        raise _no_table(file, "it is not CSV in UTF-8", "Save it as CSV in UTF-8.") from error


def _folded(title: str) -> str:
    return re.sub(r"[\s_-]", "", title).casefold()


def _unguarded(text: str) -> str:
    """A cell without the `'` that keeps a spreadsheet from taking it for a formula."""
    return re.sub(r"^'(?=\s*[=+\-@])", "", text.strip()).strip()


def _place(place: tuple[int, int], *, several: bool) -> str:
    number, line = place
    return f"line {line} of table {number + 1}" if several else f"line {line}"


def _no_table(file: str, why: str, remedy: str = _REMEDY) -> UsageError:
    return UsageError(f"--exclude: {file}: {why}", remedy, "exclude-table")


def _differs(one: tuple[int, int], other: tuple[int, int]) -> UsageError:
    (first, kept), (second, failed) = one, other
    where = (
        f"{_place(one, several=True)} and {_place(other, several=True)}"
        if first or second
        else f"lines {min(kept, failed)} and {max(kept, failed)}"
    )
    return UsageError(
        f"--exclude: {where} contradict each other: one keeps what the other excludes",
        "Decide which is right, and leave the other out.",
        "exclude-differs",
    )
