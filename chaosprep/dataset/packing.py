"""The images and masks of one case on their way into containers."""

import uuid
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from chaosprep.dataset.containers.container import Container
from chaosprep.dataset.containers.tar import TAR
from chaosprep.dataset.folders import remove_empty
from chaosprep.dataset.records import File
from chaosprep.dataset.store import Link, Store
from chaosprep.errors import FileError
from chaosprep.files import PART, read_part, read_regular, sha256, write_new, writing
from chaosprep.systems.links import hard_link
from chaosprep.systems.replacing import replace, unlink

_BUFFER = 2**18  # bytes: several files of a usual slice


@dataclass(frozen=True)
class CaseStore(Store):
    """A store that packs what it is given: one container of images, and one of masks, for a case.

    What it returns has no place yet; `pack` tells the places, and gives the containers their names.
    """

    case: str = ""
    kind: Container = TAR
    _packs: dict[str, "_Pack"] = field(default_factory=dict, compare=False)
    _became: dict[str, File] = field(default_factory=dict, compare=False)

    def write(self, path: str, data: bytes) -> File:
        """Add a file."""
        return self._pack(path).add(path, data)

    def bring(
        self, path: str, origin: Path, data: bytes, link: Link, digest: str | None = None
    ) -> File:
        """Add a file from outside."""
        return self._pack(path).add(path, data, digest)

    def carry(self, source: Store, file: File, path: str | None = None) -> File:
        """Take over a file of another store; a container that stays as it is becomes a link.

        What becomes an array on the way is told by `pack`.
        """
        data, path = source.read(file), path or file.path
        made, array = (path, data) if self.kind.as_array is None else self.kind.as_array(path, data)
        if made != path:
            self._became[path] = self.write(made, array)
        elif path != file.path or not self._pack(path).leave(source, file, data):
            self._pack(path).add(path, data, file.sha256)
        return File(path, file.sha256, file.bytes)

    def pack(self, files: Collection[File]) -> dict[str, File]:
        """Finish the containers, which hold just these files then; path -> the file in its place.

        Raises:
            OutputError: the system does not let them be written.
        """
        placed = dict[str, File]()
        known = {self._became.get(file.path, file).path: file.path for file in files}
        for folder, inside in groupby(sorted(known), key=_folder):
            pack = self._packs[folder]
            with writing(self.directory / pack.path):
                for file in pack.finish(list(inside)):
                    placed[known[file.path]] = File(*file[:3], pack.path, file.offset)
                pack.settle(self.check)
            del self._packs[folder]
        return placed

    def drop(self) -> None:
        """Remove what has no name yet."""
        for pack in self._packs.values():
            pack.drop()

    def _pack(self, path: str) -> "_Pack":
        folder = _folder(path)
        if folder not in self._packs:
            self._packs[folder] = _Pack(self.directory, f"{folder}/{self.case}", self.kind)
        return self._packs[folder]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


