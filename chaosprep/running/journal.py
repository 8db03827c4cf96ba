"""The journal of an unfinished stage: one line per finished case, so that a kill loses little.

It is untrusted input, as a manifest is: an entry counts while its digest and all its rows hold,
and where `fitting` finds it to be what the plan makes of its case.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, NamedTuple, TypeVar

import msgspec

from chaosprep.dataset.checking import check_row
from chaosprep.dataset.records import Slice
from chaosprep.dataset.store import Store
from chaosprep.errors import ChaosprepError, FileError, ManifestError, Problem
from chaosprep.files import sha256
from chaosprep.running.kept import open_kept
from chaosprep.running.line_index import Line, LineIndex

T = TypeVar("T")
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ManifestError)
_BEGIN = re.compile(rb'\{"case":"([^"\\\x00-\x1f]{1,1000})","key":"')
_STEP = 2**16  # bytes
_LONGEST = 2**28  # bytes of a line: some 100,000 rows
_DIGEST = re.compile(rb" ([0-9a-f]{16})\n\Z")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a case became.

    `key` stands for stage, version, parameters and plan; `inputs` for what the case's files held.
    """

    case: str
    key: str
    inputs: str
    slices: tuple[Slice, ...]
    problems: tuple[Problem, ...] = ()

    def told(self) -> "Told":
        """The entry as a worker sends it."""
        return Told(self.case, len(self.slices), self.problems, msgspec.json.encode(self))

    def is_whole(self, store: Store) -> bool:
        """Whether every file of the case is there as recorded, in containers of nothing else."""
        files = [file for row in self.slices for file in row.files()]
        try:
            store.check_containers(files)
        except FileError:
            return False
        return all(map(store.is_whole, files))


class Told(NamedTuple):
    """An entry on its way to the journal: its text, and what the run says of it.

    Rows go from process to process in a third of the time as text.
    """

    case: str
    slices: int
    problems: tuple[Problem, ...]
    text: bytes


class Head(msgspec.Struct, frozen=True):
    """The beginning of an entry, read much sooner than with its slices."""

    case: str
    inputs: str


class Found(NamedTuple):
    """An entry with the SHA-256 of its line; the first release wrote lines without a digest."""

    entry: Entry
    line_sha256: str
    has_digest: bool


class Journal:
    """An append-only file of entries; the latest entry of a case counts.

    Entries stay on disk; of each, memory holds where it is and what its line hashes to.
    `known` has the lines of an earlier run that this one goes on from: case -> SHA-256.
    """

    def __init__(self, path: Path, known: Mapping[str, str] = MappingProxyType({})) -> None:
        self._path = path
        self._known = known
        self._lines = LineIndex()
        self._end = self._load()

    def __contains__(self, case: object) -> bool:
        return case in self._lines

    def __enter__(self) -> "Journal":
        self._file = _opened(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._file.truncate(self._end)  # a kill may have torn the last line
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()

    def append(self, told: Told) -> None:
        """Record a finished case; it survives a kill of the process from here on."""
        line = b"%s %s\n" % (told.text, _digest(told.text))
        self._file.write(line)
        self._file.flush()
        self._lines.put(told.case, self._end, len(line), sha256(line))
        self._end += len(line)

    def find(self, case: str) -> Found | None:
        """The latest entry of a case; None where there is none, or it is none that was written."""
        place = self._lines.find(case)
        if place is None:
            return None
        line = self._read(place)
        told = _DIGEST.search(line)
        text = line[: told.start()] if told else line
        if told and told[1] != _digest(text):
            return None
        try:
            entry = msgspec.json.decode(text, type=Entry)
            for row in entry.slices:
                check_row(row)
        except _BROKEN:
            return None
        return Found(entry, sha256(line), told is not None) if entry.case == case else None

    def get(self, case: str) -> Entry | None:
        """The latest entry of a case, see `find`."""
        found = self.find(case)
        return found and found.entry

    def inputs(self, cases: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Each of these cases with what it was made of, read as needed.

        Raises:
            ChaosprepError: what `rows` raises.
        """
        return ((case, self._sure(case, Head).inputs) for case in cases)

    def rows(self, cases: Iterable[str]) -> Iterator[Slice]:
        """The slices of these cases, each case's sorted by id, read as needed.

        Raises:
            ChaosprepError: `journal-changed`, an entry is not the one that was appended or known.
        """
        for case in cases:
            yield from sorted(self._sure(case, Entry).slices, key=lambda row: row.id)

    def _sure(self, case: str, kind: type[T]) -> T:
        place = self._lines.find(case)
        line = b"" if place is None else self._read(place)
        if place is None or sha256(line) != (place.sha256 or self._known.get(case)):
            raise ChaosprepError(
                f"{case}: its line in {self._path} was changed while the run was at work",
                "Run the same command again, and make sure that nothing else writes there.",
                code="journal-changed",
            )
        told = _DIGEST.search(line)
        return msgspec.json.decode(line[: told.start()] if told else line, type=kind)

    def _read(self, place: Line) -> bytes:
        with _opened(self._path, os.O_RDONLY) as file:
            file.seek(place.start)
            return file.read(place.length)

    def _load(self) -> int:
        """Find the lines; what does not begin as one, or has no end, ends what is believed."""
        end = 0
        try:
            file = _opened(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return end
        with file:
            while (begun := _BEGIN.match(part := file.readline(_STEP))) is not None:
                length = len(part)
                while part and not part.endswith(b"\n") and length < _LONGEST:
                    part = file.readline(_STEP)
                    length += len(part)
                if not part.endswith(b"\n"):
                    break
                self._lines.put(begun[1].decode(errors="replace"), end, length)
                end += length
        return end


def _opened(path: Path, flags: int) -> BinaryIO:
    """The file, which is no link and has no other name; `workspace` where it is not so."""
    return os.fdopen(open_kept(path, flags), "rb" if flags == os.O_RDONLY else "ab")


def _digest(text: bytes) -> bytes:
    """Finds a line that was torn, damaged or edited; anybody can make one: it is no signature."""
    return hashlib.sha256(text).hexdigest()[:16].encode()
