"""Images that are a volume in one file, or several: the slices along the third axis are frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import RECOPY, FileError
from chaosprep.formats.image_file import ImageFormat
from chaosprep.imaging.header import Header, Orientation, Vector
from chaosprep.imaging.limits import MAX_BYTES, MAX_PIXELS, check_size
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.imaging.space.nearest import ENOUGH

UNPLACED = "the file does not say where its voxels lie"
_MOST_FRAMES = 2**16
_MUCH = 2**28  # bytes: what any file may hold
_PACKED = 100  # times: what holds more was packed at most so well; images are, at 2 to 20
_FARTHEST = 1e9  # mm: what a row of the table has room for
_SIDES = 1e-6, 1e6  # mm of a voxel, as there
_FACTORS = 1e-30, 1e30  # of a slope, as there


@dataclass(frozen=True, eq=False)
class Volumes:
    """What a file says of the volumes that it holds, all of one shape at one place.

    ``voxels`` unpacks them, (i, j, k, volume) of ``kind`` as they are stored; ``count`` is how many
    volumes. Stored value x ``slope`` + ``intercept`` is what a voxel means. ``lattice`` is where
    they lie, indexed (i, j, k); where it is ``nowhere``, which says why as a clause, only the
    voxels' size counts. A ``flat`` file has rows and columns alone. ``texts`` are the places of its
    header in which a person may have written. ``packed`` is how many bytes the file has.
    """

    what: str
    lattice: Lattice
    kind: np.dtype[Any]
    voxels: Callable[[], NDArray[Any]] = field(repr=False)
    packed: int
    count: int = 1
    slope: float = 1.0
    intercept: float = 0.0
    nowhere: str | None = None
    flat: bool = False
    texts: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Columns, rows, slices."""
        return self.lattice.shape

    @property
    def frames(self) -> int:
        """How many slices there are in all volumes."""
        return self.shape[2] * self.count

    def frames_each(self) -> tuple[range, ...]:
        """The frames of each volume. Raises `FileError`: what `check_volumes` raises."""
        check_volumes(self, MAX_PIXELS)
        slices = self.shape[2]
        return tuple(range(at, at + slices) for at in range(0, self.frames, slices))


class VolumeImage:
    """A file of volumes, opened. Frame ``volume * slices + k`` is slice k of a volume.

    Args:
        told: what its header says.
        max_pixels: the most in all frames; unless it is said otherwise, the bytes alone count.

    Raises:
        FileError: `too-large`, `image-kind`, `sheared`, `geometry-unknown` or `rescale-broken`.
    """

    def __init__(self, told: Volumes, max_pixels: int) -> None:
        check_volumes(told, max_pixels)
        check_packed(told)
        self._told = told
        self._square = _at_right_angles(told)

    def headers(self) -> tuple[Header, ...]:
        """One for each frame; the voxels are unpacked, so that what is not whole is told at once.

        Raises:
            FileError: `image-unreadable`, or `not-finite`.
        """
        assert self._voxels.size
        return tuple(self._header(frame) for frame in range(self._told.frames))

    def read(self, frame: int | None = None) -> tuple[Header, NDArray[Any]]:
        """The header of a frame, and its voxels (rows, cols): rows along j, columns along i.

        Raises:
            FileError: what `headers` raises, `multi-frame` or `frame-missing`.
        """
        frames, slices = self._told.frames, self._told.shape[2]
        if frame is None and frames > 1:
            raise FileError(
                f"the file holds {frames} frames, one was expected",
                "Give the number of one.",
                code="multi-frame",
            )
        if not 0 <= (frame or 0) < frames:
            reason = f"the file has no frame {frame}: they are 0 to {frames - 1}"
            raise FileError(reason, RECOPY, "frame-missing")
        volume, k = divmod(frame or 0, slices)
        plane = self._voxels[:, :, k, volume].T
        native = self._told.kind.newbyteorder("=")
        return self._header(frame or 0), np.ascontiguousarray(plane, native)

    @cached_property
    def _voxels(self) -> NDArray[Any]:
        voxels = self._told.voxels()
        if voxels.dtype.kind == "f" and not _is_finite(voxels):
            remedy = "Export the file again with finite values."
            raise FileError("its float pixels hold NaN or infinity", remedy, "not-finite")
        return voxels

    def _header(self, frame: int) -> Header:
        told, square = self._told, self._square
        cols, rows, slices = told.shape
        columns, down, between = square.spacing
        axes = square.steps / square.spacing
        first = told.lattice.origin + told.lattice.steps[:, 2] * (frame % slices)
        placed = told.nowhere is None
        return Header(
            rows=rows,
            cols=cols,
            dtype=told.kind.name,
            bits_stored=8 * told.kind.itemsize,
            pixel_spacing=(down, columns),
            image_position_patient=_vector(first) if placed else None,
            image_orientation_patient=_cosines(axes) if placed else None,
            spacing_between_slices=None if told.flat else between,
            instance_number=frame + 1,
            rescale_slope=told.slope,
            rescale_intercept=told.intercept,
            frames=told.frames,
            frame_number=frame + 1,
            notes=_notes(told),
        )


