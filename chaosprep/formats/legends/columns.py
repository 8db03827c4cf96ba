"""Legends in columns: 3D Slicer's CSV, and BIDS's `dseg.tsv`."""

import re
from collections.abc import Callable, Sequence
from itertools import chain, islice
from typing import Protocol

from chaosprep.cells import divide
from chaosprep.formats.legends.entries import (
    HIGHEST,
    NOT_USED,
    Entry,
    LegendFormat,
    apart,
    code_of,
    no_legend,
)

_VALUES, _NAMES = ("LabelValue", "index"), ("Name", "name")
# Of each, 3D Slicer's documentation has the first, and its releases read the second.
_CODES = (
    ("Type_CodingScheme", "Type.CodingSchemeDesignator"),
    ("Type_CodeValue", "Type.CodeValue"),
    ("Type_CodeMeaning", "Type.CodeMeaning"),
)
_MODIFIERS = ("TypeModifier_CodeValue", "TypeModifier.CodeValue")
_TITLES = frozenset(chain(_VALUES, _NAMES, _MODIFIERS, *_CODES))
_REMEDY = "Give one line for each number, with its name, in the columns LabelValue and Name."


class _Cell(Protocol):
    def __call__(self, row: Sequence[str], *columns: str) -> str: ...


def _reader(mark: str) -> Callable[[str], list[Entry]]:
    def read(text: str) -> list[Entry]:
        found: list[Entry] = []
        try:
            with_quotes = mark != "\t"  # BIDS quotes nothing
            divided = divide(text.splitlines(), mark, strict=True, quotes=with_quotes)
            rows = (row for _, row in divided)
            cell = _cells(next(rows, []))
            for row in islice(filter(any, rows), HIGHEST + 2):
                entry = _entry(row, cell)
                found += [entry] if entry else []
        except ValueError as error:
            raise no_legend("its lines cannot be told apart", _REMEDY) from error
        return apart(found)

    return read


def _cells(titles: Sequence[str]) -> _Cell:
    """Gives of a row what stands in the first of some columns that there is."""
    places = {title: titles.index(title) for title in _TITLES if title in titles}
    if sum(title in places for title in titles) > len(places):
        raise no_legend("two of its columns have one title", _REMEDY)

    def cell(row: Sequence[str], *columns: str) -> str:
        at = next((places[title] for title in columns if title in places), len(row))
        return row[at].strip() if at < len(row) else ""

    return cell


def _entry(row: Sequence[str], cell: _Cell) -> Entry | None:
    """The entry of a row; None for the background and for one that is not used."""
    number = cell(row, *_VALUES)
    # A spreadsheet is kept from taking a name for a formula by a tick.
    name = re.sub(r"^'(?=\s*[=+\-@])", "", cell(row, *_NAMES))
    if not re.fullmatch(r"\d{1,5}", number, re.ASCII) or int(number) > HIGHEST:
        raise no_legend("a line has no number from 0 to 65535", _REMEDY)
    if not name and int(number):
        raise no_legend(f"{int(number)} has no name", _REMEDY)
    if int(number) == 0 or name == NOT_USED:
        return None
    code = [cell(row, *columns) for columns in _CODES]
    # A modifier (left, right) makes the code of the type that of others as well.
    is_own = any(code) and not cell(row, *_MODIFIERS)
    return Entry(number, name, code_of(code) if is_own else None)


def _known(mark: str) -> Callable[[str], bool]:
    def knows(text: str) -> bool:
        titles = {title.strip('"') for title in text.split("\n", 1)[0].strip().split(mark)}
        return bool(titles & set(_VALUES)) and bool(titles & set(_NAMES))

    return knows


CSV = LegendFormat("CSV of 3D Slicer", (".csv",), _known(","), _reader(","))
TSV = LegendFormat("TSV of BIDS or 3D Slicer", (".tsv",), _known("\t"), _reader("\t"))
