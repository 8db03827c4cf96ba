"""A row of the table as plain values, for formats that know no objects."""

from typing import Any

import msgspec

from chaosprep.dataset.records import Slice, encode_row

OBJECTS = ("labels", "pixels", "grid", "augmentation")
"""The fields that are objects with keys of their own: JSON text where a column has one type."""


def flat(row: Slice) -> dict[str, Any]:
    """The fields of a row: text, numbers, lists of them and None; objects are JSON text."""
    values: dict[str, Any] = msgspec.json.decode(encode_row(row))
    for name in OBJECTS:
        if values[name] is not None:
            values[name] = msgspec.json.encode(values[name]).decode()
    return values
