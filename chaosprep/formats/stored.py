"""Where a text header says that the voxels of a volume are, and where they lie in the patient."""

import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.files import read_regular
from chaosprep.formats.mask_file import Opening
from chaosprep.formats.packed import Packing, unpack
from chaosprep.formats.volume_mask import VolumeMask, as_volume, without_place
from chaosprep.imaging.limits import MAX_BYTES, check_bytes, check_size
from chaosprep.imaging.space.lattice import Lattice, Volume

MOST_HEADER = 2**19
"""Bytes of a header: a segmentation of a hundred structures has a tenth of it."""

_LONGEST = 2**31  # of an axis
_MOST_TEXT = 2**24  # bytes of voxels that are written as text: a slice or two
_MOST_BZIP2 = 2**28  # bytes: a few hundred hold as many
_MOST_BESIDE = MAX_BYTES + 2**16
_LIST = re.compile(r"(?i)list(\s+\d+)?\Z")
_NUMBERED = re.compile(r".*%\d*[diu]")


@dataclass(frozen=True, eq=False)
class Stored:
    """The voxels of a volume in a file, or in another one beside it.

    ``sizes`` are of the axes, the fastest first; ``kind`` is of a voxel. The voxels begin at byte
    ``begin`` of the file, or ``lines`` lines behind it; of what is unpacked, ``skip`` bytes more
    are left out, or all but the last where it is -1. ``packed`` is how many bytes they have, where
    it is said. ``beside`` is the file's name where it is another one. A ``packing`` of `text` has
    numbers between white space.
    """

    what: str
    sizes: tuple[int, ...]
    kind: np.dtype[Any]
    packing: Packing | Literal["text"] = "raw"
    begin: int = 0
    beside: str | None = None
    lines: int = 0
    skip: int = 0
    packed: int | None = None

    def read(self, file: Path, data: bytes) -> NDArray[Any]:
        """The voxels, indexed as ``sizes`` are.

        Args:
            file: where the header is.
            data: its bytes.

        Raises:
            FileError: `mask-unreadable` (cut short, or longer than the header says, too),
                `mask-beside` or `too-large`.
        """
        check_bytes(math.prod(self.sizes), self.kind.itemsize)
        if self.packing == "bzip2" and math.prod(self.sizes) * self.kind.itemsize > _MOST_BZIP2:
            raise FileError(
                f"its voxels are above the limit of {_MOST_BZIP2 >> 20} MiB for bzip2",
                "Save it with the encoding gzip.",
                code="too-large",
            )
        begin = self.begin
        if self.beside is not None:
            data, begin = _read_beside(file.with_name(self.beside)), 0
        for _ in range(self.lines):
            begin = data.find(b"\n", begin) + 1
            if not begin:
                raise unreadable(self.what)
        try:
            return self._numbers(data, begin).reshape(self.sizes, order="F")
        except (EOFError, OSError, OverflowError, ValueError, zlib.error):
            raise unreadable(self.what) from None

    def _numbers(self, data: bytes, begin: int) -> NDArray[Any]:
        if self.packing == "text":
            return self._text(data[begin:])
        count = math.prod(self.sizes)
        size = count * self.kind.itemsize
        if self.skip == -1:  # whatever stands in front
            if self.packing != "raw" or len(data) - begin < size:
                raise EOFError
            return np.frombuffer(data, self.kind, count, len(data) - size)
        if self.packing == "raw":
            begin += self.skip
        end = len(data) if self.packed is None else begin + self.packed
        if end > len(data):
            raise EOFError
        inside = 0 if self.packing == "raw" else self.skip
        part = memoryview(data)[begin:end]
        whole = unpack(part, self.packing, inside + size, whole=True, before=begin)
        return np.frombuffer(whole, self.kind, count, inside)

    def _text(self, data: bytes) -> NDArray[Any]:
        if len(data) > _MOST_TEXT or self.skip:
            raise ValueError
        words = data.split(None, math.prod(self.sizes))
        kind = self.kind.newbyteorder("=")
        if self.kind.kind == "f":
            return np.array([float(word) for word in words], kind)
        return np.array([int(word) for word in words], kind)


