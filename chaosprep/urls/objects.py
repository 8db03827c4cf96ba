"""A folder or file in a store, through fsspec: listed, fetched, sent; tried several times."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from chaosprep.errors import ChaosprepError
from chaosprep.urls.faults import is_of_disk, is_passing, store_fault
from chaosprep.urls.location import Location

T = TypeVar("T")
WAITS: Final = [0.5, 1.0, 2.0]
"""Seconds before each further try."""
_HASHES = ("ETag", "etag", "md5Hash", "content_md5", "checksum", "sha")
_TIMES = ("LastModified", "last_modified", "updated", "modified", "mtime", "created")
_READ_ONLY = ("http", "https")


@dataclass(frozen=True)
class Object:
    """What a store says of an object: bytes, where it knows them, and what changes with them."""

    size: int | None
    version: str


class ObjectStore:
    """The objects of one location. Their names are relative to it; a single file is `""`.

    All raise `ChaosprepError`: `remote-not-found`, `remote-denied`, `remote-read-only` or
    `remote-unreachable`; OSError: what this machine's disk refuses.
    """

    def __init__(self, place: Location) -> None:
        """Raises ChaosprepError: `remote-missing`, a library is; `remote-scheme`, none is known."""
        self._place = place
        self._system, self._root = _opened(place)

    def listing(self) -> dict[str, Object]:
        """Every object, by its name; nothing where there is nothing."""
        return self._tried(self._list)

    def fetch(self, name: str, path: Path, size: int | None) -> None:
        """Write an object into a file; `size` is what the listing said of it, in bytes."""

        def fetch() -> None:
            self._system.get_file(self._path(name), str(path))
            if size is not None and path.stat().st_size != size:
                raise OSError("it arrived only in part")

        self._tried(fetch)

    def send(self, path: Path, name: str) -> Object:
        """Make an object of a file, and look that it is there; what the store says of it."""

        def send() -> Object:
            self._system.put_file(str(path), self._path(name))
            made = _object(self._system.info(self._path(name)))
            if made.size is not None and made.size != path.stat().st_size:
                raise OSError("it was sent only in part")
            return made

        return self._tried(send)

    def read(self, name: str, start: int | None = None, end: int | None = None) -> bytes:
        """The bytes of an object, or those from `start` to before `end`, fewer where it ends."""

        def read() -> bytes:
            path = self._path(name)
            try:  # by name: s3fs has a version before them
                return bytes(self._system.cat_file(path, start=start, end=end))
            except OSError:
                size = self._system.info(path).get("size")
                if start and size is not None and size <= start:
                    return b""  # to S3 that is an error
                raise

        return self._tried(read)

    def open(self, name: str) -> BinaryIO:
        """An object to be read from its first byte on; what its store raises then is not told."""

        def opened() -> BinaryIO:
            file: BinaryIO = self._system.open(self._path(name), "rb")
            return file

        return self._tried(opened)

    def remove(self, name: str) -> None:
        """Remove an object, unless it is gone already."""

        def remove() -> None:
            with suppress(FileNotFoundError):
                self._system.rm_file(self._path(name))

        self._tried(remove)

    def create(self, ending: str, data: bytes) -> bool:
        """Make an object beside the location, of its name with an ending, unless there is one.

        Whether it was made. Where the store cannot do this in one step, it is looked for before.
        """
        if self._place.shown.partition("://")[0] in _READ_ONLY:
            raise store_fault(NotImplementedError(), self._place.shown)

        def create() -> bool:
            path = self._root + ending
            try:
                self._system.pipe_file(path, data, mode="create")
            except FileExistsError:
                return False
            except (TypeError, ValueError):
                if self._system.exists(path):
                    return False
                self._system.pipe_file(path, data)
            return True

        return self._tried(create)

    def beside(self, ending: str) -> bytes:
        """What the object beside the location holds."""
        return self._tried(lambda: bytes(self._system.cat_file(self._root + ending)))

    def remove_beside(self, ending: str) -> None:
        """Remove the object beside the location."""
        self._tried(lambda: self._system.rm_file(self._root + ending))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def _list(self) -> dict[str, Object]:
        self._system.invalidate_cache()
        start, found = f"{self._root}/", dict[str, Object]()
        for path, info in self._found().items():
            if path == self._root:
                found[""] = _object(info)
            elif not (path.endswith("/") and not info.get("size")):  # the mark of a folder
                found[path.removeprefix(start)] = _object(info)
        return found

    def _found(self) -> dict[str, dict[str, Any]]:
        from fsspec import AbstractFileSystem
        from fsspec.asyn import AsyncFileSystem

        system, found = self._system, dict[str, dict[str, Any]]()
        own = getattr(type(system), "_find", type(system).find)
        if own not in (AsyncFileSystem._find, AbstractFileSystem.find):  # one listing of all
            return dict(system.find(self._root, detail=True))
        with suppress(FileNotFoundError):  # that of others passes over folders that cannot be read
            info = system.info(self._root)
            if info["type"] == "file" and not self._place.url.endswith("/"):  # as of https
                return {self._root: info}
            for _, _, files in system.walk(self._root, detail=True, on_error="raise"):
                found |= {one["name"]: one for one in files.values()}
        return found

    def _tried(self, action: Callable[[], T]) -> T:
        waits = list(WAITS)
        while True:
            try:
                return action()
            except Exception as error:
                if is_of_disk(error) or isinstance(error, ChaosprepError):
                    raise
                if not waits or not is_passing(error):
                    raise store_fault(error, self._place.shown) from None  # its text may be secret
                time.sleep(waits.pop(0))


def _object(info: dict[str, Any]) -> Object:
    value = next((info[key] for key in (*_HASHES, *_TIMES) if info.get(key)), "")
    if isinstance(value, datetime):  # as some tell of one object, and a number in listings
        value = value.timestamp()
    return Object(info.get("size"), str(value))


def _opened(place: Location) -> tuple[Any, str]:
    """The file system of a location, and its path there."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        remedy = "Run: pip install 'chaosprep[remote]' (for s3:// 'chaosprep[s3]')."
        raise ChaosprepError("fsspec is not installed", remedy, "remote-missing") from error
    try:
        system, root = url_to_fs(place.url, use_listings_cache=False)
    except ImportError as error:
        scheme = place.shown.partition("://")[0]
        raise ChaosprepError(
            f"{place.shown}: the library for {scheme}:// is not installed",
            _library(scheme),
            code="remote-missing",
        ) from error
    except ValueError as error:
        raise ChaosprepError(
            f"{place.shown}: no library for this kind of URL is known",
            "Give a path, or a URL as s3://BUCKET/FOLDER.",
            code="remote-scheme",
        ) from error
    except Exception as error:  # noqa: BLE001 - libraries raise what they like
        raise store_fault(error, place.shown) from None
    return system, str(root).rstrip("/")


def _library(scheme: str) -> str:
    from fsspec.registry import known_implementations

    if scheme in ("s3", "s3a"):
        return "Run: pip install 'chaosprep[s3]'."
    told = known_implementations.get(scheme, {}).get("err", "")
    return f"{told.rstrip('.')}." if told else "Install what fsspec needs for it."
