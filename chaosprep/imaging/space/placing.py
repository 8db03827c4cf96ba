"""Which voxel of a mask each pixel of an image is, by where both lie in the patient."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.header import Header
from chaosprep.imaging.space.lattice import Lattice, plane_lattice
from chaosprep.imaging.space.nearest import ENOUGH

_FLAT = 1e-9  # of a volume of steps, mm^3: below it the steps span no space


@dataclass(frozen=True, eq=False)
class Place:
    """Where an image lies in a grid: pixel (r, c) is voxel ``start + r * down + c * right``.

    Each is (3,) integers; ``down`` and ``right`` are one step along two axes of the grid.
    """

    start: NDArray[np.int64]
    down: NDArray[np.int64]
    right: NDArray[np.int64]

    @property
    def across(self) -> int:
        """The axis of the grid that stands on the image."""
        return 3 - int(np.abs(self.down).argmax()) - int(np.abs(self.right).argmax())

    def take(self, voxels: NDArray[Any], rows: int, cols: int) -> NDArray[Any]:
        """The voxels of a grid's array at an image's pixels: (rows, cols), and its further axes."""
        found: NDArray[Any] = voxels[self._voxels(rows, cols)]
        return found

    def take_within(self, voxels: NDArray[Any], rows: int, cols: int) -> NDArray[Any]:
        """The same, and 0 where the grid does not reach."""
        index = np.broadcast_arrays(*self._voxels(rows, cols))
        ends = zip(index, voxels.shape[:3], strict=True)
        within = np.all([(at >= 0) & (at < size) for at, size in ends], axis=0)
        found = np.zeros((rows, cols, *voxels.shape[3:]), voxels.dtype)
        found[within] = voxels[tuple(at[within] for at in index)]
        return found

    def _voxels(self, rows: int, cols: int) -> tuple[NDArray[np.int64], ...]:
        """The voxel of each pixel along each axis."""
        down, right = np.arange(rows)[:, None], np.arange(cols)[None, :]
        return tuple(
            self.start[axis] + down * self.down[axis] + right * self.right[axis]
            for axis in range(3)
        )


def image_grid(header: Header) -> Lattice:
    """The grid of one image, as `plane_lattice` makes it.

    Raises `FileError` ``mask-grid`` where the header does not tell.
    """
    position, spacing = header.image_position_patient, header.pixel_spacing
    cosines = header.image_orientation_patient
    if position is None or spacing is None or cosines is None:
        raise _no_grid("the image has no position, orientation or pixel spacing")
    return plane_lattice((header.rows, header.cols), position, cosines, spacing)


@np.errstate(invalid="ignore", over="ignore")  # what is no number lies nowhere
def locate(image: Lattice, mask: Lattice, *, cropped: bool = False) -> Place:
    """Where an image (`image_grid`) lies in the grid of a mask.

    Flipped and exchanged axes are fine where each pixel is a voxel, to `ENOUGH` of a step along any
    axis of the mask, and the two planes have the same size. A ``cropped`` mask need not reach every
    pixel, nor the image (`Place.take_within`), but no farther than these. Raises `FileError`
    ``mask-grid``, or ``mask-missing`` where the image lies beyond the mask.
    """
    for grid in (image, mask):
        if not np.isfinite(grid.steps).all() or abs(np.linalg.det(grid.steps)) < _FLAT:
            raise _no_grid("the axes of the grid span no space")
    inverse = np.linalg.inv(mask.steps)
    start = inverse @ (image.origin - mask.origin)
    down, right = inverse @ image.steps[:, 0], inverse @ image.steps[:, 1]
    every = np.concatenate([start, down, right])
    if not (np.isfinite(every).all() and np.abs(every).max() < 2**31):
        raise _no_grid("its grid lies elsewhere")
    place = Place(*(np.rint(vector).astype(np.int64) for vector in (start, down, right)))
    lengths = [int(np.abs(step).sum()) for step in (place.down, place.right)]
    if lengths != [1, 1] or place.down @ place.right:
        raise _no_grid(f"its rows and columns are not those of the image{_tilt(mask)}")
    _check_exact(place, (start, down, right), image, mask)
    _check_extent(place, image, mask, cropped)
    return place


def _check_exact(
    place: Place, exact: tuple[NDArray[np.float64], ...], image: Lattice, mask: Lattice
) -> None:
    """Pixels and voxels are the farthest apart in a corner."""
    start, down, right = exact
    for r, c in product((0, image.shape[0] - 1), (0, image.shape[1] - 1)):
        off = start + r * down + c * right - (place.start + r * place.down + c * place.right)
        if not (np.abs(off) <= ENOUGH).all():
            steps = f"{np.abs(off).max():.2g} steps"
            raise _no_grid(f"its voxels are up to {steps} off the pixels{_tilt(mask)}")


def _tilt(mask: Lattice) -> str:
    return ", and it is tilted: its slices are not stacked at right angles" * mask.is_sheared


def _check_extent(place: Place, image: Lattice, mask: Lattice, cropped: bool) -> None:
    rows, cols = image.shape[:2]
    across = place.across
    far = place.start + (rows - 1) * place.down + (cols - 1) * place.right
    for axis in {0, 1, 2} - {across}:
        size = rows if place.down[axis] else cols
        low, high = sorted((int(place.start[axis]), int(far[axis])))
        if cropped and low <= 0 and high >= mask.shape[axis] - 1:
            continue
        if mask.shape[axis] != size or (low, high) != (0, size - 1):
            raise _no_grid("its area is not exactly that of the image")
    if not cropped and not 0 <= place.start[across] < mask.shape[across]:
        raise FileError(
            "the mask does not reach this image",
            "Bring back the whole mask, or leave the slice out with --on-error skip.",
            code="mask-missing",
        )


def _no_grid(reason: str) -> FileError:
    return FileError(
        f"mask and image do not lie on one grid: {reason}",
        "Find the mask that was drawn on this image; resampling would blur it.",
        code="mask-grid",
    )
