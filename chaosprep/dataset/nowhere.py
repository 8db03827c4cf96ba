"""A store that keeps nothing, for a run that writes nothing."""

import os
from pathlib import Path

from chaosprep.dataset.records import File
from chaosprep.dataset.store import Link, Store
from chaosprep.files import sha256


class Nowhere(Store):
    """Keeps nothing, and only tells what its files would be."""

    def __init__(self) -> None:
        super().__init__(Path(os.devnull))

    def write(self, path: str, data: bytes) -> File:
        """What the file would be."""
        return File(path, sha256(data), len(data))

    def bring(
        self, path: str, origin: Path, data: bytes, link: Link, digest: str | None = None
    ) -> File:
        """What the file would be."""
        return File(path, digest or sha256(data), len(data))

    def carry(self, source: Store, file: File, path: str | None = None) -> File:
        """What the file would be; it is read, as a store that keeps it would."""
        return self.write(path or file.path, source.read(file))
