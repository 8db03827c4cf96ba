"""Legends in columns: 3D Slicer's CSV, and BIDS's `dseg.tsv`."""

import csv
import re
from collections.abc import Callable

from chaosprep.facts import Code
from chaosprep.formats.legends.entries import (
    HIGHEST,
    Entry,
    LegendFormat,
    apart,
    code_of,
    no_legend,
)

_VALUES, _NAMES = ("LabelValue", "index"), ("Name", "name")
# 3D Slicer's documentation has the first, its releases wrote the second.
_CODES = (
    ("Type_CodingScheme", "Type_CodeValue", "Type_CodeMeaning"),
    ("Type.CodingSchemeDesignator", "Type.CodeValue", "Type.CodeMeaning"),
)
_MODIFIERS = ("TypeModifier_CodeValue", "TypeModifier.CodeValue")
_REMEDY = "Give one line for each number, with its name, in the columns LabelValue and Name."


def _reader(mark: str) -> Callable[[str], list[Entry]]:
    def read(text: str) -> list[Entry]:
        try:
            rows = csv.DictReader(text.splitlines(), delimiter=mark, strict=True)
            if len({*(titles := rows.fieldnames or ())}) < len(titles):
                raise no_legend("two of its columns have one title", _REMEDY)
            found = [entry for row in rows if any(row.values()) and (entry := _entry(row))]
        except csv.Error as error:
            raise no_legend("its lines cannot be told apart", _REMEDY) from error
        return apart(found)

    return read


def _entry(row: dict[str, str]) -> Entry | None:
    """The entry of a row; None for the background and for one that is not used."""
    number = _cell(row, _VALUES)
    # A spreadsheet is kept from taking a name for a formula by a tick.
    name = re.sub(r"^'(?=\s*[=+\-@])", "", _cell(row, _NAMES))
    if not re.fullmatch(r"\d{1,5}", number, re.ASCII) or int(number) > HIGHEST:
        raise no_legend("a line has no number from 0 to 65535", _REMEDY)
    if not name and int(number):
        raise no_legend(f"{int(number)} has no name", _REMEDY)
    return None if int(number) == 0 or name == "(none)" else Entry(number, name, _code(row))


def _code(row: dict[str, str]) -> Code | None:
    """The code of the type, unless a modifier (left, right) makes it another's."""
    if _cell(row, _MODIFIERS):
        return None
    for columns in _CODES:
        parts = [_cell(row, (column,)) for column in columns]
        if any(parts):
            return code_of(parts)
    return None


def _cell(row: dict[str, str], columns: tuple[str, ...]) -> str:
    return next((text.strip() for name in columns if (text := row.get(name))), "")


def _known(mark: str) -> Callable[[str], bool]:
    def knows(text: str) -> bool:
        titles = {title.strip('"') for title in text.split("\n", 1)[0].strip().split(mark)}
        return bool(titles & set(_VALUES)) and bool(titles & set(_NAMES))

    return knows


CSV = LegendFormat("CSV of 3D Slicer", (".csv",), _known(","), _reader(","))
TSV = LegendFormat("TSV of BIDS or 3D Slicer", (".tsv",), _known("\t"), _reader("\t"))
