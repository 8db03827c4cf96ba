"""The only thing that makes images and masks in a stage directory, named after their slices."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.containers.container import Container
from chaosprep.dataset.naming import Kind, file_path
from chaosprep.dataset.nowhere import Nowhere
from chaosprep.dataset.packing import CaseStore
from chaosprep.dataset.records import File, Slice, Split
from chaosprep.dataset.store import Link, Store
from chaosprep.imaging.png.codec import Compression
from chaosprep.running.claim import Claim

_EXTENSION: dict[Kind, str] = {"images": ".dcm", "masks": ".png"}


class Writer:
    """Makes the files of one stage directory, `<split>/images/<id>.<ext>` and their masks.

    With a claim, a file gets its name when it is whole, and only while the claim holds. Without a
    directory nothing is kept, as in a dry run: what a file would be is only told. With a
    container, the files of the case are packed.
    """

    def __init__(
        self,
        directory: Path | None,
        compression: Compression = "fast",
        claim: Claim | None = None,
        container: Container | None = None,
        case: str = "",
    ) -> None:
        check = None if claim is None else claim.check
        self._store = Nowhere() if directory is None else Store(directory, check=check)
        if directory is not None and container is not None:
            self._store = CaseStore(directory, check=check, case=case, kind=container)
        self._compression = compression
        self._as_array = container is not None and container.as_array is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._store.drop()

    @property
    def is_dry(self) -> bool:
        """Whether nothing that it makes is kept."""
        return isinstance(self._store, Nowhere)

    def image(self, split: Split, id: str, array: NDArray[Any], extension: str) -> File:
        """Write an image (rows, cols) as `.png` (uint8, uint16) or `.npy`.

        Where a container holds arrays, always as `.npy`.
        """
        return self._encoded(split, "images", id, array, extension)

    def mask(self, split: Split, id: str, array: NDArray[Any]) -> File:
        """Write a mask (rows, cols) as PNG, or as `image` does where a container holds arrays."""
        return self._encoded(split, "masks", id, array, ".png")

    def copy(
        self,
        split: Split,
        kind: Kind,
        id: str,
        origin: Path,
        data: bytes,
        link: Link,
        ending: str | None = None,
        digest: str | None = None,
    ) -> File:
        """Bring in a file from outside: its bytes, or on request a link to it.

        Without an `ending` an image is DICOM, and a mask PNG; `digest` is the SHA-256 of its bytes,
        where that is known.
        """
        path = file_path(split, kind, id, ending or _EXTENSION[kind])
        return self._store.bring(path, origin, data, link, digest)

    def carry(self, case: Case, file: File) -> None:
        """Take over a file of the parent stage unchanged: a hard link, else a copy.

        Raises:
            FileError: the parent's file is not the one that its manifest records.
        """
        self._store.carry(case.store, file)

    def finished(self, rows: Sequence[Slice]) -> tuple[Slice, ...]:
        """The rows of the case with the places of their files, all of which have their names now.

        What no row names is not packed.
        """
        files = {file.path: file for row in rows for file in row.files()}
        places = self._store.pack(files.values())
        return tuple(row.placed(places) for row in rows)

    def _encoded(
        self, split: Split, kind: Kind, id: str, array: NDArray[Any], extension: str
    ) -> File:
        from chaosprep.formats.codecs import encode

        if self._as_array and not self.is_dry:
            extension = ".npy"
        data = encode(array, extension, self._compression)
        return self._store.write(file_path(split, kind, id, extension), data)
