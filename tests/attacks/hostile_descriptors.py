"""Descriptors that say what no stage writes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]
Edit = Callable[[Record], None]

NUMBERS: tuple[Any, ...] = (-1, 2**31, 2**63, 10**30, 10**400, 1.5, 1e308, "7", None, True, [], {})
VALUES = (*NUMBERS, "x" * 10_000, "../..", "\0", [[1] * 100] * 100, {"a": {"a": {"a": 1}}})


def _tool(name: str, value: object) -> Edit:
    return lambda record: record["chaosprep"].update({name: value})


def _parameter(name: str, value: object) -> Edit:
    return lambda record: record["chaosprep"]["parameters"].update({name: value})


def _past(name: str, value: object) -> Edit:
    def edit(record: Record) -> None:
        for past in record["chaosprep"]["history"]:
            past.update({name: value})

    return edit


def _past_parameter(name: str, value: object) -> Edit:
    def edit(record: Record) -> None:
        for past in record["chaosprep"]["history"]:
            past["parameters"].update({name: value})

    return edit


def _history(count: int) -> Edit:
    def edit(record: Record) -> None:
        record["chaosprep"]["history"] *= count

    return edit


def _skipped(**columns: object) -> Edit:
    problem = {"code": "x", "id": "MR001", "file": None, "reason": "gone", "remedy": ""}
    return lambda record: record["chaosprep"].update(skipped=[problem | columns])


def _top(**columns: object) -> Edit:
    return lambda record: record.update(columns)


def _resource(**columns: object) -> Edit:
    return lambda record: record["resources"][0].update(columns)


def _edits() -> Iterator[tuple[str, Edit]]:
    for value in NUMBERS:
        shown = repr(value)[:20]
        for name in ("version", "seed", "warned", "manifest_version", "manifest_minor"):
            yield f"{name} {shown}", _tool(name, value)
        counts = {"train": {"patients": value, "cases": value, "slices": value}}
        yield f"counts {shown}", _tool("counts", counts)
        yield f"past version {shown}", _past("version", value)
        yield f"past seed {shown}", _past("seed", value)
        yield f"bytes {shown}", _resource(bytes=value)
    for value in VALUES:
        shown = repr(value)[:20]
        for name in ("copies", "max_pixels", "link", "window", "spec", "seed", "mask_sampling"):
            yield f"parameter {name} {shown}", _parameter(name, value)
        for name in ("max_pixels", "window", "size", "levels", "organ", "link", "fold"):
            yield f"past parameter {name} {shown}", _past_parameter(name, value)
        for name in ("stage", "versions", "parameters", "history", "skipped"):
            yield f"{name} {shown}", _tool(name, value)
        yield f"licenses {shown}", _top(licenses=value)
        yield (
            f"a licence {shown}",
            _top(licenses=[{"name": value, "path": value, "title": value}]),
        )
        yield (
            f"a source {shown}",
            _top(sources=[{"title": value, "path": value}]),
        )
        yield f"resources {shown}", _top(resources=value)
        yield f"schema {shown}", _resource(schema=value)
    yield "an empty history", _tool("history", [])
    yield "a history of 1,000", _history(500)
    yield "a history of 100,000", _history(50_000)
    for text in ("\x1b[2J", "a\nb", "x" * 100_000, "\u202e", "<script>", "=1+1", ""):
        yield f"skipped: {text[:10]!r}", _skipped(reason=text, remedy=text, file=text, id=text)
    yield "an unknown stage", _tool("stage", "unheard-of")
    yield "another stage", _tool("stage", "predict")
    yield "train", _tool("stage", "train")
    yield "a million parameters", _tool("parameters", {f"p{n}": n for n in range(10**6)})
    yield "two tables", lambda record: record.update(resources=record["resources"] * 2)
    yield "no table", lambda record: record.update(resources=[])


DESCRIPTORS: dict[str, Edit] = dict(_edits())


def edit_descriptor(directory: Path, edit: Edit) -> None:
    """Write what an edit makes of a directory's descriptor."""
    path = directory / "datapackage.json"
    record = json.loads(path.read_bytes())
    edit(record)
    path.write_text(json.dumps(record))
