"""The journal of an unfinished stage: one line per finished case, so that a kill loses little."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from chaosprep.dataset.records import Slice
from chaosprep.dataset.store import Store
from chaosprep.errors import Problem
from chaosprep.running.kept import open_kept

T = TypeVar("T")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a case became.

    `key` stands for stage, version, parameters and plan; `inputs` for what the case's files held.
    """

    case: str
    key: str
    inputs: str
    slices: tuple[Slice, ...]
    problems: tuple[Problem, ...] = ()

    def is_whole(self, store: Store) -> bool:
        """Whether every file of the case is there as recorded."""
        return all(store.is_whole(file) for row in self.slices for file in row.files())


class Head(msgspec.Struct, frozen=True):
    """The beginning of an entry, read much sooner than with its slices."""

    case: str
    inputs: str


class Journal:
    """An append-only file of entries; the latest entry of a case counts.

    Entries stay on disk (only their places are held), so memory does not grow with the dataset.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, tuple[int, int]] = {}
        self._end = self._load()

    def __enter__(self) -> "Journal":
        self._file = _opened(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._file.truncate(self._end)  # a kill may have torn the last line
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()

    def append(self, entry: Entry) -> None:
        """Record a finished case; it survives a kill of the process from here on."""
        line = msgspec.json.encode(entry) + b"\n"
        self._file.write(line)
        self._file.flush()
        self._places[entry.case] = (self._end, len(line))
        self._end += len(line)

    def get(self, case: str) -> Entry | None:
        """The latest entry of a case."""
        return self._decoded(case, Entry)

    def inputs(self, cases: Iterable[str]) -> dict[str, str]:
        """What each of these cases was made of."""
        heads = (self._decoded(case, Head) for case in cases)
        return {head.case: head.inputs for head in heads if head is not None}

    def rows(self, cases: Iterable[str]) -> Iterator[Slice]:
        """The slices of these cases, each case's sorted by id, read as needed."""
        for case in cases:
            entry = self.get(case)
            yield from sorted(entry.slices if entry else (), key=lambda row: row.id)

    def _decoded(self, case: str, kind: type[T]) -> T | None:
        if case not in self._places:
            return None
        start, length = self._places[case]
        with _opened(self._path, os.O_RDONLY) as file:
            file.seek(start)
            return msgspec.json.decode(file.read(length), type=kind)

    def _load(self) -> int:
        end = 0
        if not self._path.exists():
            return end
        with _opened(self._path, os.O_RDONLY) as file:
            for line in file:
                try:
                    case = msgspec.json.decode(line, type=Entry).case
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    break
                if not line.endswith(b"\n"):
                    break
                self._places[case] = (end, len(line))
                end += len(line)
        return end


def _opened(path: Path, flags: int) -> BinaryIO:
    """The file, which is no link and has no other name; `workspace` where it is not so."""
    return os.fdopen(open_kept(path, flags), "rb" if flags == os.O_RDONLY else "ab")
