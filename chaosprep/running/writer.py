"""The only thing that makes files in a stage directory."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Split
from chaosprep.files import sha256, write_new
from chaosprep.imaging.png.codec import Compression
from chaosprep.running.claim import Claim

Link = Literal["copy", "hard", "sym"]
Kind = Literal["images", "masks"]


@dataclass(frozen=True)
class Written:
    """A file as it stands in the stage directory: its relative path, hash and size."""

    path: str
    sha256: str
    bytes: int


class Writer:
    """Makes the files of one stage directory, `<split>/images/<id>.<ext>` and their masks.

    With a claim, a file gets its name when it is whole, and only while the claim holds.
    """

    def __init__(
        self,
        directory: Path,
        compression: Compression = "fast",
        claim: Claim | None = None,
    ) -> None:
        self._prefix = f"{directory}/"
        self._compression = compression
        self._claim = claim
        self._part = f".{uuid.uuid4().hex}.part"
        self._made: set[str] = set()

    def image(self, split: Split, id: str, array: NDArray[Any], extension: str) -> Written:
        """Write an image (rows, cols) as `.png` (uint8, uint16) or `.npy`."""
        return self._encoded(split, "images", id, array, extension)

    def mask(self, split: Split, id: str, array: NDArray[Any]) -> Written:
        """Write a mask (rows, cols) as PNG."""
        return self._encoded(split, "masks", id, array, ".png")

    def copy(
        self, split: Split, kind: Kind, id: str, origin: Path, data: bytes, link: Link
    ) -> Written:
        """Bring in a file from outside: its bytes, or on request a link to it."""
        path = f"{split}/{kind}/{id}{_EXTENSION[kind]}"
        with self._target(path) as target:
            if link == "sym":
                target.unlink(missing_ok=True)
                target.symlink_to(origin.resolve())
            elif link == "copy" or not _hard_link(origin, target):
                write_new(target, data)
        return Written(path, sha256(data), len(data))

    def carry(self, case: Case, path: str, expected_sha256: str, to: str | None = None) -> None:
        """Take over a file of the parent stage unchanged: a hard link, else a copy.

        It keeps its path unless `to` gives another, relative to this directory.

        Raises:
            FileError: the parent's file is not the one that its manifest records.
        """
        data = case.read(path, expected_sha256)
        with self._target(to or path) as target:
            if not _hard_link(Path(f"{case.directory}/{path}"), target):
                write_new(target, data)

    def take(self, case: Case, path: str, expected_sha256: str) -> None:
        """Take over a file of a part of this stage as it is: a link stays a link.

        Raises:
            FileError: it is not the file that the part's manifest records.
        """
        origin = case.directory / path
        if not origin.is_symlink():
            self.carry(case, path, expected_sha256)
            return
        case.read(path, expected_sha256)
        with self._target(path) as target:
            target.unlink(missing_ok=True)
            target.symlink_to(origin.readlink())

    def _encoded(
        self, split: Split, kind: Kind, id: str, array: NDArray[Any], extension: str
    ) -> Written:
        from chaosprep.formats.codecs import encode

        data = encode(array, extension, self._compression)
        path = f"{split}/{kind}/{id}{extension}"
        with self._target(path) as target:
            write_new(target, data)
        return Written(path, sha256(data), len(data))

    @contextmanager
    def _target(self, path: str) -> Iterator[Path]:
        """Where to make a file; behind it, the file has its name."""
        folder, target = path.rpartition("/")[0], Path(self._prefix + path)
        if folder not in self._made:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(folder)
        if self._claim is None:
            yield target
            return
        part = target.with_name(target.name + self._part)
        try:
            yield part
            self._claim.check()
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)  # `replace` leaves one of two links to the same file


_EXTENSION: dict[Kind, str] = {"images": ".dcm", "masks": ".png"}


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
