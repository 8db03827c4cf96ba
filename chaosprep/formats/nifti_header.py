"""The header of a NIfTI-1 file: what its voxels are, and where they lie by its qform and sform."""

import math
import struct
import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.packed import GZIP, unpack
from chaosprep.formats.volume_mask import without_size
from chaosprep.imaging.limits import check_size
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.imaging.space.nearest import ENOUGH

HEADER = 348  # bytes; also the number that begins a header, in the file's byte order
FIRST_VOXEL = 352  # nifti1.h, "n+1": the least vox_offset of a file that holds both
_LAYOUT = "i36x8h14xh4x8f3f3xB128x2h6f12f16x4s"  # nifti1.h, "struct nifti_1_header"
_MM = {1: 1000.0, 3: 0.001}  # nifti1.h, NIFTI_UNITS_METER and _MICRON; others are mm
_TO_LPS = np.array([-1.0, -1.0, 1.0])  # NIfTI's +x is right and +y anterior
_HALF_TURN = 1e-7  # nifti1_io.c: a square below it is 0
_NO_TURN = 1e-3  # by which no rounding makes the square negative
_ROUNDING = 1.2e-7  # of a sum of squares of float32 that is 1


@dataclass(frozen=True)
class NiftiHeader:
    """The fields of a header that are used, by their names in nifti1.h; ``order`` is `<` or `>`."""

    order: str
    dim: tuple[int, ...]
    datatype: int
    pixdim: tuple[float, ...]
    vox_offset: float
    scl_slope: float
    scl_inter: float
    xyzt_units: int
    qform_code: int
    sform_code: int
    quaternion: tuple[float, ...]
    qoffset: tuple[float, ...]
    srow: tuple[float, ...]
    magic: bytes

    @property
    def is_placed(self) -> bool:
        """Whether it says where the voxels lie; else it has their size alone (method 1)."""
        return self.qform_code > 0 or self.sform_code > 0


def parse(data: bytes) -> NiftiHeader:
    """Read the header of a NIfTI-1 file, compressed or not.

    Raises:
        FileError: `mask-unreadable`.
    """
    try:
        raw = unpacked(data, HEADER)
    except (EOFError, OSError, zlib.error):
        raise unreadable() from None
    order = "<" if raw[:4] == struct.pack("<i", HEADER) else ">"
    values = struct.unpack(order + _LAYOUT, raw)
    if values[0] != HEADER:
        raise unreadable()
    return NiftiHeader(
        order=order,
        dim=values[1:9],
        datatype=values[9],
        pixdim=values[10:18],
        vox_offset=values[18],
        scl_slope=values[19],
        scl_inter=values[20],
        xyzt_units=values[21],
        qform_code=values[22],
        sform_code=values[23],
        quaternion=values[24:27],
        qoffset=values[27:30],
        srow=values[30:42],
        magic=values[42],
    )


def unpacked(data: bytes, size: int, *, whole: bool = False) -> bytes | memoryview:
    """The first bytes of a file, compressed or not; see `unpack`, and what it raises."""
    return unpack(data, "gzip" if data.startswith(GZIP) else "raw", size, whole=whole)


@np.errstate(invalid="ignore", over="ignore")  # what is no number is met below
def lattice_of(header: NiftiHeader) -> Lattice:
    """Where the voxels lie, indexed (i, j, k), in DICOM's coordinates; two axes are one slice.

    By the sform, else the qform, whichever has a code above 0; without either by the voxels' size
    alone (nifti1.h, methods 3, 2 and 1).

    Raises:
        FileError: `mask-unreadable`, `mask-kind` (not one volume), `too-large`, `geometry-unknown`
            (its place needs pixdim, and a voxel has no size there), or `nifti-forms` where both
            forms are valid and differ by more than 1/20 voxel in a corner.
    """
    if header.dim[0] == 2:
        flat = (header.dim[1], header.dim[2], 1)
        return lattice_of(of_one_volume(header, flat)).of_one_slice()
    shape = _shape(header)
    scale = _MM.get(header.xyzt_units & 7, 1.0)
    if header.sform_code <= 0 and not all(0 < size < math.inf for size in header.pixdim[1:4]):
        raise without_size()  # programs differ: 1 mm, the length without its sign, or turned around
    if not header.is_placed:
        return _lattice(shape, np.diag(header.pixdim[1:4]), np.zeros(3), scale)
    rows = np.array(header.srow).reshape(3, 4)
    sform = _lattice(shape, rows[:, :3], rows[:, 3], scale)
    if header.qform_code <= 0:
        return sform
    # nifti1_io.c scales such numbers down and takes any sign below 0 for -1; nibabel does neither.
    if -math.inf < _square(header) < -_NO_TURN or (header.pixdim[0] < 0 and header.pixdim[0] != -1):
        raise FileError(
            "the numbers of its qform are not a rotation that programs agree on",
            "Write it again with the image's geometry.",
            code="geometry-unknown",
        )
    qform = _lattice(shape, _quaternion_steps(header), np.array(header.qoffset), scale)
    if header.sform_code <= 0:
        return qform
    if not all(np.isfinite([*form.origin, *form.steps.ravel()]).all() for form in (sform, qform)):
        raise _two_places(header, "one holds something that is not a number")
    apart = sform.differs_by(qform)
    if apart > max(ENOUGH * min(sform.spacing), _rounded(header) * _extent(sform)):
        tilted = min(sform.spacing) > 0 and sform.is_sheared
        tilt = ", and the sform is tilted, which no qform can be" if tilted else ""
        raise _two_places(header, f"corners lie up to {apart:.3g} mm apart{tilt}")
    return sform


