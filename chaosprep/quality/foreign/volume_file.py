"""One file of a volume, opened as far as it goes: what is wrong with its header hides no voxels."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.facts import Label
from chaosprep.formats import metaimage_image, nifti_image, nrrd_image
from chaosprep.formats.masks import mask_format, read_volume
from chaosprep.formats.volume_image import VolumeImage, Volumes, check_packed
from chaosprep.imaging.limits import MAX_PIXELS, check_bytes
from chaosprep.imaging.space.lattice import Lattice

READERS = {
    (".nii", ".nii.gz"): nifti_image.read_volumes,
    (".nrrd", ".nhdr"): nrrd_image.read_volumes,
    (".mha", ".mhd"): metaimage_image.read_volumes,
}
"""Endings -> what reads the header of such a file."""

_PLACE = ("geometry-unknown", "nifti-forms", "sheared", "mask-grid")


@dataclass(frozen=True, eq=False)
class Opened:
    """A volume: its voxels (i, j, k) as they are meant, and where they lie; None: nobody knows.

    ``scale`` are slope and intercept, already applied. ``legend`` is what the file says itself of
    its values. ``errors`` are what is wrong with it beside that.
    """

    voxels: NDArray[Any] | None
    lattice: Lattice | None
    is_placed: bool
    scale: tuple[float, float] = (1.0, 0.0)
    legend: Mapping[int, Label] | None = None
    errors: tuple[FileError, ...] = ()


def is_volume(path: str) -> bool:
    """Whether a file's ending is one of a volume."""
    return path.casefold().endswith(tuple(end for ends in READERS for end in ends))


def open_volumes(path: str, data: bytes, *, label: bool) -> list[Opened]:
    """The volumes of a file, one or several; labels have any whole numbers.

    Raises:
        FileError: nothing can be said of its voxels.
    """
    if label and (found := _as_segments(Path(path), data)) is not None:
        return [found]
    told, errors = _header(path, data)
    if label:
        check_bytes(told.frames * told.shape[0] * told.shape[1], told.kind.itemsize)
        check_packed(told)
    else:
        try:
            VolumeImage(told, MAX_PIXELS)
        except FileError as error:
            if error.code not in _PLACE:
                raise
            errors += () if error.code in {one.code for one in errors} else (error,)
    voxels = told.voxels()
    known = not any(error.code in _PLACE and error.code != "sheared" for error in errors)
    return [
        Opened(
            _scaled(voxels[..., at], told.slope, told.intercept) if label else voxels[..., at],
            told.lattice if known else None,
            known and told.nowhere is None,
            (told.slope, told.intercept),
            errors=errors,
        )
        for at in range(told.count)
    ]


def _header(path: str, data: bytes) -> tuple[Volumes, tuple[FileError, ...]]:
    """What the header says; where it does not agree with itself of the place, without that."""
    read = next(one for ends, one in READERS.items() if path.casefold().endswith(ends))
    try:
        return read(data), ()
    except FileError as error:
        if error.code not in _PLACE or read is not nifti_image.read_volumes:
            raise
        return nifti_image.read_unplaced(data), (error,)


def _as_segments(file: Path, data: bytes) -> Opened | None:
    """A mask that names its structures, or whose voxels lie in a file beside it."""
    known = mask_format(file.name, data)
    legend = known.legend(data) if known.legend is not None else {}
    beside = known.beside(data) if known.beside is not None else ()
    if not (legend or beside):
        return None
    volume = read_volume(file, data)
    lattice = volume.lattice
    turned = Lattice(lattice.shape[::-1], lattice.origin, lattice.steps[:, ::-1])
    placed = True
    if known.lies is not None:
        try:
            known.lies(data)
        except FileError:
            placed = False
    return Opened(volume.voxels.T, turned, placed, legend=legend or None)


def _scaled(voxels: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    return voxels if (slope, intercept) == (1.0, 0.0) else voxels * slope + intercept
