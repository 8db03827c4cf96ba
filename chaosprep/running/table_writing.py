"""The table of a stage directory, written whole or not at all, a million rows to a file."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import NamedTuple

from chaosprep.dataset.descriptor import Resource, TableFile, table_schema
from chaosprep.dataset.manifest import WORKSPACE
from chaosprep.dataset.records import Slice, encode_row
from chaosprep.dataset.table import TABLE, table_names, tables_in
from chaosprep.files import settle, temporary_in
from chaosprep.systems.replacing import unlink

ROWS_PER_FILE = 1_000_000
"""What has more rows is several files; those of a case are never in two."""


class Written(NamedTuple):
    """The files of a table in their order, and the SHA-256 of all of them together."""

    files: tuple[TableFile, ...]
    digest: str

    def resource(self, rare: Iterable[str]) -> Resource:
        """The table as its descriptor has it, with these of the columns that one may lack."""
        names = tuple(file.path for file in self.files)
        return Resource(
            name="slices",
            path=TABLE if names == (TABLE,) else names,
            format="jsonl",
            mediatype="application/jsonl",
            encoding="utf-8",
            bytes=sum(file.bytes for file in self.files),
            hash=self.digest,
            schema=table_schema(frozenset(rare)),
            files=() if names == (TABLE,) else self.files,
        )


def write_table(directory: Path, rows: Iterable[Slice]) -> Written:
    """Write a table, its rows sorted by id; what stood there of another one is removed.

    Raises:
        OutputError: the system does not let it be written.
    """
    temporaries, sums, whole = list[Path](), list[tuple[int, str]](), hashlib.sha256()
    try:
        for number, chunks in groupby(_numbered(rows), key=itemgetter(0)):
            temporaries.append(temporary_in(directory / WORKSPACE))
            texts = (text for _, text in chunks)
            sums.append(_write_file(temporaries[-1], texts, whole, is_first=number == 0))
        names = table_names(len(temporaries))
        for temporary, name in zip(temporaries, names, strict=True):
            settle(temporary, directory / name)
    except BaseException:
        for temporary in temporaries:
            unlink(temporary, missing_ok=True)
        raise
    for name in {*tables_in(directory)} - {*names}:
        unlink(directory / name)
    files = zip(names, sums, strict=True)
    return Written(
        tuple(TableFile(path=name, bytes=size, hash=digest) for name, (size, digest) in files),
        _told(whole),
    )


def _numbered(rows: Iterable[Slice]) -> Iterator[tuple[int, bytes]]:
    """The lines of each case with the number of their file; nothing in the first at least."""
    number = held = 0
    yield number, b""
    for _, own in groupby(rows, key=attrgetter("case")):
        lines = [encode_row(row) + b"\n" for row in own]
        if held and held + len(lines) > ROWS_PER_FILE:
            number, held = number + 1, 0
        held += len(lines)
        yield number, b"".join(lines)


def _write_file(
    path: Path, chunks: Iterable[bytes], whole: "hashlib._Hash", *, is_first: bool
) -> tuple[int, str]:
    """Write a file; its size in bytes and its hash. `whole` has hashed the files before it."""
    own, size = hashlib.sha256(), 0
    digests = [whole] if is_first else [whole, own]
    with path.open("xb") as file:
        for chunk in chunks:
            for digest in digests:
                digest.update(chunk)
            size += file.write(chunk)
    return size, _told(digests[-1])


def _told(digest: "hashlib._Hash") -> str:
    return f"sha256:{digest.hexdigest()}"
