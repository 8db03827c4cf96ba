"""A folder whose files are only read: on this machine, or behind a URL that fsspec knows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from chaosprep.errors import ChaosprepError, FileError, UsageError, about
from chaosprep.files import open_regular, read_regular


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
        return re.sub(r"(?<=//)[^/]*@|\?.*", "", self.url)

    def read(self, name: str) -> bytes:
        """A whole file; see `Folder`."""
        with fetching(name):
            system, path = self._found()
            return bytes(system.cat_file(f"{path}/{name}"))

    def open(self, name: str) -> BinaryIO:
        """A file to be read; see `Folder`."""
        with fetching(name):
            system, path = self._found()
            file: BinaryIO = system.open(f"{path}/{name}", "rb")
            return file

    def _found(self) -> tuple[Any, str]:
        """The file system, which fsspec makes once in each process, and the path there.

        Raises:
            ChaosprepError: `remote-missing`; UsageError: `remote-scheme`.
        """
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise ChaosprepError(
                "URLs are read with fsspec, which is not installed",
                "Install it: pip install 'chaosprep[remote]'.",
                code="remote-missing",
            ) from error
        scheme = self.url.partition("://")[0]
        try:
            system, path = url_to_fs(self.url)
        except ImportError as error:
            raise ChaosprepError(
                f"{scheme}: what fsspec reads it with is not installed ({error})",
                "Install it (for s3: pip install s3fs).",
                code="remote-missing",
            ) from error
        except ValueError as error:
            raise UsageError(
                f"{self.shown}: fsspec knows no {scheme}",
                "Give a path, or a URL such as s3://BUCKET/FOLDER.",
                code="remote-scheme",
            ) from error
        return system, path.rstrip("/")


@contextmanager
def fetching(name: str) -> Iterator[None]:
    """Whatever a file system raises in here is an error of this file.

    Raises:
        FileError: `file-missing` or `file-unreadable`.
    """
    try:
        yield
    except ChaosprepError:
        raise
    except FileNotFoundError as error:
        found = FileError("the file is missing", "Bring it back.", "file-missing")
        found.file = name
        raise found from error
    except Exception as error:
        found = FileError(
            f"it cannot be read ({type(error).__name__})",
            "Check the network, and whether you may read there.",
            code="file-unreadable",
        )
        found.file = name
        raise found from error


def folder_at(where: str | Path) -> Folder:
    """The folder of a path or a URL."""
    return RemoteFolder(str(where)) if "://" in str(where) else LocalFolder(Path(where))