def of_one_volume(header: NiftiHeader, shape: tuple[int, int, int]) -> NiftiHeader:
    """The header of a volume of this shape; a single slice needs no size across."""
    pixdim = header.pixdim
    if shape[2] == 1 and not 0 < pixdim[3] < math.inf:
        pixdim = (*pixdim[:3], 1.0, *pixdim[4:])
    return replace(header, dim=(3, *shape, 1, 1, 1, 1), pixdim=pixdim)


def _shape(header: NiftiHeader) -> tuple[int, int, int]:
    count = header.dim[0]
    if header.magic != b"n+1\0" or not 1 <= count <= 7 or min(header.dim[1 : count + 1]) < 1:
        raise unreadable()
    sizes = header.dim[1 : count + 1]
    if count < 3 or math.prod(sizes[3:]) > 1:
        raise FileError(
            f"a NIfTI of {count} dimensions ({' x '.join(map(str, sizes))}), one volume of 3 with "
            "one number a voxel was expected",
            "Give one label volume for each patient.",
            code="mask-kind",
        )
    check_size(*sorted(sizes[:3])[1:])
    return sizes[0], sizes[1], sizes[2]


def _lattice(
    shape: tuple[int, int, int], steps: NDArray[np.float64], origin: NDArray[np.float64], mm: float
) -> Lattice:
    return Lattice(shape, _TO_LPS * origin * mm, _TO_LPS[:, None] * steps * mm)


def _square(header: NiftiHeader) -> float:
    """The square of the quaternion's first number, which is not stored."""
    return 1.0 - sum(part * part for part in header.quaternion)


def _quaternion_steps(header: NiftiHeader) -> NDArray[np.float64]:
    """The steps of the qform (nifti1.h, method 2; nifti1_io.c, `nifti_quatern_to_mat44`)."""
    b, c, d = header.quaternion
    square = _square(header)
    a = math.sqrt(square) if square >= _HALF_TURN else 0.0
    if square < _HALF_TURN:
        length = math.sqrt(b * b + c * c + d * d)
        b, c, d = b / length, c / length, d / length
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    i, j, k = header.pixdim[1:4]
    return turn * [i, j, -k if header.pixdim[0] < 0 else k]


def unsure(header: NiftiHeader) -> float:
    """The radians that rounding to float32 may have turned the qform by: near half a turn not 0.

    0 where the sform says where the voxels lie.
    """
    return 0.0 if header.sform_code > 0 else _rounded(header)


def _rounded(header: NiftiHeader) -> float:
    square = _square(header)
    low = max(0.0, square - _ROUNDING - _HALF_TURN)
    return 2 * (math.sqrt(max(square, 0.0) + _ROUNDING) - math.sqrt(low))


def _extent(lattice: Lattice) -> float:
    """The mm from the first voxel to the last."""
    return float(np.linalg.norm(lattice.steps @ np.array(lattice.shape)))


def _two_places(header: NiftiHeader, how: str) -> FileError:
    codes = f"qform (code {header.qform_code}) and sform (code {header.sform_code})"
    return FileError(
        f"its {codes} do not agree where its voxels lie: {how}",
        "Programs differ in which they believe: find out which is right, and set the code of the "
        "other to 0.",
        code="nifti-forms",
    )


def unreadable() -> FileError:
    """The error of a file that is not whole, longer than its header says, or no NIfTI-1."""
    return FileError(
        "the NIfTI volume is cut short, damaged or of an unknown kind",
        "Export it again from its source, as NIfTI-1 of whole numbers.",
        code="mask-unreadable",
    )
