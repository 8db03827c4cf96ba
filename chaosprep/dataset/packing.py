"""The images and masks of one case on their way into containers."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from chaosprep.dataset.containers.container import Container
from chaosprep.dataset.containers.tar import TAR
from chaosprep.dataset.records import File
from chaosprep.dataset.store import Link, Store, hard_link
from chaosprep.errors import FileError
from chaosprep.files import PART, read_part, sha256, writing


@dataclass(frozen=True)
class CaseStore(Store):
    """A store that packs what it is given: one container of images, and one of masks, for a case.

    What it returns has no place yet; `pack` tells the places, and gives the containers their names.
    """

    case: str = ""
    kind: Container = TAR
    _packs: dict[str, "_Pack"] = field(default_factory=dict, compare=False)

    def write(self, path: str, data: bytes) -> File:
        """Add a file."""
        self._pack(path).add(path, data)
        return File(path, sha256(data), len(data))

    def bring(self, path: str, origin: Path, data: bytes, link: Link) -> File:
        """Add a file from outside."""
        return self.write(path, data)

    def carry(self, source: Store, file: File, path: str | None = None) -> File:
        """Take over a file of another store; a container that stays as it is becomes a link."""
        data, path = source.read(file), path or file.path
        pack = self._pack(path)
        if file.container != self._path(path) or path != file.path or not pack.leave(source, file):
            pack.add(path, data)
        return File(path, file.sha256, file.bytes)

    def pack(self, files: Collection[File]) -> dict[str, File]:
        """Finish the containers, which hold just these files then; path -> the file in its place.

        Raises:
            OutputError: the system does not let them be written.
        """
        placed = dict[str, File]()
        for path, inside in groupby(sorted(files), key=lambda file: self._path(file.path)):
            pack = self._packs.pop(path)
            with writing(self.directory / path):
                for file in pack.finish(list(inside)):
                    placed[file.path] = file._replace(container=path)
                if self.check is not None:
                    self.check()
                pack.part.replace(self.directory / path)
                pack.part.unlink(missing_ok=True)  # `replace` leaves one of two links to a file
        return placed

    def drop(self) -> None:
        """Remove what has no name yet."""
        for pack in self._packs.values():
            pack.drop()

    def _path(self, path: str) -> str:
        """The container of a file of the case."""
        return f"{path.rpartition('/')[0]}/{self.case}{self.kind.ending}"

    def _pack(self, path: str) -> "_Pack":
        container = self._path(path)
        if container not in self._packs:
            self._packs[container] = _Pack(self.kind, self.directory / container)
        return self._packs[container]


class _Pack:
    """One container in the making."""

    def __init__(self, kind: Container, path: Path) -> None:
        self.part = path.with_name(f"{path.name}.{uuid.uuid4().hex}{PART}")
        self._kind, self._path = kind, path
        self._added = list[File]()
        self._left = list[File]()
        self._source: Store | None = None
        self._stream: BinaryIO | None = None

    def leave(self, source: Store, file: File) -> bool:
        """Leave a file where it is as long as nothing else is added; whether that can be."""
        if self._added or self._source not in (None, source):
            return False
        self._source = source
        self._left.append(file)
        return True

    def add(self, path: str, data: bytes) -> None:
        """Write a file behind the others."""
        self._bring()
        with writing(self.part):
            if self._stream is None:
                self.part.parent.mkdir(parents=True, exist_ok=True)
                self._stream = self.part.open("xb")
            self._stream.write(self._kind.before(path.rpartition("/")[2], len(data)))
            offset = self._stream.tell()
            self._stream.write(data)
            self._stream.write(self._kind.after(len(data)))
        self._added.append(File(path, sha256(data), len(data), None, offset))

    def finish(self, files: list[File]) -> list[File]:
        """Make the part whole, with just these files, which are sorted; they in their places."""
        if self._stays(files):
            return self._left
        self._bring()
        if [file.path for file in self._added] != [file.path for file in files]:
            return self._again(files)
        assert self._stream is not None
        self._stream.write(self._kind.end)
        self._stream.close()
        return self._added

    def drop(self) -> None:
        """Remove what is not whole."""
        if self._stream is not None:
            self._stream.close()
        self.part.unlink(missing_ok=True)

    def _stays(self, files: list[File]) -> bool:
        """Link to another store's container, where all of it is to be kept; whether that was so."""
        if self._source is None or not self._left or sorted(self._left) != self._left:
            return False
        whole = self._source.directory / str(self._left[0].container)
        if len(self._left) != len(files) or not holds_just(self._kind, whole, self._left):
            return False
        self.part.parent.mkdir(parents=True, exist_ok=True)
        return hard_link(whole, self.part)

    def _bring(self) -> None:
        """Write what was left elsewhere."""
        left, self._left = self._left, []
        for file in left:
            assert self._source is not None
            self.add(file.path, self._source.read(file))

    def _again(self, files: list[File]) -> list[File]:
        """Sort what came in another order, and leave out what is no longer wanted."""
        assert self._stream is not None
        self._stream.close()
        places = {file.path: file for file in self._added}  # the last of two
        other = _Pack(self._kind, self._path)
        try:
            for file in files:
                place = places[file.path]
                other.add(file.path, read_part(self.part, place.offset, place.bytes))
            made = other.finish(files)
            other.part.replace(self.part)
        finally:
            other.drop()
        return made


def holds_just(kind: Container, path: Path, files: list[File]) -> bool:
    """Whether a container holds these files, which are sorted, and nothing else."""
    try:
        kind.check(path, files)
    except FileError:
        return False
    return True
