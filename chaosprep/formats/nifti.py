"""NIfTI-1 files: the voxels of a volume and where they lie, read and written.

SimpleITK writes them. They are read here: its reader fills up a file that is cut short, takes NaN
for 0, and chooses between two forms that disagree, all without an error.
"""

import math
import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError, not_as_written
from chaosprep.files import read_regular, temporary_in, write_new, writing
from chaosprep.formats.nifti_header import (
    FIRST_VOXEL,
    NiftiHeader,
    lattice_of,
    parse,
    unpacked,
    unreadable,
)
from chaosprep.imaging.limits import check_bytes
from chaosprep.imaging.space.lattice import Lattice, Volume
from chaosprep.imaging.space.nearest import ENOUGH, SAME_PLACE
from chaosprep.systems.replacing import unlink

_PROBE = 2**16  # bytes that a disk with room takes
ENDING = ".nii.gz"
"""Of every volume that is written."""

# nifti1.h, "NIFTI1_DATATYPES": those that hold one number a voxel.
TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8"}
TYPES |= {256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
"""Data type -> the kind of a voxel; others hold other than one real number."""


def read_nifti(data: bytes) -> Volume:
    """A NIfTI-1 volume of a file's bytes, its axes turned around to (slices, rows, cols).

    Raises:
        FileError: what `read_lattice` and `read_voxels` raise.
    """
    lattice = read_lattice(data)
    voxels = read_voxels(data, lattice.shape)
    i, j, k = lattice.shape
    return Volume(voxels.T, Lattice((k, j, i), lattice.origin, lattice.steps[:, ::-1]))


def write_nifti(file: Path, volume: Volume) -> None:
    """Write a volume as NIfTI-1, compressed where the name ends in `.gz`; no clock goes into it.

    NIfTI's quaternions know only right angles: axes that are nearly so, are made so.

    Args:
        file: the new file, `.nii` or `.nii.gz`.
        volume: any number type that NIfTI-1 has.

    Raises:
        FileError: `sheared`, where slices, rows and columns are not at right angles, by `ENOUGH` of
            a pixel in any corner.
    """
    import SimpleITK

    volume = Volume(volume.voxels, _at_right_angles(volume.lattice))
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(volume.voxels))
    spacing = volume.lattice.spacing
    image.SetSpacing(spacing[::-1])
    image.SetDirection((volume.lattice.steps / spacing)[:, ::-1].ravel().tolist())
    image.SetOrigin(volume.lattice.origin.tolist())
    writer = SimpleITK.ImageFileWriter()
    writer.SetFileName(str(file))
    writer.SetImageIO("NiftiImageIO")
    writer.SetUseCompression(file.suffix == ".gz")
    writer.Execute(image)


def write_checked(file: Path, volume: Volume) -> None:
    """Write a volume, read it back and compare: voxels exactly, their places to 1e-3 mm.

    Far from the origin NIfTI's float32 is coarser than that, and two of its steps are allowed.

    Raises:
        FileError: `not-as-written`, and what `write_nifti` raises; OutputError: it cannot be
            written.
    """
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(RuntimeError):  # ITK's only one; its text quotes the whole path
            write_nifti(file, volume)
        if not _is_as_written(file, volume):
            _ask_system(file)
            raise not_as_written(file.name)


def _ask_system(file: Path) -> None:
    """Raise what ITK keeps to itself: that a file cannot be written, or the disk is full."""
    file.open("ab").close()
    probe = temporary_in(file.parent)
    try:
        write_new(probe, os.urandom(_PROBE))
    finally:
        unlink(probe, missing_ok=True)


def _is_as_written(file: Path, volume: Volume) -> bool:
    try:
        found = read_nifti(read_regular(file))
    except FileError:
        return False
    return (
        found.voxels.dtype == volume.voxels.dtype
        and np.array_equal(found.voxels, volume.voxels)
        and _is_there(found.lattice, _at_right_angles(volume.lattice))
    )


def _at_right_angles(lattice: Lattice) -> Lattice:
    """The lattice itself, unless its voxels move; see `write_nifti`."""
    square = lattice.squared()
    off = square.differs_by(lattice)
    if off >= ENOUGH * min(lattice.spacing[1:]):
        raise FileError(
            "its slices are not stacked at right angles (a tilted gantry), which NIfTI readers "
            "would straighten in silence",
            "Resample the series first, or leave the case out with --on-error skip.",
            code="sheared",
        )
    return square if off > SAME_PLACE / 4 else lattice


def _is_there(found: Lattice, written: Lattice) -> bool:
    far = float(np.abs(written.corners()).max())
    return found.differs_by(written) <= SAME_PLACE + 2 * float(np.finfo(np.float32).eps) * far


def read_voxels(data: bytes, shape: tuple[int, int, int]) -> NDArray[Any]:
    """The voxels of a NIfTI-1 file, indexed (i, j, k), with its rescale applied.

    Raises:
        FileError: `mask-kind` (not one number a voxel), `too-large`, and what `stored_voxels` and
            `rescale` raise.
    """
    header = parse(data)
    if header.datatype not in TYPES:
        raise FileError(
            f"a NIfTI of data type {header.datatype}, one real number a voxel was expected",
            "Save it with one whole number, from 0 to 65535, for each organ.",
            code="mask-kind",
        )
    check_bytes(math.prod(shape), np.dtype(TYPES[header.datatype]).itemsize)
    voxels = stored_voxels(data, header, shape)
    slope, intercept = rescale(header)
    return voxels if (slope, intercept) == (1.0, 0.0) else voxels * slope + intercept


def stored_voxels(data: bytes, header: NiftiHeader, shape: tuple[int, ...]) -> NDArray[Any]:
    """The voxels of a NIfTI-1 file as they are stored, indexed as ``shape`` is.

    Hardly more is unpacked than the shape needs: enough to see that the file ends there, as what
    its checksum was made of.

    Raises:
        FileError: `mask-unreadable` (cut short, or longer than its header says, too).
    """
    kind = np.dtype(header.order + TYPES[header.datatype])
    if not header.vox_offset >= FIRST_VOXEL:  # programs differ where such a file begins
        raise unreadable()
    try:
        begin = int(header.vox_offset)
        stored = unpacked(data, begin + math.prod(shape) * kind.itemsize, whole=True)
    except (EOFError, OverflowError, ValueError, zlib.error, OSError):
        raise unreadable() from None
    return np.frombuffer(stored, kind, offset=begin).reshape(shape, order="F")


def rescale(header: NiftiHeader) -> tuple[float, float]:
    """Slope and intercept: stored value x slope + intercept is what a voxel means; 1 and 0 without.

    Raises:
        FileError: `mask-unreadable`, programs differ in what they mean.
    """
    # nifti1.h: a slope of 0 is no rescale; nifti1_io.c takes one that is not finite for 0.
    slope = header.scl_slope if math.isfinite(header.scl_slope) else 0.0
    if not slope:
        return 1.0, 0.0
    if not math.isfinite(header.scl_inter):  # 0 to nifti1_io.c, an error to nibabel
        raise FileError(
            "its scl_slope is a number, but its scl_inter is not",
            "Export it again from its source.",
            code="mask-unreadable",
        )
    return slope, header.scl_inter


def read_lattice(data: bytes) -> Lattice:
    """Where the voxels of a NIfTI-1 file lie, indexed (i, j, k), in DICOM's coordinates.

    Raises:
        FileError: `mask-unreadable`, and what `lattice_of` raises.
    """
    return lattice_of(parse(data))
