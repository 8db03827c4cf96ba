"""Where the voxels of an array lie in the patient, and a volume: an array that knows it."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.limits import size_text
from chaosprep.imaging.space.geometry import slice_normal
from chaosprep.imaging.space.nearest import nearest_axes

SAME_VOXEL = 0.1  # of the smallest spacing: two lattices have the same voxels


class Lattice(msgspec.Struct, frozen=True, eq=False):
    """A lattice of voxels in DICOM patient coordinates (LPS: left, posterior, superior; mm).

    Voxel (i, j, k) of an array of ``shape`` lies at ``origin + steps @ (i, j, k)``; ``origin`` is
    (3,) mm and ``steps`` (3, 3) mm, a column for each axis of the array.
    """

    shape: tuple[int, int, int]
    origin: NDArray[np.float64]
    steps: NDArray[np.float64]

    @property
    def spacing(self) -> tuple[float, float, float]:
        """The mm between voxels along each axis of the array."""
        i, j, k = (float(length) for length in np.linalg.norm(self.steps, axis=0))
        return i, j, k

    @property
    def is_sheared(self) -> bool:
        """Whether two axes are not at right angles (a tilted gantry), to 1e-3 of a cosine."""
        unit = self.steps / np.linalg.norm(self.steps, axis=0)
        return bool(np.abs(unit.T @ unit - np.eye(3)).max() > 1e-3)

    @property
    def is_flat(self) -> bool:
        """Whether its three axes lie in one plane, so that no place has voxels of its own."""
        volume = abs(float(np.linalg.det(self.steps / self.spacing)))
        return not volume > 1e-6

    @property
    def is_identity(self) -> bool:
        """Whether it is what programs write that know no place: 1 mm, no turn, first voxel at 0."""
        plain = np.abs(self.steps)
        along = any(np.allclose(axes, np.eye(3), atol=1e-6) for axes in (plain, plain[:, ::-1]))
        return along and not self.origin.any()

    def squared(self) -> "Lattice":
        """The nearest lattice of the same origin and spacing whose axes are at right angles."""
        return Lattice(
            self.shape, self.origin, nearest_axes(self.steps / self.spacing) * self.spacing
        )

    @np.errstate(invalid="ignore", over="ignore")
    def of_one_slice(self) -> "Lattice":
        """The same where there is one slice: its third step goes along the normal, 1 mm if none."""
        normal = np.cross(self.steps[:, 0], self.steps[:, 1])
        size, length = float(np.linalg.norm(normal)), float(np.linalg.norm(self.steps[:, 2]))
        if self.shape[2] > 1 or not size > 0:
            return self
        across = normal / size * (length if 0 < length < np.inf else 1.0)
        return Lattice(self.shape, self.origin, np.column_stack([self.steps[:, :2], across]))

    def turned_to(self, other: "Lattice", limit: float) -> "Lattice":
        """The same lattice along the axes of another, where they are at most `limit` radians away.

        The axes may be exchanged and run backwards; the first voxel stays where it is. Farther away
        it is the lattice itself.
        """
        if not limit:
            return self
        own, there = self.steps / self.spacing, other.steps / other.spacing
        axes = there @ np.rint(there.T @ own)
        if np.linalg.norm(axes - own) > 2**0.5 * limit:  # what a turn by small radians comes to
            return self
        return Lattice(self.shape, self.origin, axes * self.spacing)

    def backwards(self) -> "Lattice":
        """The same voxels, those of the first axis counted from the other end."""
        first, *others = self.steps.T
        origin = self.origin + first * (self.shape[0] - 1)
        return Lattice(self.shape, origin, np.column_stack([-first, *others]))

    def corners(self) -> NDArray[np.float64]:
        """The middles of the eight outermost voxels, mm, (3, 8)."""
        ends = np.array(np.meshgrid(*((0, size - 1) for size in self.shape))).reshape(3, -1)
        return np.asarray(self.origin[:, None] + self.steps @ ends, dtype=np.float64)

    def differs_by(self, other: "Lattice") -> float:
        """The largest distance in mm between the same corners of two lattices of one shape."""
        return float(np.linalg.norm(self.corners() - other.corners(), axis=0).max())


class Volume(msgspec.Struct, frozen=True, eq=False):
    """An array (slices, rows, cols) and the lattice of its voxels, axes in the same order."""

    voxels: NDArray[Any]
    lattice: Lattice

    def backwards(self) -> "Volume":
        """The same voxels at the same places, the last slice first."""
        return Volume(np.ascontiguousarray(self.voxels[::-1]), self.lattice.backwards())


def stack_lattice(
    shape: tuple[int, int, int],
    position: Sequence[float] | NDArray[np.float64],
    orientation: Sequence[float],
    spacing: tuple[float, float, float],
) -> Lattice:
    """The lattice of slices stacked along their normal, (slices, rows, cols).

    ``shape`` and ``spacing`` (mm) are of slices, rows, cols; the others are ImagePositionPatient of
    the first slice and ImageOrientationPatient.
    """
    normal = slice_normal(orientation) * spacing[0]
    steps = np.column_stack([normal, *pixel_steps(orientation, spacing[1:])])
    return Lattice(shape, np.array(position, dtype=np.float64), steps)


def plane_lattice(
    shape: tuple[int, int],
    position: Sequence[float],
    orientation: Sequence[float],
    spacing: Sequence[float],
) -> Lattice:
    """The lattice of one image, (rows, cols, 1), its third step 1 mm along the normal.

    `shape` is rows, cols; the others are ImagePositionPatient, ImageOrientationPatient and
    PixelSpacing.
    """
    normal = np.cross(orientation[:3], orientation[3:])
    steps = np.column_stack([*pixel_steps(orientation, spacing), normal])
    return Lattice((*shape, 1), np.array(position, dtype=np.float64), steps)


def pixel_steps(
    orientation: Sequence[float], spacing: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The steps in mm, (3,) each, from a pixel to the next row's and to the next column's.

    PS3.3 C.7.6.2.1.1: a step along a row goes by the first three cosines, one down a column by
    the last three. `spacing` is that between rows and that between columns.
    """
    along_row, down = np.array(orientation[:3], float), np.array(orientation[3:], float)
    return down * spacing[0], along_row * spacing[1]


