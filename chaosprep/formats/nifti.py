"""NIfTI-1 files: the voxels of a volume and where they lie, read and written.

SimpleITK reads where the voxels lie, and turns the coordinates of NIfTI-1 (+x is right, +y
anterior) into DICOM's. The voxels are read here: SimpleITK's reader fills up a file that is cut
short, and takes NaN for 0, without an error.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError, not_as_written
from chaosprep.imaging.limits import check_bytes, check_size
from chaosprep.imaging.space.lattice import Lattice, Volume
from chaosprep.imaging.space.nearest import ENOUGH, SAME_PLACE

ENDING = ".nii.gz"
"""Of every volume that is written."""

# nifti1.h, "NIFTI1_DATATYPES": those that hold one number a voxel.
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8"}
_TYPES |= {256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_HEADER = 348  # bytes; also the number that begins a header, in the file's byte order
_GZIP = b"\x1f\x8b"


def read_nifti(file: Path, data: bytes) -> Volume:
    """A NIfTI-1 volume, its axes turned around to (slices, rows, cols); ``data`` are its bytes.

    Raises:
        FileError: what `read_lattice` and `read_voxels` raise.
    """
    lattice = read_lattice(file)
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
        FileError: `not-as-written`, `output` (it cannot be written), and what `write_nifti` raises.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_nifti(file, volume)
    except RuntimeError:  # ITK's only one; its text quotes the whole path
        reason = f"{file.name}: it cannot be written"
        raise FileError(reason, "Make room or choose another output.", "output") from None
    found = read_nifti(file, file.read_bytes())
    if not (
        found.voxels.dtype == volume.voxels.dtype
        and np.array_equal(found.voxels, volume.voxels)
        and _is_there(found.lattice, _at_right_angles(volume.lattice))
    ):
        raise not_as_written(file.name)


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

    Never more is unpacked than the shape needs.

    Raises:
        FileError: `mask-unreadable` (cut short too), `mask-values` (no numbers) or `too-large`.
    """
    try:
        header = _unpacked(data, _HEADER)
        order = "<" if header[:4] == struct.pack("<i", _HEADER) else ">"
        (code,) = struct.unpack_from(f"{order}h", header, 70)
        start, slope, intercept = struct.unpack_from(f"{order}3f", header, 108)
        if code not in _TYPES:
            raise _unreadable()
        kind = np.dtype(order + _TYPES[code])
        check_bytes(math.prod(shape), kind.itemsize)
        begin = max(int(start), _HEADER)
        stored = _unpacked(data, begin + math.prod(shape) * kind.itemsize)
    except (EOFError, OverflowError, ValueError, struct.error, zlib.error, OSError):
        raise _unreadable() from None
    voxels = np.frombuffer(stored, kind, offset=begin).reshape(shape, order="F")
    if slope in (0.0, 1.0) and (slope == 0.0 or intercept == 0.0):  # nifti1.h: 0 is no rescale
        return voxels
    return voxels * float(slope) + float(intercept)


def _unpacked(data: bytes, size: int) -> bytes:
    """The first bytes of a file, after its compression."""
    if data.startswith(_GZIP):
        with gzip.GzipFile(fileobj=BytesIO(data)) as stream:
            data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data[:size]


def read_lattice(file: Path) -> Lattice:
    """Where the voxels of a NIfTI-1 file lie, indexed (i, j, k), in DICOM's coordinates.

    Raises:
        FileError: `mask-unreadable`, `mask-kind` (not 3-D, or not one number a voxel), `too-large`.
    """
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    with _quiet_itk():
        reader.SetImageIO("NiftiImageIO")
        reader.SetFileName(str(file))
        reader.ReadImageInformation()
    shape = reader.GetSize()
    if len(shape) != 3 or reader.GetNumberOfComponents() != 1:
        raise FileError(
            f"a NIfTI of {len(shape)} dimensions, 3 with one number a voxel were expected",
            "Give one label volume for each patient.",
            code="mask-kind",
        )
    check_size(*sorted(shape)[1:])
    direction = np.array(reader.GetDirection()).reshape(3, 3)
    return Lattice(shape, np.array(reader.GetOrigin()), direction * np.array(reader.GetSpacing()))


@contextmanager
def _quiet_itk() -> Iterator[None]:
    """Turn ITK's errors, which quote paths, into a `FileError`; keep it from printing warnings."""
    import SimpleITK

    shown = SimpleITK.ProcessObject.GetGlobalWarningDisplay()
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    except RuntimeError:
        raise _unreadable() from None
    finally:
        SimpleITK.ProcessObject.SetGlobalWarningDisplay(shown)


def _unreadable() -> FileError:
    return FileError(
        "the NIfTI volume is cut short, damaged or of an unknown kind",
        "Export it again from its source, as NIfTI-1 of whole numbers.",
        code="mask-unreadable",
    )
