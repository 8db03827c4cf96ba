"""A folder whose files are only read: on this machine, or behind a URL that fsspec knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from chaosprep.errors import ChaosprepError, FileError, about
from chaosprep.files import open_regular, read_part, read_regular
from chaosprep.urls.location import is_url, local_path, locate
from chaosprep.urls.objects import ObjectStore


class Folder(Protocol):
    """Where files are read; `shown` is how people are told of it."""

    @property
    def shown(self) -> str:
        """The path or the URL, without what is secret in it."""
        ...

    def read(self, name: str) -> bytes:
        """A whole file.

        Raises:
            FileError: it is missing, or cannot be read.
        """
        ...

    def part(self, name: str, start: int, size: int) -> bytes:
        """Some bytes of a file, fewer where it ends before; what `read` raises."""
        ...

    def open(self, name: str) -> BinaryIO:
        """A file to be read from its first byte on; what `read` raises."""
        ...


@dataclass(frozen=True)
class LocalFolder:
    """A folder of this machine."""

    directory: Path

    @property
    def shown(self) -> str:
        """Its path."""
        return str(self.directory)

    def read(self, name: str) -> bytes:
        """A whole file; see `Folder`."""
        with about(name):
            return read_regular(self.directory / name)

    def part(self, name: str, start: int, size: int) -> bytes:
        """Some bytes of a file; see `Folder`."""
        with about(name):
            return read_part(self.directory / name, start, size)

    def open(self, name: str) -> BinaryIO:
        """A file to be read; see `Folder`."""
        with about(name):
            return open_regular(self.directory / name)


@dataclass(frozen=True)
class RemoteFolder:
    """A folder behind a URL; it holds no connection, so that it pickles and may be forked."""

    url: str

    @property
    def shown(self) -> str:
        """Its URL without user, password and query."""
        return locate(self.url).shown

    def read(self, name: str) -> bytes:
        """A whole file; see `Folder`."""
        with fetching(name):
            return self._store().read(name)

    def part(self, name: str, start: int, size: int) -> bytes:
        """Some bytes of a file; see `Folder`."""
        with fetching(name):
            return self._store().read(name, start, start + size)

    def open(self, name: str) -> BinaryIO:
        """A file to be read; see `Folder`."""
        with fetching(name):
            return self._store().open(name)

    def _store(self) -> ObjectStore:
        """Its objects; fsspec opens a store once in each process."""
        return ObjectStore(locate(self.url))


@contextmanager
def fetching(name: str) -> Iterator[None]:
    """What is missing, or fails on the way, is an error of this file.

    Raises:
        FileError: `file-missing` or `file-unreadable`; ChaosprepError: what `ObjectStore` raises.
    """
    with about(name):
        try:
            yield
        except ChaosprepError as error:
            if error.code != "remote-not-found":
                raise
            raise FileError("the file is missing", "Bring it back.", "file-missing") from error
        except Exception as error:  # noqa: BLE001 - libraries of fsspec raise what they like
            raise FileError(
                f"it cannot be read ({type(error).__name__})",
                "Check the network, and whether you may read there.",
                code="file-unreadable",
            ) from None


def folder_at(where: str | Path) -> Folder:
    """The folder of a path or a URL."""
    url = str(where)
    path = local_path(url) if is_url(url) else Path(where)
    return RemoteFolder(url) if path is None else LocalFolder(path)
