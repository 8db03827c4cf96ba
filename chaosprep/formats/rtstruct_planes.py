"""Which image of a series a contour lies on: by its plane."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.header import Header
from chaosprep.imaging.polygons import Polygon
from chaosprep.imaging.space.placing import image_grid
from chaosprep.imaging.space.stacks import step_limit

_GAP = 1.5  # steps: where slices are missing
_OF_GAP = 0.75  # steps from any slice: a contour of one that is missing
_EXACT = 1e-6  # mm: what decimals lose in a sum
_FINE = 2.0**20  # parts of a pixel: what a rounding error is away from a centre lies on it


@dataclass(frozen=True)
class Place:
    """Where a contour lies: on image ``at``, else ``off`` by so many mm.

    ``between`` are the images that it lies between, none of them where it is beyond all or where
    one is missing; ``tilted``: it is in no plane that is parallel to the images'.
    """

    at: int | None
    off: float
    between: tuple[int, ...] = ()
    tilted: bool = False


class Planes:
    """The planes of the images of a series.

    A contour lies on the nearest where no point is farther away than `step_limit` of their step:
    0.05 mm, or 5 % of a step above 1 mm. Raises `FileError` ``mask-grid`` where an image has none.
    """

    def __init__(self, images: Sequence[Header]) -> None:
        grids = [image_grid(image) for image in images]
        if any(not abs(np.linalg.det(grid.steps)) > 0 for grid in grids):
            raise _no_plane()
        self._normal = grids[0].steps[:, 2]
        heights = np.array([float(self._normal @ grid.origin) for grid in grids])
        self._order = np.argsort(heights, kind="stable").tolist()
        self._heights = heights[self._order]
        steps = np.diff(self._heights)
        self._step = float(np.median(steps)) if steps.size else 0.0
        self._near = step_limit(self._step) + _EXACT
        self._grids = grids
        self._inverses = [np.linalg.inv(grid.steps) for grid in grids]

    def place(self, points: NDArray[np.float64]) -> Place:
        """Where a contour of points, (points, 3) mm, lies."""
        along = points @ self._normal
        low, high = float(along.min()), float(along.max())
        if high - low > 2 * self._near:
            return Place(None, (high - low) / 2, tilted=True)
        after = int(np.searchsorted(self._heights, (low + high) / 2))
        beside = [n for n in (after - 1, after) if 0 <= n < len(self._heights)]
        nearest = min(beside, key=lambda n: abs(self._heights[n] - (low + high) / 2))
        at = self._order[nearest]
        off = float(np.abs((points - self._grids[at].origin) @ self._inverses[at][2]).max())
        if off <= self._near:
            return Place(at, off)
        gap = len(beside) == 2 and np.ptp(self._heights[beside]) > _GAP * self._step
        if len(beside) < 2 or (gap and off > _OF_GAP * self._step):
            return Place(None, off)
        return Place(None, off, between=tuple(self._order[n] for n in beside))

    def pixels(self, points: NDArray[np.float64], at: int) -> Polygon:
        """Points, (points, 3) mm, as rows and columns of an image, to 2**-20 of a pixel."""
        found = (points - self._grids[at].origin) @ self._inverses[at].T[:, :2]
        if not (np.abs(found) < 2**31).all():
            raise _no_plane()
        return np.asarray(np.rint(found * _FINE) / _FINE, dtype=np.float64)

    def skipped(self, drawn: set[int]) -> int:
        """How many images between the first and the last of some are none of them."""
        places = [n for n, at in enumerate(self._order) if at in drawn]
        return sum(after - before - 1 for before, after in pairwise(places))


def _no_plane() -> FileError:
    return FileError(
        "mask and image do not lie on one grid: the axes of an image span no plane",
        "Check how the images were anonymized or exported.",
        code="mask-grid",
    )
