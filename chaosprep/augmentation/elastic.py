"""Elastic deformation: a coarse grid of random moves, and a cubic B-spline through them.

As in the U-Net (Ronneberger et al. 2015, "U-Net: Convolutional networks for biomedical image
segmentation", section 3.1): a 3 x 3 grid, each move drawn from a Gaussian of 10 pixels. The grid
spans the picture from edge to edge; the spline has the drawn move at each of its points, and goes
on beyond the edges as its mirror image (as ``scipy.ndimage`` has it).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, ClassVar, Final

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from chaosprep.augmentation.operation import Choice, Drawn, Range

REFERENCE_SIDE: Final = 256  # moves are pixels of a picture of this side, and grow with its sides
SMALLEST_JACOBIAN: Final = 0.05  # part of an area; pressed to less, or turned over, it is a fold
LATTICE: Final = 65  # places along each side at which the Jacobian is looked at

Move = Annotated[float, Meta(ge=-REFERENCE_SIDE, le=REFERENCE_SIDE)]
Line = Annotated[tuple[Move, ...], Meta(min_length=2, max_length=16)]
Grid = Annotated[tuple[Line, ...], Meta(min_length=2, max_length=16)]
Field = NDArray[np.float64]


class DrawnElastic(Drawn, frozen=True, kw_only=True, tag="elastic"):
    """Moves down (``row_moves``) and right (``col_moves``) of a square grid of points, row by row.

    A move says how far from an output place its input place lies.
    """

    row_moves: Grid
    col_moves: Grid

    def __post_init__(self) -> None:
        size = len(self.row_moves)
        if any(len(line) != size for line in (self.col_moves, *self.row_moves, *self.col_moves)):
            raise ValueError("the grids of an elastic operation must be square and equal")

    def moves(self, rows: int, cols: int) -> tuple[Field, Field]:
        """Return the rows and cols to add at every place, each (rows, cols), in pixels."""
        size = len(self.row_moves)
        down, across = weights(rows, size), weights(cols, size).T
        return (
            down @ np.array(self.row_moves) @ across * (rows / REFERENCE_SIDE),
            down @ np.array(self.col_moves) @ across * (cols / REFERENCE_SIDE),
        )

    def smallest_jacobian(self) -> float:
        """Return the smallest local area factor of the map, negative where it is turned over.

        It is the same for every shape of picture: moves grow with the sides.
        """
        size = len(self.row_moves)
        value, slope = lattice_weights(size)
        row, col = (np.array(grid) / REFERENCE_SIDE for grid in (self.row_moves, self.col_moves))
        row_row, row_col = slope @ row @ value.T, value @ row @ slope.T
        col_row, col_col = slope @ col @ value.T, value @ col @ slope.T
        return float(((1.0 + row_row) * (1.0 + col_col) - row_col * col_row).min())

    def folds(self) -> bool:
        """Tell whether the picture is folded, or pressed together, somewhere."""
        # No derivative is above `steepest`, so no factor below (1 - steepest)^2 - steepest^2: of
        # gentle moves, which are most, that is enough to know.
        steepest = self._most() / REFERENCE_SIDE * steepness(len(self.row_moves))
        if 1.0 - 2.0 * steepest > 2 * SMALLEST_JACOBIAN:
            return False
        return self.smallest_jacobian() <= SMALLEST_JACOBIAN

    def _most(self) -> float:
        """The longest of the moves, either way."""
        lines = (*self.row_moves, *self.col_moves)
        return max(abs(move) for line in lines for move in line)


class Elastic(Choice, frozen=True, kw_only=True):
    """Deform by moves of a Gaussian of ``sigma`` pixels (at a side of 256; 0 to 40).

    ``grid`` is the number of points along each side (2 to 8).
    """

    LIMITS: ClassVar[Mapping[str, Range]] = {"sigma": (0.0, 40.0), "grid": (2.0, 8.0)}
    sigma: float = 10.0
    grid: int = 3

    def draw(self, rng: np.random.Generator) -> DrawnElastic:
        """Draw the moves."""
        moves = np.clip(rng.standard_normal((2, self.grid, self.grid)) * self.sigma, -200, 200)
        rows, cols = (tuple(tuple(line) for line in grid) for grid in moves.tolist())
        return DrawnElastic(row_moves=rows, col_moves=cols)


@lru_cache(maxsize=16)
def weights(pixels: int, size: int) -> Field:
    """Return what each of ``size`` grid points weighs at each pixel centre: (pixels, size)."""
    return _basis((np.arange(pixels) + 0.5) / pixels * (size - 1), size)


@lru_cache(maxsize=16)
def lattice_weights(size: int) -> tuple[Field, Field]:
    """Return the weights at `LATTICE` places from edge to edge, and their slopes per side."""
    places, step = np.linspace(0.0, size - 1, LATTICE), 1e-4
    value = _basis(places, size)
    slope = (_basis(places + step, size) - _basis(places - step, size)) / (2 * step)
    return value, slope * (size - 1)


@lru_cache(maxsize=16)
def steepness(size: int) -> float:
    """The most that a derivative on the lattice can be, of moves up to 1 either way."""
    value, slope = (float(np.abs(one).sum(axis=1).max()) for one in lattice_weights(size))
    return value * slope


def _basis(places: Field, size: int) -> Field:
    """Weights of the spline through the points 0, 1, ... ``size`` - 1, (places, size)."""
    points = np.arange(float(size))
    return np.asarray(_mirrored(places, size) @ np.linalg.inv(_mirrored(points, size)), np.float64)


def _mirrored(places: Field, size: int) -> Field:
    """Cubic B-splines at the points, those beyond the ends folded back upon their mirror image."""
    beyond = np.arange(-2, size + 2)
    distance = np.abs(places[:, None] - beyond[None, :])
    near = 2.0 / 3.0 - distance**2 * (1.0 - distance / 2.0)
    far = np.clip(2.0 - distance, 0.0, None) ** 3 / 6.0
    splines = np.where(distance < 1.0, near, far)
    folded = np.zeros((len(places), size))
    period = 2 * (size - 1)
    for column, point in enumerate(beyond % period):
        folded[:, min(point, period - point)] += splines[:, column]
    return folded
