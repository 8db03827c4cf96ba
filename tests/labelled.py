"""A stage directory whose descriptor has a label map, and whose rows have other names."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from chaosprep import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.facts import Label

Row = dict[str, Any]


def as_it_is(row: Row) -> None:
    """Leave a row of the table as it is."""


def labelled(
    dataset: Dataset,
    place: Path,
    labels: Mapping[int, Label],
    edit: Callable[[Row], None] = as_it_is,
) -> Dataset:
    """A copy of a stage directory with this label map, and rows that were edited to fit."""
    path = Path(shutil.copytree(dataset.directory, place))
    rows = [json.loads(line) for line in (path / "slices.jsonl").read_bytes().splitlines()]
    for row in rows:
        edit(row)
    table = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (path / "slices.jsonl").write_bytes(table)
    descriptor = json.loads((path / "datapackage.json").read_text())
    digest = hashlib.sha256(table).hexdigest()
    descriptor["resources"][0] |= {"bytes": len(table), "hash": f"sha256:{digest}"}
    descriptor["chaosprep"]["labels"] = {
        str(value): msgspec.to_builtins(label) for value, label in labels.items()
    }
    (path / "datapackage.json").write_text(json.dumps(descriptor))
    return open_dataset(path)


def renamed(names: Mapping[str, str]) -> Callable[[Row], None]:
    """An edit that gives organs other names."""

    def edit(row: Row) -> None:
        row["labels"] = {value: names.get(name, name) for value, name in row["labels"].items()}
        row["pixels"] = {names.get(name, name): area for name, area in row["pixels"].items()}

    return edit
