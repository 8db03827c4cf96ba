"""Tables that name pictures: metadata.jsonl or .csv as Hugging Face has them, Croissant's records.

Sources: https://huggingface.co/docs/datasets/image_dataset (metadata, `file_name` and
`*_file_name`), https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from chaosprep.cells import read_cells
from chaosprep.dataset.records import SPLITS
from chaosprep.errors import FileError, UsageError
from chaosprep.files import read_regular

Line = Mapping[str, Any]
NAMES = ("metadata.jsonl", "metadata.csv")
"""What a table of images is called, in any of the folders."""
PARQUET = "slices.parquet"
"""The table that `export parquet` writes."""
SHARDS = tuple(f"{split}-000000.tar" for split in SPLITS)
"""The first shard of each side as `export webdataset` writes them."""
UNREAD = ("metadata.parquet", PARQUET)
"""Tables that are not read: Parquet has no reader that is always there."""
RECORDS, CROISSANT = "records.jsonl", "croissant.json"
"""The table of a Croissant description as `export` writes it, and the description."""

_MOST = 2**27  # bytes of a table
_DEPTH = 8  # of folders
_AGAIN = "Write the table again."


@dataclass(frozen=True)
class Table:
    """A table: its path, the folder that its paths start from, and its lines with their numbers."""

    path: str
    folder: str
    lines: Sequence[tuple[int, Line]]


@dataclass
class Listing:
    """The files of a folder that matter here, by their paths in it, links left out."""

    tables: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)


def list_tables(root: Path, endings: tuple[str, ...]) -> Listing:
    """The tables below a folder, and all files with one of these endings; both sorted."""
    found = Listing()
    for folder, folders, files in os.walk(root):
        place = PurePosixPath(Path(folder).relative_to(root).as_posix())
        deep = len(place.parts) >= _DEPTH
        folders[:] = [] if deep else sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = str(place / name)
            if name.startswith("."):
                continue
            if name in NAMES or (name == RECORDS and CROISSANT in files):
                found.tables.append(path)
            elif name in UNREAD:
                found.unread.append(path)
            elif name.casefold().endswith(endings):
                found.pictures.append(path)
    return found


def read_table(root: Path, path: str) -> Table:
    """Read a table.

    Raises:
        FileError: `table-unreadable`, or what the system says of the file.
    """
    data = read_regular(root / path, most=_MOST)
    reader = _csv if path.casefold().endswith(".csv") else _json_lines
    try:
        lines = list(reader(data))
    except ValueError as error:
        reason = "it is not a table in UTF-8"
        raise FileError(reason, _AGAIN, code="table-unreadable") from error
    folder = str(PurePosixPath(path).parent)
    return Table(path, "" if folder == "." else folder, lines)


def _json_lines(data: bytes) -> Iterator[tuple[int, Line]]:
    for number, text in enumerate(data.decode("utf-8-sig").split("\n"), start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except (ValueError, RecursionError) as error:
            reason = f"line {number} is not JSON"
            raise FileError(reason, _AGAIN, code="table-unreadable") from error
        if not isinstance(line, dict):
            reason = f"line {number} is not a JSON object"
            raise FileError(reason, _AGAIN, code="table-unreadable")
        yield number, line


def _csv(data: bytes) -> Iterator[tuple[int, Line]]:
    rows = read_cells(data)
    heading = [name.strip() for name in rows[0][1]] if rows else []
    if len({*heading}) < len(heading):
        reason = "two of its columns have one name"
        raise FileError(reason, _AGAIN, code="table-unreadable")
    for number, cells in rows[1:]:
        if len(cells) > len(heading):
            reason = f"line {number} has more cells than the heading"
            raise FileError(reason, _AGAIN, code="table-unreadable")
        yield number, {n: c.strip() or None for n, c in zip(heading, cells, strict=False)}


def refuse_table(folder: Path) -> None:
    """Refuse a folder that has nothing but a table in Parquet, whose files lie elsewhere.

    Raises:
        UsageError: `table-alone`.
    """
    if (folder / PARQUET).is_file():
        raise UsageError(
            f"{folder}: {PARQUET} is only a table; its images and masks lie elsewhere",
            "Verify the directory that export parquet read: its paths start from there.",
            code="table-alone",
        )


def refuse_shards(folder: Path) -> None:
    """Refuse a folder of tar shards: what is in a tar file is not looked into.

    Raises:
        UsageError: `shards`.
    """
    shard = next((name for name in SHARDS if (folder / name).is_file()), None)
    if shard is not None:
        raise UsageError(
            f"{folder}: its slices lie in tar shards ({shard}), which are not looked into",
            "Verify the directory that export webdataset read; train.json and the other indexes "
            "next to the shards have the SHA-256 of each.",
            code="shards",
        )