def pixel_position(
    position: Sequence[float],
    orientation: Sequence[float],
    spacing: Sequence[float],
    row: float,
    col: float,
) -> tuple[float, float, float]:
    """Where the middle of pixel (row, col) lies, in mm to 6 decimals; fractions are between pixels.

    The first pixel's is `position`; `spacing` is as `pixel_steps` has it.
    """
    down, right = pixel_steps(orientation, (spacing[0] * row, spacing[1] * col))
    x, y, z = (round(float(mm), 6) for mm in np.array(position, float) + right + down)
    return x, y, z


def laid_on(volume: Volume, lattice: Lattice) -> NDArray[Any]:
    """The voxels of a volume in the order of a lattice: axes are swapped and flipped, no more.

    Raises `FileError` ``grid-mismatch`` where corners lie farther apart than `SAME_VOXEL` says.
    """
    turn = np.rint(np.linalg.solve(lattice.steps, volume.lattice.steps))
    if not all((np.abs(turn).sum(axis=axis) == 1).all() for axis in (0, 1)):
        raise _other_grid("they do not have the reference's spacing or directions")
    axes = np.abs(turn).argmax(axis=1)
    voxels = volume.voxels.transpose(axes)
    origin, steps = volume.lattice.origin.copy(), volume.lattice.steps[:, axes]
    for axis in range(3):
        if turn[axis, axes[axis]] < 0:
            origin += steps[:, axis] * (voxels.shape[axis] - 1)
            steps[:, axis] *= -1
            voxels = np.flip(voxels, axis)
    if voxels.shape != lattice.shape:
        here, there = size_text(voxels.shape), size_text(lattice.shape)
        raise _other_grid(f"they are {here}, the reference's {there}")
    apart = Lattice(lattice.shape, origin, steps).differs_by(lattice)
    if apart > SAME_VOXEL * min(lattice.spacing):
        raise _other_grid(f"corners lie {apart:.3g} mm from the reference's")
    return voxels


def _other_grid(reason: str) -> FileError:
    return FileError(
        f"its voxels lie on another grid: {reason}",
        "Bring it to the reference's grid (chaosprep assemble undoes --size and --spacing).",
        code="grid-mismatch",
    )
