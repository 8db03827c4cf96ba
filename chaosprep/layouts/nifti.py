"""NIfTI-1 volumes: a mask for a whole series, cut by where its voxels lie in the patient."""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.dicom import Header
from chaosprep.imaging.images import check_size
from chaosprep.layouts.grids import Grid, Place, image_grid, locate
from chaosprep.layouts.labels import check_bytes
from chaosprep.layouts.volumes import Stack, one_type, surplus

# nifti1.h, "NIFTI1_DATATYPES": those that hold one number a voxel.
_TYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
_HEADER = 348  # bytes; also the number that begins a header, in the file's byte order
_GZIP = b"\x1f\x8b"


def cut_nifti(path: str, file: Path, data: bytes, images: Mapping[str, Header]) -> Stack:
    """Cut a NIfTI volume by geometry: each image gets the voxels that lie at its pixels.

    SimpleITK reads where the voxels lie, and turns the coordinates of NIfTI-1 (+x is right, +y
    anterior) into DICOM's. The voxels are read here: SimpleITK's reader fills up a file that is cut
    short, and takes NaN for 0, without an error.

    Args:
        path: the volume, for its errors.
        file: where it is.
        data: its bytes.
        images: the images in anatomical order.

    Raises:
        FileError: `mask-unreadable`, `mask-kind`, `too-large`, `mask-values`, or `mask-grid`
            where no image at all lies in it.
    """
    grid = _read_grid(file)
    places: dict[str, Place] = {}
    stack = Stack()
    for image, header in images.items():
        try:
            places[image] = locate(image_grid(header), grid)
        except FileError as error:
            stack.errors.append((image, error))
    if not places:
        if stack.errors:
            raise stack.errors[0][1]
        return stack
    voxels = read_voxels(data, grid.shape)
    stack.labels = one_type(
        {path: at.take(voxels, images[path].rows, images[path].cols) for path, at in places.items()}
    )
    used = {(at.across, int(at.start[at.across])) for at in places.values()}
    unused = grid.shape[next(iter(used))[0]] - len(used)
    if unused > 0:
        stack.errors.append((path, surplus(unused, "slices")))
    return stack


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


def _read_grid(file: Path) -> Grid:
    """Where the voxels of a volume lie."""
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
    return Grid(shape, np.array(reader.GetOrigin()), direction * np.array(reader.GetSpacing()))


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
