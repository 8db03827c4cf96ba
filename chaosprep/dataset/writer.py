"""The only thing that makes files in a stage directory."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.files import sha256, write_new
from chaosprep.dataset.records import Split
from chaosprep.imaging.png import Compression

Link = Literal["copy", "hard", "sym"]
Kind = Literal["images", "masks"]


@dataclass(frozen=True)
class Written:
    """A file as it stands in the stage directory: its relative path, hash and size."""

    path: str
    sha256: str
    bytes: int


class Writer:
    """Makes the files of one stage directory, `<split>/images/<id>.<ext>` and their masks."""

    def __init__(self, directory: Path, compression: Compression = "fast") -> None:
        self._directory = directory
        self._compression = compression
        self._made: set[Path] = set()

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
        target = self._target(path)
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
        target = self._target(to or path)
        if not _hard_link(case.directory / path, target):
            write_new(target, data)

    def _encoded(
        self, split: Split, kind: Kind, id: str, array: NDArray[Any], extension: str
    ) -> Written:
        from chaosprep.imaging.images import encode

        data = encode(array, extension, self._compression)
        path = f"{split}/{kind}/{id}{extension}"
        write_new(self._target(path), data)
        return Written(path, sha256(data), len(data))

    def _target(self, path: str) -> Path:
        target = self._directory / path
        if target.parent not in self._made:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(target.parent)
        return target


_EXTENSION: dict[Kind, str] = {"images": ".dcm", "masks": ".png"}


def _hard_link(origin: Path, target: Path) -> bool:
    """Link a file; False where the file system will not (another device, too many links)."""
    target.unlink(missing_ok=True)
    try:
        os.link(origin.resolve(), target)
    except OSError:
        return False
    return True
