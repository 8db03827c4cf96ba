"""A case of a stage directory: its slices in anatomical order, and their arrays."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.records import File, Slice, Split
from chaosprep.dataset.store import Store
from chaosprep.errors import FileError, about, plural
from chaosprep.formats.image_file import ImageFile
from chaosprep.formats.images import is_named_fresh, is_named_whole, open_image
from chaosprep.imaging.header import Ends, Header
from chaosprep.imaging.measured import (
    Pixels,
    filled,
    looked_up,
    lowest_unit,
    measured,
    upright,
)
from chaosprep.params import differing


@dataclass(frozen=True, repr=False)
class Case:
    """One patient's one sequence in a stage directory: its slices in anatomical order.

    ``labels`` is the label map of its dataset, empty where nobody named the values. ``check`` says
    whether files are compared with their hashes, or were before. ``planned`` is what was decided of
    it over all cases before the work, as JSON has it.
    """

    store: Store
    id: str
    patient: str
    slices: tuple[Slice, ...]
    lines_sha256: str = ""
    max_pixels: int = 2**26
    labels: LabelMap = field(default_factory=dict)
    check: bool = True
    planned: dict[str, Any] = field(default_factory=dict)
    _opened: dict[str, ImageFile] = field(default_factory=dict, compare=False)
    _lowest: dict[str, float | None] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        return f"<{self._told()} in {self.directory}>"

    def _told(self) -> str:
        return f"Case {self.id}: {plural(len(self.slices), 'slice')}, {self.split}"

    def _repr_html_(self) -> str:
        """What a notebook shows: the fullest slices."""
        from chaosprep.dataset.notebook import shown

        return shown(self._told(), self.directory, [self])

    @property
    def directory(self) -> Path:
        """The stage directory."""
        return self.store.directory

    @property
    def split(self) -> Split:
        """The side of the split that the patient is on."""
        return self.slices[0].split

    def content(self) -> bytes:
        """All that a result on it depends on: rows, hashes included, labels, what was planned."""
        rows = [msgspec.json.encode(differing(row)) for row in self.slices]
        more = [msgspec.json.encode(one) for one in (self.labels, self.planned) if one]
        return b"\n".join([*rows, *more])

    def inputs(self) -> str:
        """The SHA-256 of what the case's files hold: of its lines, which carry their hashes."""
        return self.lines_sha256

    def read(self, file: File) -> bytes:
        """Read one of the case's files and check it against its recorded hash, where it is due.

        Raises:
            FileError: it is missing, not a regular file, outside the directory, or changed.
        """
        return self.store.read(file, check=self.check)

    def image(self, row: Slice, on_read: Callable[[bytes], None] | None = None) -> NDArray[Any]:
        """The image of a slice as stored: (rows, cols), DICOM, PNG or npy.

        `on_read` is called with the file's bytes, where it is read.
        """
        with about(row.image):
            return self.image_with_header(row, on_read=on_read)[1]

    def image_with_header(
        self,
        row: Slice,
        max_pixels: int | None = None,
        on_read: Callable[[bytes], None] | None = None,
    ) -> tuple[Header, NDArray[Any]]:
        """What the image's file says of a slice, and its values as stored, (rows, cols).

        Args:
            row: the slice.
            max_pixels: the largest file that is decoded, instead of what `split` was told.
            on_read: called with the file's bytes, where it is read.

        Raises:
            FileError: what `read` raises, or the file cannot be decoded.
        """
        known = row.image if row.frame is not None else ""
        opened = self._opened.get(known)
        if opened is None:
            data: bytes | memoryview
            if on_read is None and not known and is_named_fresh(row.image):
                data = self.store.read_fresh(row.image_file, check=self.check)
            else:
                data = self.read(row.image_file)
                if on_read is not None:
                    on_read(data)
            opened = open_image(row.image, data, max_pixels or self.max_pixels)
        if known:  # the next slice may well be another frame of it
            self._opened.clear()
            self._opened[known] = opened
        return opened.read(row.frame)

    def modality(self) -> str:
        """The Modality that the first image's header tells; empty where none does."""
        from chaosprep.formats.dicom.file import DICOM

        row = self.slices[0]
        if not row.image.endswith(DICOM.ending):
            return ""
        try:
            opened = open_image(row.image, self.read(row.image_file), self.max_pixels)
            return opened.headers()[0].modality
        except FileError:  # it is told where the image is read
            return ""

    def pixels(self, row: Slice) -> Pixels:
        """A slice as every output sees it: bright is high, a Modality LUT is applied.

        Its header tells modality units and padding; padding is what the row says.

        Raises:
            FileError: what `image_with_header` raises.
        """
        with about(row.image):
            header, array = self.image_with_header(row)
        if is_named_whole(row.image):
            header = replace(header, padding=header.padding if row.padding else None)
            return upright(*looked_up(header, array))
        return _told(header, row.slope, row.intercept, row.padding), array

    def filled(self, row: Slice) -> NDArray[Any]:
        """The array of `pixels` with its padding as dark as the darkest that the case shows.

        Raises:
            FileError: what `image_with_header` raises, also for another slice.
        """
        header, array = self.pixels(row)
        return array if header.padding is None else filled(header, array, self.lowest())

    def measured(self, row: Slice, image: NDArray[Any]) -> NDArray[Any]:
        """The values of a slice that are no padding, to be counted; `image` is what `filled` gave.

        Raises:
            FileError: what `image_with_header` raises.
        """
        return image if row.padding is None else measured(*self.pixels(row))

    def lowest(self) -> float | None:
        """What stands for padding: `lowest_unit` of the originals; None where nothing is padding.

        Raises:
            FileError: what `image_with_header` raises.
        """
        if "" not in self._lowest:
            rows = [row for row in self.slices if row.copy == 0]
            some = any(row.padding is not None for row in rows)
            self._lowest[""] = lowest_unit(map(self.pixels, rows)) if some else None
        return self._lowest[""]

    def mask(
        self, row: Slice, on_read: Callable[[bytes], None] | None = None
    ) -> NDArray[Any] | None:
        """The mask of a slice as stored: (rows, cols), or None without ground truth.

        `on_read` is called with the file's bytes, where it is read.
        """
        if row.mask_file is None:
            return None
        from chaosprep.formats.stage_masks import read_stage_mask

        data = self.read(row.mask_file)
        if on_read is not None:
            on_read(data)
        with about(row.mask_file.path):
            return read_stage_mask(row.mask_file.path, data).pixels

    def volume(self) -> NDArray[Any]:
        """The original images as one array (slices, rows, cols)."""
        return np.stack([self.image(row) for row in self.slices if row.copy == 0])


@lru_cache(maxsize=8)  # the slices of a case share one
def _told(header: Header, slope: float, intercept: float, padding: Ends | None) -> Header:
    """The header of a stage's own file, with what the table says of its values."""
    return replace(
        header, rescale_slope=slope, rescale_intercept=intercept, padding=padding, evidence={}
    )
