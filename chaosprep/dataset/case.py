"""A case of a stage directory: its slices in anatomical order, and their arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.records import Slice, Split, encode_row
from chaosprep.errors import REMAKE, FileError
from chaosprep.files import read_regular, real, sha256


@dataclass(frozen=True)
class Case:
    """One patient's one sequence in a stage directory: its slices in anatomical order."""

    directory: Path
    id: str
    patient: str
    slices: tuple[Slice, ...] = field(repr=False)
    lines_sha256: str = ""
    links: bool = False
    max_pixels: int = 2**26
    _inside: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    @property
    def split(self) -> Split:
        """The side of the split that the patient is on."""
        return self.slices[0].split

    def content(self) -> bytes:
        """Everything that a result on this case depends on: its rows, hashes included."""
        return b"\n".join(encode_row(row) for row in self.slices)

    def inputs(self) -> str:
        """The SHA-256 of what the case's files hold: of its lines, which carry their hashes."""
        return self.lines_sha256

    def read(self, path: str, expected_sha256: str) -> bytes:
        """Read one of the case's files and check it against its recorded hash.

        Raises:
            FileError: it is missing, not a regular file, outside the directory, or changed.
        """
        with self.about(path):
            return self._read(path, expected_sha256)

    @contextmanager
    def about(self, path: str) -> Iterator[None]:
        """Whatever is wrong in here is wrong with this file of the case."""
        try:
            yield
        except FileError as error:
            error.file = error.file or path
            raise

    def _read(self, path: str, expected_sha256: str) -> bytes:
        if not self._is_inside(path.rpartition("/")[0]):
            raise FileError(
                "its folder is a link out of the dataset", "Copy it in.", code="file-link"
            )
        data = read_regular(f"{self.directory}/{path}", follow=self.links)
        if sha256(data) != expected_sha256:
            raise FileError(
                "the file is not the one that the manifest records",
                REMAKE,
                code="hash",
            )
        return data

    def image(self, row: Slice) -> NDArray[Any]:
        """The image of a slice as stored: (rows, cols), DICOM, PNG or npy."""
        from chaosprep.formats.codecs import decode
        from chaosprep.formats.dicom.reading import read

        data = self.read(row.image, row.image_sha256)
        with self.about(row.image):
            if row.image.endswith(".dcm"):
                return read(data, row.frame, max_pixels=self.max_pixels)[1]
            return decode(data, Path(row.image).suffix)

    def mask(self, row: Slice) -> NDArray[Any] | None:
        """The mask of a slice as stored: (rows, cols), or None without ground truth."""
        if row.mask is None or row.mask_sha256 is None:
            return None
        from chaosprep.formats.pictures import read_mask

        data = self.read(row.mask, row.mask_sha256)
        with self.about(row.mask):
            return read_mask(data).pixels

    def volume(self) -> NDArray[Any]:
        """The original images as one array (slices, rows, cols)."""
        return np.stack([self.image(row) for row in self.slices if row.copy == 0])

    def _is_inside(self, folder: str) -> bool:
        """Whether a folder of the directory is none elsewhere, by a link; looked up once."""
        if folder not in self._inside:
            self._inside[folder] = real(self.directory / folder).is_relative_to(
                real(self.directory)
            )
        return self._inside[folder]
