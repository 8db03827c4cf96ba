"""A table (CSV, also with semicolons or tabs) of patients with their sides and folds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from chaosprep.cells import read_cells
from chaosprep.division.files.content import Content
from chaosprep.division.files.said import (
    NAMES,
    PATIENTS,
    SIDE_NAMES,
    SIDES,
    Said,
    known_elsewhere,
    said_of,
    useless,
)
from chaosprep.division.sides import KnownSplit

_HEADING = "Begin it with a line that names its columns: patient,side,fold."


@dataclass(frozen=True)
class _Columns:
    """Where the columns of a table are; None for one that it does not have."""

    name: int
    side: int | None
    fold: int | None
    folds: int | None


def takes(content: Content) -> bool:
    """Whether it may be a table: it is text, and no JSON."""
    return content.json is None and b"\0" not in content.data


def read(content: Content, fold: int | None) -> KnownSplit:
    """The sides and folds of its lines.

    Raises:
        FileError: `split-file`, it is no such table, or as `settled` does.
    """
    try:
        rows = read_cells(content.data)
    except ValueError as error:
        raise useless("it is not CSV in UTF-8", "Save it as CSV in UTF-8.") from error
    heading = [cell.strip().casefold().replace(" ", "_") for cell in rows[0][1]] if rows else []
    columns = _columns(heading)
    found = known_elsewhere(_said(rows, columns, heading), fold)
    return replace(found, of_patients=heading[columns.name] in PATIENTS)


def _columns(heading: Sequence[str]) -> _Columns:
    if len(heading) in (2, 3) and heading[1] in SIDES:  # there is no heading
        return _Columns(0, 1, 2 if len(heading) == 3 else None, None)
    name, *others = (_at(heading, names) for names in (NAMES, SIDE_NAMES, ("fold",), ("folds",)))
    if name is None or others == [None, None, None]:
        raise useless("it has no columns of patients with their sides or folds", _HEADING)
    return _Columns(name, *others)


def _at(heading: Sequence[str], names: Sequence[str]) -> int | None:
    return next((heading.index(name) for name in names if name in heading), None)


def _said(
    rows: Sequence[tuple[int, Sequence[str]]], columns: _Columns, heading: Sequence[str]
) -> Iterator[Said]:
    has_heading = columns.side is None or heading[columns.side] not in SIDES
    for line, row in rows[has_heading:]:
        name, side, fold, folds = (
            row[at].strip() if at is not None and at < len(row) else ""
            for at in (columns.name, columns.side, columns.fold, columns.folds)
        )
        if not name:
            raise useless(f"line {line} names no patient")
        yield said_of(name, side, fold, folds, f"line {line}")
