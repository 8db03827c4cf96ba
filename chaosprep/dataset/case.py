"""A case of a stage directory: its slices in anatomical order, and their arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.records import File, Slice, Split
from chaosprep.dataset.store import Store
from chaosprep.errors import FileError
from chaosprep.params import differing


@dataclass(frozen=True)
class Case:
    """One patient's one sequence in a stage directory: its slices in anatomical order."""

    store: Store
    id: str
    patient: str
    slices: tuple[Slice, ...] = field(repr=False)
    lines_sha256: str = ""
    max_pixels: int = 2**26

    @property
    def directory(self) -> Path:
        """The stage directory."""
        return self.store.directory

    @property
    def split(self) -> Split:
        """The side of the split that the patient is on."""
        return self.slices[0].split

    def content(self) -> bytes:
        """Everything that a result on this case depends on: its rows, hashes included."""
        return b"\n".join(msgspec.json.encode(differing(row)) for row in self.slices)

    def inputs(self) -> str:
        """The SHA-256 of what the case's files hold: of its lines, which carry their hashes."""
        return self.lines_sha256

    def read(self, file: File) -> bytes:
        """Read one of the case's files and check it against its recorded hash.

        Raises:
            FileError: it is missing, not a regular file, outside the directory, or changed.
        """
        return self.store.read(file)

    @contextmanager
    def about(self, path: str) -> Iterator[None]:
        """Whatever is wrong in here is wrong with this file of the case."""
        try:
            yield
        except FileError as error:
            error.file = error.file or path
            raise

    def image(self, row: Slice) -> NDArray[Any]:
        """The image of a slice as stored: (rows, cols), DICOM, PNG or npy."""
        from chaosprep.formats.codecs import decode
        from chaosprep.formats.dicom.reading import read

        data = self.read(row.image_file)
        with self.about(row.image):
            if row.image.endswith(".dcm"):
                return read(data, row.frame, max_pixels=self.max_pixels)[1]
            return decode(data, Path(row.image).suffix)

    def mask(self, row: Slice) -> NDArray[Any] | None:
        """The mask of a slice as stored: (rows, cols), or None without ground truth."""
        if row.mask_file is None:
            return None
        from chaosprep.formats.pictures import read_mask

        data = self.read(row.mask_file)
        with self.about(row.mask_file.path):
            return read_mask(data).pixels

    def volume(self) -> NDArray[Any]:
        """The original images as one array (slices, rows, cols)."""
        return np.stack([self.image(row) for row in self.slices if row.copy == 0])