def volume_format(
    name: str,
    ending: str,
    knows: Callable[[str, bytes], bool],
    read: Callable[[bytes], Volumes],
    alone: Callable[[bytes, Volumes, NDArray[Any]], bytes],
) -> ImageFormat:
    """The format of files of volumes.

    Args:
        name: what it is called.
        ending: of a file of it in a stage directory.
        knows: whether a file is one, by its path and bytes.
        read: what a file's bytes say.
        alone: a file of one of several volumes, of the whole file, what that says, and the volume's
            voxels (i, j, k) as they are stored.
    """

    def part(data: bytes, frames: Sequence[int]) -> bytes | None:
        told = read(data)
        voxels = one_of_several(told, frames)
        return None if voxels is None else alone(data, told, voxels)

    return ImageFormat(
        name=name,
        ending=ending,
        knows=knows,
        open=lambda data, max_pixels: VolumeImage(read(data), max_pixels),
        whole=True,
        volumes=lambda data: read(data).frames_each(),
        part=part,
    )


def check_volumes(told: Volumes, max_pixels: int) -> None:
    """Refuse, before anything is unpacked, what is too large or no grey image.

    Raises:
        FileError: `too-large`, `image-kind` or `rescale-broken`.
    """
    cols, rows, _ = told.shape
    check_size(rows, cols)
    if max_pixels != MAX_PIXELS:
        check_size(rows, cols, frames=told.frames, max_pixels=max_pixels)
    size = rows * cols * told.frames * told.kind.itemsize
    if size > MAX_BYTES or told.frames > _MOST_FRAMES:
        raise FileError(
            f"its {told.frames} slices of {rows} x {cols} {told.kind.name} are above the limit of "
            f"{MAX_BYTES >> 20} MiB or {_MOST_FRAMES} slices",
            "Check the file; save it with fewer bits, or as several files.",
            code="too-large",
        )
    if told.kind.itemsize == 8 and told.kind.kind in "iu":
        raise FileError(
            f"its voxels are {told.kind.name}, which not every step here can hold exactly",
            "Save it with 32 bits or fewer.",
            code="image-kind",
        )
    if not (_FACTORS[0] <= abs(told.slope) <= _FACTORS[1] and abs(told.intercept) <= _FACTORS[1]):
        raise FileError(
            "the numbers by which its values are to be rescaled are not usable",
            "Export it again from its source.",
            code="rescale-broken",
        )


def check_packed(told: Volumes) -> None:
    """Refuse a small file of very much: it was made to fill the memory.

    Raises:
        FileError: `too-large`.
    """
    size = int(np.prod(told.shape, dtype=np.int64)) * told.count * told.kind.itemsize
    if size > max(_MUCH, _PACKED * told.packed):
        raise FileError(
            f"{told.packed >> 10} KiB that unpack to {size >> 20} MiB of voxels are not an image",
            "Check the file; if it is sound, save it uncompressed.",
            code="too-large",
        )


def one_of_several(told: Volumes, frames: Sequence[int]) -> NDArray[Any] | None:
    """The voxels (i, j, k) of the volume whose frames, all and in order, these are.

    None where they are others, or the file holds no other volume.

    Raises:
        FileError: what `check_volumes` and `check_packed` raise, or `image-unreadable`.
    """
    slices = told.shape[2]
    volume = frames[0] // slices if frames else told.count
    whole = range(volume * slices, (volume + 1) * slices)
    if told.count == 1 or volume >= told.count or tuple(frames) != tuple(whole):
        return None
    check_volumes(told, MAX_PIXELS)
    check_packed(told)
    return told.voxels()[..., volume]


@np.errstate(invalid="ignore", over="ignore")  # what is no number is met below
def _at_right_angles(told: Volumes) -> Lattice:
    """The lattice whose axes are at right angles; the image's own but for rounding."""
    lattice = told.lattice
    spacing = lattice.spacing
    if not all(_SIDES[0] <= side <= _SIDES[1] for side in spacing):
        raise FileError(
            "the header gives its voxels no size above 0 that is possible",
            "Export it again from its source, with its geometry.",
            code="geometry-unknown",
        )
    if not np.abs(lattice.corners()).max() <= _FARTHEST:
        raise FileError(
            "the header places its voxels farther away than any scanner could",
            "Export it again from its source, with its geometry.",
            code="geometry-unknown",
        )
    square = lattice.squared()
    if lattice.differs_by(square) >= ENOUGH * min(spacing[:2]):
        raise FileError(
            "its slices are not stacked at right angles (a tilted gantry or a sheared affine)",
            "Resample it to a grid of right angles first.",
            code="sheared",
        )
    return square


def _is_finite(voxels: NDArray[Any]) -> bool:
    """Whether every number is finite, a plane at a time."""
    return all(
        bool(np.isfinite(voxels[:, :, k, volume]).all())
        for volume in range(voxels.shape[3])
        for k in range(voxels.shape[2])
    )


def _vector(point: NDArray[np.float64]) -> Vector:
    x, y, z = (float(mm) + 0.0 for mm in point)  # no -0.0
    return x, y, z


def _cosines(axes: NDArray[np.float64]) -> Orientation:
    """ImageOrientationPatient (PS3.3 C.7.6.2.1.1): along a row, then down a column."""
    a, b, c, d, e, f = (float(one) + 0.0 for one in (*axes[:, 0], *axes[:, 1]))
    return a, b, c, d, e, f


def _notes(told: Volumes) -> tuple[str, ...]:
    notes = [] if told.nowhere is None else [f"{UNPLACED}: {told.nowhere}"]
    if told.texts:
        fields = ", ".join(told.texts)
        notes.append(
            f"its header has free text ({fields}), copied with the file: check that it names no one"
        )
    return tuple(notes)
