"""A row of the table as plain values, for formats that know no objects."""

from collections.abc import Callable, Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.dataset.records import RARE, Slice, encode_row
from chaosprep.errors import not_as_written
from chaosprep.files import writing

OBJECTS = ("labels", "pixels", "grid", "augmentation")
"""The fields that are objects with keys of their own: JSON text where a column has one type."""


def flat(row: Slice) -> dict[str, Any]:
    """The fields of a row: text, numbers, lists of them and None; objects are JSON text.

    What a row may lack is None.
    """
    values: dict[str, Any] = msgspec.json.decode(encode_row(row))
    for name in (*OBJECTS, *RARE):
        found = values.get(name)
        values[name] = None if found is None else msgspec.json.encode(found).decode()
    return values


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
