"""JSON with a record of each patient, `{"patient": ..., "side": ..., "fold": ...}`, or by name."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from chaosprep.division.files.content import Content
from chaosprep.division.files.said import (
    NAMES,
    PATIENTS,
    SIDE_NAMES,
    Said,
    known_elsewhere,
    said_of,
    useless,
)
from chaosprep.division.sides import KnownSplit


def takes(content: Content) -> bool:
    """Whether it is JSON with a record for each name."""
    found = content.json
    if isinstance(found, dict):
        return bool(found) and all(map(_tells, found.values()))
    return isinstance(found, list) and bool(found) and all(isinstance(one, dict) for one in found)


def _tells(value: object) -> bool:
    if isinstance(value, dict):
        return not {"fold", "folds", *SIDE_NAMES}.isdisjoint(str(key).casefold() for key in value)
    return isinstance(value, str | int)


def read(content: Content, fold: int | None) -> KnownSplit:
    """The sides and folds of the names.

    Raises:
        FileError: `split-file`, a record lacks its name or side, or as `settled` does.
    """
    found = content.json
    pairs = found.items() if isinstance(found, dict) else ((None, one) for one in found)
    of_patients = isinstance(found, list) and all(any(map(one.get, PATIENTS)) for one in found)
    return replace(known_elsewhere(_said(pairs), fold), of_patients=of_patients)


def _said(pairs: Any) -> Iterator[Said]:  # noqa: ANN401 - of a JSON text
    for number, (name, one) in enumerate(pairs, 1):
        place = f"record {number}"
        record = _record(one)
        called = name if name is not None else _first(record, NAMES)
        if not isinstance(called, str | int) or isinstance(called, bool) or called == "":
            raise useless(f"{place} names no patient")
        told = _first(record, SIDE_NAMES)
        if told is not None and not isinstance(told, str):
            raise useless(f"{place} has a side that is not train, val or test")
        fold, folds = record.get("fold"), record.get("folds")
        yield said_of(str(called).strip(), told or "", fold, folds, place)


def _record(value: object) -> dict[str, Any]:
    """What is said of a name; a side or a fold may stand alone."""
    if isinstance(value, dict):
        return {str(key).casefold(): one for key, one in value.items()}
    return {"side" if isinstance(value, str) else "fold": value}


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> object:
    return next((record[name] for name in names if record.get(name) is not None), None)
