"""A row of the table as plain values, for formats that know no objects."""

import re
from collections.abc import Callable, Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from chaosprep.dataset.descriptor import table_schema
from chaosprep.dataset.records import EMPTY, RARE, Slice, encode_row
from chaosprep.errors import not_as_written
from chaosprep.files import writing

OBJECTS = (
    *("labels", "pixels", "grid", "augmentation", "scaling"),
    *("bias", "normalization"),
    *(name for name in RARE if EMPTY[name] == {}),
)
"""The fields that are objects with keys of their own: JSON text where a column has one type."""

LISTS = {"warnings": "string", "folds": "integer"}
"""What a list is of, where it is not of numbers."""

_OF_FILES = re.compile("split|frame|(image|mask)(_.*)?")


def flat(row: Slice) -> dict[str, Any]:
    """The fields of a row: text, numbers, lists of them and None; objects are JSON text."""
    values: dict[str, Any] = msgspec.json.decode(encode_row(row))
    for name in OBJECTS:
        if values.get(name) is not None:
            values[name] = msgspec.json.encode(values[name]).decode()
    return values


def plain_row(row: Slice) -> dict[str, Any]:
    """The fields of a row, each of one plain type in every row, without what leads to its files.

    Those of `OBJECTS` are JSON text (`null` too), `warnings` is one text.
    """
    values = {name: value for name, value in flat(row).items() if not _OF_FILES.fullmatch(name)}
    values |= {name: values[name] or "null" for name in OBJECTS if name in values}
    return values | {"warnings": "; ".join(row.warnings)}


def columns(first: Slice) -> list[dict[str, Any]]:
    """The columns of a table by its first row, as a Table Schema has them; all rows have them."""
    there = [name for name in RARE if getattr(first, name) is not UNSET]
    found: list[dict[str, Any]] = table_schema(there)["fields"]
    return found


def write_lines(
    file: Path, rows: Callable[[], Iterable[Slice]], line: Callable[[Slice], bytes]
) -> None:
    """Write a table, a line for each row, and read it back.

    Raises:
        FileError: `not-as-written`; OutputError: it cannot be written.
    """
    with writing(file), file.open("xb") as new:
        new.writelines(map(line, rows()))
    with file.open("rb") as lines:
        for row, there in zip_longest(rows(), lines):
            if row is None or there is None or there != line(row):
                raise not_as_written(file.name)
