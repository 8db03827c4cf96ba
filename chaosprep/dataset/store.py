"""Where the images and masks of a directory are; nothing else knows how they lie on the disk."""

import os
import stat
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from chaosprep.dataset.naming import KINDS, Kind, is_of_slice, is_of_system
from chaosprep.dataset.records import SPLITS, File
from chaosprep.errors import REMAKE, FileError, about
from chaosprep.files import read_regular, real, sha256, write_new, writing

Link = Literal["copy", "hard", "sym"]

_INNER: dict[str, Kind] = {f"{split}/{kind}": kind for split in SPLITS for kind in KINDS}
_FOLDERS = (*_INNER, *SPLITS)


@dataclass(frozen=True)
class Store:
    """The images and masks of one directory, by the paths that its table has for them.

    They are single files, `<split>/images/<id>.<ext>` and `<split>/masks/<id>.png`.

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
        with about(file.path):
            if not self._is_inside(file.path.rpartition("/")[0]):
                raise FileError(
                    "its folder is a link out of the dataset", "Copy it in.", code="file-link"
                )
            data = read_regular(self._at(file.path), follow=self.links)
            same = sha256(data) == file.sha256 if check else len(data) == file.bytes
            if not same:
                raise FileError(
                    "the file is not the one that the manifest records", REMAKE, code="hash"
                )
        return data

    def write(self, path: str, data: bytes) -> File:
        """Make a file, or make it anew; it is never written through a link."""
        with self._target(path) as target:
            write_new(target, data)
        return File(path, sha256(data), len(data))

    def bring(self, path: str, origin: Path, data: bytes, link: Link) -> File:
        """Bring in a file from outside: its bytes, or on request a link to it."""
        with self._target(path) as target:
            if link == "sym":
                target.unlink(missing_ok=True)
                target.symlink_to(origin.resolve())
            elif link == "copy" or not _hard_link(origin, target):
                write_new(target, data)
        return File(path, sha256(data), len(data))

    def carry(self, source: "Store", file: File, path: str | None = None) -> File:
        """Take over a file of another store unchanged: a hard link, else a copy.

        It keeps its path unless another is given.

        Raises:
            FileError: what the other store's `read` raises.
        """
        data, path = source.read(file), path or file.path
        origin = source.alone(file)
        with self._target(path) as target:
            if origin is None or not _hard_link(origin, target):
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
            target.unlink(missing_ok=True)
            target.symlink_to(origin.readlink())

    def alone(self, file: File) -> Path | None:
        """Where a file is one of its own on disk, which can be linked to; None where it is not."""
        return Path(self._at(file.path))

    def has(self, file: File) -> bool:
        """Whether a file is there in its size, without reading it."""
        try:
            return (self.directory / file.path).stat().st_size == file.bytes
        except OSError:
            return False

    def is_whole(self, file: File) -> bool:
        """Whether a file is there with its bytes, as one of the store's own."""
        try:
            return sha256(read_regular(self._at(file.path), follow=self.links)) == file.sha256
        except FileError:
            return False

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
        for folder in _FOLDERS:
            for entry in _entries(self.directory / folder):
                if not _is_of_stage(folder, entry) and not is_of_system(entry.name):
                    yield f"{folder}/{entry.name}"

    def prune(self, keep: Collection[str]) -> None:
        """Remove every image and mask that is not to be kept, and folders that are empty then.

        What is `foreign` stays.
        """
        for folder in _INNER:
            left = [
                entry.path
                for entry in _entries(self.directory / folder)
                if f"{folder}/{entry.name}" not in keep and _is_of_stage(folder, entry)
            ]
            for path in left:
                Path(path).unlink()
        for folder in _FOLDERS:
            with suppress(OSError):  # not there, or not empty
                (self.directory / folder).rmdir()

    def diverted(self) -> str | None:
        """The path of a link, or of something else, that stands where a folder should be."""
        for folder in (*SPLITS, *_INNER):
            with suppress(FileNotFoundError, NotADirectoryError):
                if not stat.S_ISDIR((self.directory / folder).lstat().st_mode):
                    return folder
        return None

    def _at(self, path: str) -> str:
        return f"{self.directory}/{path}"

    def _is_inside(self, folder: str) -> bool:
        """Whether a folder of the directory is none elsewhere, by a link; looked up once."""
        if folder not in self._inside:
            inside = real(self.directory / folder).is_relative_to(real(self.directory))
            self._inside[folder] = inside
        return self._inside[folder]

    @contextmanager
    def _target(self, path: str) -> Iterator[Path]:
        """Where to make a file; behind it, the file has its name.

        Raises:
            OutputError: the system does not let it be written.
        """
        folder, target = path.rpartition("/")[0], Path(self._at(path))
        with writing(target):
            if folder not in self._made:
                target.parent.mkdir(parents=True, exist_ok=True)
                self._made.add(folder)
            if self.check is None:
                yield target
                return
            part = target.with_name(target.name + self._part)
            try:
                yield part
                self.check()
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)  # `replace` leaves one of two links to the same file


class Nowhere(Store):
    """Keeps nothing, and only tells what its files would be."""

    def __init__(self) -> None:
        super().__init__(Path(os.devnull))

    def write(self, path: str, data: bytes) -> File:
        """What the file would be."""
        return File(path, sha256(data), len(data))

    def bring(self, path: str, origin: Path, data: bytes, link: Link) -> File:
        """What the file would be."""
        return self.write(path, data)

    def carry(self, source: Store, file: File, path: str | None = None) -> File:
        """What the file would be; it is read, as a store that keeps it would."""
        return self.write(path or file.path, source.read(file))


def _hard_link(origin: Path, target: Path) -> bool:
    """Link a file; False where the file system will not (another device, too many links)."""
    if origin.is_symlink():
        origin = origin.resolve()
    try:
        try:
            os.link(origin, target)
        except FileExistsError:
            target.unlink()
            os.link(origin, target)
    except OSError:
        return False
    return True


def _entries(folder: Path) -> "Iterator[os.DirEntry[str]]":
    """What a folder holds, one by one; nothing where there is none."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as found:
        yield from found


def _is_of_stage(folder: str, entry: "os.DirEntry[str]") -> bool:
    kind = _INNER.get(folder)
    if kind is None:
        return entry.name in KINDS
    is_file = entry.is_file(follow_symlinks=False) or entry.is_symlink()
    return is_file and is_of_slice(kind, entry.name)