class _Pack:
    """One container in the making, of the kind that is wanted as long as that takes all files.

    `path` is where it will be in the directory, `kind` what it is for now.
    """

    def __init__(self, directory: Path, name: str, wanted: Container) -> None:
        self._directory, self._name, self._wanted = directory, name, wanted
        self._left = list[File]()
        self._source: Store | None = None
        self._begin(wanted)

    def _begin(self, kind: Container) -> None:
        """Turn to another part, where nothing is yet."""
        self.kind, self.path = kind, f"{self._name}{kind.ending}"
        self._part = _part_of(self._directory / self.path)
        self._added = list[File]()
        self._head = b""
        self._stream: BinaryIO | None = None
        self._end = 0  # in bytes

    def leave(self, source: Store, file: File, data: bytes) -> bool:
        """Leave a file where it is as long as nothing else is added; whether that can be."""
        kind = self._kept_as(file, data)
        if self._added or self._source not in (None, source) or kind is None:
            return False
        if self._left and kind is not self.kind:
            return False
        self._source = source
        self._left.append(file)
        self._begin(kind)
        return True

    def _kept_as(self, file: File, data: bytes) -> Container | None:
        """The kind of the container that holds a file, if this one could be of it."""
        kind, other = self._wanted, self._wanted.other
        if file.container == f"{self._name}{kind.ending}":
            return kind
        is_other = other is not None and file.container == f"{self._name}{other.ending}"
        return other if is_other and not kind.takes(b"", data[: kind.head], len(data)) else None

    def add(self, path: str, data: bytes, digest: str | None = None) -> File:
        """Write a file behind the others; `digest` is its SHA-256, where it is known."""
        self._bring()
        size, kind = len(data), self.kind
        if kind.other is not None and not kind.takes(self._head, data[: kind.head], size):
            self._write_again(kind.other, self._added)
            kind = self.kind
        before, after = kind.before(path.rpartition("/")[2], size), kind.after(size)
        with writing(self._part):
            if self._stream is None:
                self._part.parent.mkdir(parents=True, exist_ok=True)
                self._stream = self._part.open("xb", _BUFFER)
            self._stream.writelines((before, data, after))
        offset = self._end + len(before)
        self._end = offset + size + len(after)
        self._head = self._head or data[: kind.head]
        file = File(path, digest or sha256(data), size)
        self._added.append(File(*file[:3], None, offset))
        return file

    def finish(self, paths: list[str]) -> list[File]:
        """Make the part whole, with just these files, which are sorted; they in their places."""
        if self._stays(paths):
            return self._left
        self._bring()
        if [file.path for file in self._added] != paths:
            places = {file.path: file for file in self._added}  # the last of two
            self._write_again(self._wanted, [places[path] for path in paths])
        assert self._stream is not None
        self._stream.write(self.kind.end(self._added, self._head))
        self._stream.close()
        return self._added

    def settle(self, check: Callable[[], None] | None) -> None:
        """Give the container its name, when what stands beside it has its own."""
        whole = self._directory / self.path
        for name, tell in self.kind.beside.items():
            target = whole.with_name(name)
            part = _part_of(target)
            try:
                if self._left:
                    self._link_beside(name, part)
                else:
                    write_new(part, tell(self._added, self._head))
                _give_name(part, target, check)
            finally:
                unlink(part, missing_ok=True)
        _give_name(self._part, whole, check)

    def drop(self) -> None:
        """Remove what is not whole."""
        if self._stream is not None:
            with suppress(OSError):  # what is not written yet, on a full disk
                self._stream.close()
        unlink(self._part, missing_ok=True)
        if "/" in self.kind.ending:
            remove_empty(self._part.parent)

    def _stays(self, paths: list[str]) -> bool:
        """Link to another store's container, where all of it is to be kept; whether that was so."""
        if not self._left or [file.path for file in self._left] != paths:
            return False
        whole = self._origin()
        if not holds_just(self.kind, whole, self._left):
            return False
        self._part.parent.mkdir(parents=True, exist_ok=True)
        return hard_link(whole, self._part)

    def _origin(self) -> Path:
        assert self._source is not None
        return self._source.directory / str(self._left[0].container)

    def _link_beside(self, name: str, part: Path) -> None:
        origin = self._origin().with_name(name)
        if not hard_link(origin, part):
            write_new(part, read_regular(origin))

    def _bring(self) -> None:
        """Write what was left elsewhere."""
        left, self._left = self._left, []
        for file in left:
            assert self._source is not None
            self.add(file.path, self._source.read(file))

    def _write_again(self, kind: Container, files: list[File]) -> None:
        """Write some of the files anew, in this order, as another kind or without the others."""
        part, former = self._part, self.kind
        if self._stream is not None:
            with writing(part):
                self._stream.close()
        self._begin(kind)
        try:
            for file in files:
                self.add(file.path, read_part(part, file.offset, file.bytes))
        finally:
            unlink(part, missing_ok=True)
            if former is not self.kind and "/" in former.ending:
                remove_empty(part.parent)


def _part_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.{uuid.uuid4().hex}{PART}")


def _give_name(part: Path, path: Path, check: Callable[[], None] | None) -> None:
    if check is not None:
        check()
    replace(part, path)
    unlink(part, missing_ok=True)  # `replace` leaves one of two links to a file


def holds_just(kind: Container, path: Path, files: list[File]) -> bool:
    """Whether a container holds these files, which are sorted, and nothing else."""
    try:
        kind.check(path, files)
    except FileError:
        return False
    return True