@dataclass(frozen=True, eq=False)
class Placed:
    """What a header tells of a volume: its voxels, and where they lie, indexed (i, j, k).

    ``axes`` are those of ``stored`` that i, j and k are. ``nowhere`` says, as a clause, why it has
    no place in the patient; of its lattice, only the voxels' size counts then.
    """

    stored: Stored
    lattice: Lattice
    axes: tuple[int, ...]
    nowhere: str | None = None

    def layers(self, file: Path, data: bytes) -> NDArray[Any]:
        """The voxels (i, j, k, layer); see `Stored.read`. A plain volume has one layer."""
        voxels = self.stored.read(file, data)
        rest = [axis for axis in range(voxels.ndim) if axis not in self.axes]
        return voxels.transpose(*self.axes, *rest).reshape(*self.lattice.shape, -1)

    def voxels(self, file: Path, data: bytes) -> NDArray[Any]:
        """The voxels (i, j, k) of a plain volume; see `Stored.read`."""
        found: NDArray[Any] = self.layers(file, data)[..., 0]
        return found

    def mask(self, opening: Opening) -> VolumeMask:
        """A plain volume laid on images.

        Raises:
            FileError: what `Stored.read`, `VolumeMask` and `check_placed` raise.
        """
        self.check_placed()
        read = partial(self.voxels, opening.file, opening.data)
        return VolumeMask(opening.images, self.lattice, read)

    def volume(self, file: Path, data: bytes) -> Volume:
        """A plain volume on its own lattice; raises what `Stored.read` and `as_volume` raise."""
        return as_volume(self.lattice, partial(self.voxels, file, data))

    def check_placed(self) -> None:
        """Raise `FileError` ``mask-grid`` where it has no place in the patient."""
        if self.nowhere is not None:
            raise without_place(self.nowhere)


def check_sizes(what: str, sizes: Sequence[int], axes: Sequence[int]) -> tuple[int, int, int]:
    """The sizes of the axes of space.

    Raises:
        FileError: `mask-kind` where there are other than three, or another one has more than one
            number; `mask-unreadable` or `too-large`.
    """
    if not sizes or min(sizes) < 1:
        raise unreadable(what)
    others = [size for at, size in enumerate(sizes) if at not in axes]
    if len(axes) != 3 or math.prod(others) > 1:
        raise FileError(
            f"a volume of {len(sizes)} dimensions ({' x '.join(map(str, sizes))}), one of 3 with "
            "one number a voxel was expected",
            "Give one label volume for each patient.",
            code="mask-kind",
        )
    i, j, k = (sizes[axis] for axis in axes)
    check_size(*sorted((i, j, k))[1:])
    return i, j, k


def whole_numbers(text: str) -> tuple[int, ...]:
    """The sizes of axes, between white space. Raises `ValueError` where one is none above 0."""
    found = tuple(int(word) for word in text.split())
    if not all(0 < size < _LONGEST for size in found):
        raise ValueError
    return found


def is_list(text: str) -> bool:
    """Whether the names of several files follow where one file should be named."""
    return _LIST.match(text) is not None


def name_beside(text: str) -> str:
    """The name of one file beside the header, as it names its voxels' file.

    Raises:
        FileError: `mask-beside`, they are in several files, or in another folder.
    """
    name = text.removeprefix("./")
    if is_list(name) or _NUMBERED.match(name):
        raise _beside("its voxels are in several files")
    if not name or {"/", "\\", "\0", ":"} & set(name) or name in (".", ".."):
        raise _beside("its voxels are in a file of another folder")
    return name


def _read_beside(file: Path) -> bytes:
    try:
        return read_regular(file, most=_MOST_BESIDE)
    except FileError as error:
        raise FileError(
            f"its voxels are in another file next to it, which cannot be read: {error.reason}",
            "Bring back the file that its header names, or save both as one file (.nrrd, .mha).",
            code="mask-beside",
        ) from error


def _beside(reason: str) -> FileError:
    return FileError(reason, "Save it as one file (.nrrd, .mha or .nii.gz).", code="mask-beside")


def unreadable(what: str) -> FileError:
    """The error of a file that is not whole, longer than its header says, or of another kind."""
    return FileError(
        f"the {what} volume is cut short, damaged or of an unknown kind",
        "Export it again from its source, as whole numbers, uncompressed or with gzip.",
        code="mask-unreadable",
    )
