"""Where the images and masks of a directory are; nothing else knows how they lie on the disk."""

import stat
import uuid
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path
from typing import Literal

from chaosprep.dataset.containers.table import beside, container_at
from chaosprep.dataset.folders import FOLDERS, INNER, containers, entries, is_of_stage, remove_empty
from chaosprep.dataset.fresh import B, read_fresh, whole
from chaosprep.dataset.naming import is_of_system
from chaosprep.dataset.records import SPLITS, File
from chaosprep.errors import REMAKE, FileError, RefusedError, about
from chaosprep.files import read_part, read_regular, real, sha256, write_new, writing
from chaosprep.systems.links import hard_link, symbolic_link
from chaosprep.systems.replacing import replace, unlink

Link = Literal["copy", "hard", "sym"]

_AT_ONCE = 500_000  # names in memory, of files to be removed


@dataclass(frozen=True)
class Store:
    """The images and masks of one directory, by the paths that its table has for them.

    They are single files, `<split>/images/<id>.<ext>` and `<split>/masks/<id>.<ext>`, or lie in
    containers, `<split>/images/<case>.<ext>` and `<split>/masks/<case>.<ext>`.

    `links` says that files may be symbolic links, as `split --link sym` makes them. With `check`, a
    file gets its name when it is whole, and only if `check` does not object.
    """

    directory: Path
    links: bool = False
    check: Callable[[], None] | None = None
    _part: str = field(default_factory=lambda: f".{uuid.uuid4().hex}.part", compare=False)
    _inside: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)
    _made: set[str] = field(default_factory=set, repr=False, compare=False)

    def read(self, file: File, *, check: bool = True) -> bytes:
        """A file's bytes, compared with its hash; without `check` with its size alone.

        Raises:
            FileError: it is missing, not a regular file, outside the directory, or changed.
        """
        return self._sound(file, self._bytes, check)

    def read_fresh(self, file: File, *, check: bool = True) -> bytes | memoryview:
        """Do as `read`, where possible into memory that may be written to."""
        return self._sound(file, self._fresh, check)

    def _sound(self, file: File, read: Callable[[File], B], check: bool) -> B:
        with about(file.path):
            if not self._is_inside(file.place.rpartition("/")[0]):
                reason = "its folder is a link out of the dataset"
                raise FileError(reason, "Copy it in.", code="file-link")
            data = read(file)
            if (check and sha256(data) != file.sha256) or len(data) != file.bytes:
                where = "" if file.container is None else f" (in {file.container})"
                raise FileError(
                    f"the file is not the one that the manifest records{where}", REMAKE, "hash"
                )
        return data

    def _bytes(self, file: File) -> bytes:
        if file.container is None:
            return read_regular(self._at(file.path), follow=self.links)
        with about(file.container):
            return whole(file, read_part(self._at(file.container), file.offset, file.bytes))

    def _fresh(self, file: File) -> memoryview:
        if file.container is None:  # a byte more, to see whether it is longer
            return read_fresh(self._at(file.path), 0, file.bytes + 1, follow=self.links)
        with about(file.container):
            return whole(file, read_fresh(self._at(file.container), file.offset, file.bytes))

    def write(self, path: str, data: bytes) -> File:
        """Make a file, or make it anew; it is never written through a link."""
        with self._target(path) as target:
            write_new(target, data)
        return File(path, sha256(data), len(data))

    def bring(
        self, path: str, origin: Path, data: bytes, link: Link, digest: str | None = None
    ) -> File:
        """Bring in a file from outside: its bytes, or on request a link to it.

        `digest` is their SHA-256, where it is known.
        """
        with self._target(path) as target:
            if link == "sym":
                _symbolic_link(origin.resolve(), target)
            elif link == "copy" or not hard_link(origin, target):
                write_new(target, data)
        return File(path, digest or sha256(data), len(data))

    def carry(self, source: "Store", file: File, path: str | None = None) -> File:
        """Take over a file of another store unchanged: a hard link, else a copy.

        It keeps its path unless another is given.

        Raises:
            FileError: what the other store's `read` raises.
        """
        data, path = source.read(file), path or file.path
        origin = source.alone(file)
        with self._target(path) as target:
            if origin is None or not hard_link(origin, target):
                write_new(target, data)
        return File(path, file.sha256, file.bytes)

    def take(self, source: "Store", file: File) -> None:
        """Take over a file as `carry` does, but a symbolic link stays one.

        Raises:
            FileError: what the other store's `read` raises.
        """
        origin = source.alone(file)
        if origin is None or not origin.is_symlink():
            self.carry(source, file)
            return
        source.read(file)
        with self._target(file.path) as target:
            _symbolic_link(origin.readlink(), target)

    def take_containers(self, source: "Store", paths: Iterable[str]) -> None:
        """Take over whole containers as they are: links, else copies. They are not read."""
        from shutil import copyfile

        for container in paths:
            for path in (*beside(container), container):
                origin = source.directory / path
                with self._target(path) as target:
                    if not hard_link(origin, target):
                        unlink(target, missing_ok=True)
                        copyfile(origin, target)

    def alone(self, file: File) -> Path | None:
        """Where a file is one of its own on disk, which can be linked to; None where it is not."""
        return None if file.container is not None else Path(self._at(file.path))

    def has(self, file: File) -> bool:
        """Whether a file is there in its size, without reading it."""
        try:
            size = (self.directory / file.place).stat().st_size
        except OSError:
            return False
        if file.container is None:
            return size == file.bytes
        return size >= file.offset + file.bytes and self._has_beside(file.container)

    def _has_beside(self, container: str | None) -> bool:
        return container is None or all(
            (self.directory / path).is_file() for path in beside(container)
        )

    def is_whole(self, file: File) -> bool:
        """Whether a file is there with its bytes, as one of the store's own."""
        try:
            is_same = sha256(self._bytes(file)) == file.sha256
            return is_same and self._has_beside(file.container)
        except FileError:
            return False

    def pack(self, files: Collection[File]) -> Mapping[str, File]:
        """What of a case's files lies in containers now, in its place; here nothing does."""
        return {}

    def drop(self) -> None:
        """Remove what has no name yet; here everything has one."""

    def check_containers(self, files: Iterable[File]) -> None:
        """See that the containers of some files hold them, all that they hold, as packed.

        Raises:
            FileError: `container`, or what `open_regular` raises.
        """
        packed = sorted({file for file in files if file.container is not None})
        for container, inside in groupby(packed, key=lambda file: file.place):
            kind = container_at(container)
            with about(container):
                if kind is None:
                    raise FileError("its name is not that of a container", REMAKE, code="container")
                kind.check(self.directory / container, list(inside))

    def strays(self, known: Collection[str]) -> Iterator[str]:
        """The path of everything below the directory that is neither known nor a folder."""
        for path in sorted(self.directory.rglob("*")):
            name = path.relative_to(self.directory).as_posix()
            if name not in known and not path.is_dir():
                yield name

    def foreign(self) -> Iterator[str]:
        """The path of what lies in the folders of the sides and no stage has put there, by form.

        What an operating system leaves in any folder counts for nothing.
        """
        for folder in FOLDERS:
            for name, entry in entries(self.directory / folder):
                if not is_of_stage(folder, name, entry) and not is_of_system(entry.name):
                    yield f"{folder}/{name}"

    def prune(self, keep: Container[str]) -> None:
        """Remove every image, mask and container that is not to be kept, and empty folders then.

        What is `foreign` stays.
        """
        for folder in INNER:
            while left := list(islice(self._left_in(folder, keep), _AT_ONCE)):
                for path in left:
                    unlink(path)
            for container in containers(self.directory / folder):
                remove_empty(container)
        for folder in FOLDERS:
            remove_empty(self.directory / folder)

    def _left_in(self, folder: str, keep: Container[str]) -> Iterator[str]:
        for name, entry in entries(self.directory / folder):
            if f"{folder}/{name}" not in keep and is_of_stage(folder, name, entry):
                yield entry.path

    def diverted(self) -> str | None:
        """The path of a link, or of something else, that stands where a folder should be."""
        for folder in (*SPLITS, *INNER):
            with suppress(FileNotFoundError, NotADirectoryError):
                if not stat.S_ISDIR((self.directory / folder).lstat().st_mode):
                    return folder
        return None

    @cached_property
    def _root(self) -> str:
        return str(self.directory)

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _is_inside(self, folder: str) -> bool:
        """Whether a folder of the directory is none elsewhere, by a link; looked up once."""
        if folder not in self._inside:
            inside = real(self.directory / folder).is_relative_to(real(self.directory))
            self._inside[folder] = inside
        return self._inside[folder]

    @contextmanager
    def _target(self, path: str) -> Iterator[str]:
        """Where to make a file; behind it, the file has its name.

        Raises:
            OutputError: the system does not let it be written.
        """
        folder, target = path.rpartition("/")[0], self._at(path)
        with writing(target):
            if folder not in self._made:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                self._made.add(folder)
            if self.check is None:
                yield target
                return
            part = target + self._part
            try:
                yield part
                self.check()
                replace(Path(part), Path(target))
            finally:
                unlink(part, missing_ok=True)  # `replace` leaves one of two links to the same file


def _symbolic_link(origin: Path, target: str) -> None:
    if not symbolic_link(origin, Path(target)):
        raise RefusedError(
            "--link sym: symbolic links cannot be made there",
            "Leave --link out, or allow them: on Windows by its Developer Mode.",
            code="links",
        )
