"""Where each output pixel comes from: all matrices composed into one, one map for one resampling.

Coordinates are (col, row) in pixels: pixel centres at whole numbers, the centre of the image at
((cols - 1) / 2, (rows - 1) / 2). A matrix is 3 x 3 float64 and takes an OUTPUT (col, row, 1) to the
INPUT (col, row, 1) that it shows. Angles are true where pixels are square.
"""

import math

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Maps = tuple[NDArray[np.float32], NDArray[np.float32]]


def about_centre(linear: Matrix, rows: int, cols: int) -> Matrix:
    """Let a 2 x 2 matrix on (col, row) act about the centre of the image."""
    (a, b), (d, e) = linear.tolist()
    x, y = (cols - 1) / 2, (rows - 1) / 2
    return np.array([[a, b, x - (a * x + b * y)], [d, e, y - (d * x + e * y)], [0.0, 0.0, 1.0]])


def rotation_linear(degrees: float) -> Matrix:
    """Undo a rotation, 2 x 2; ``degrees`` > 0 is counter-clockwise on screen."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def shift_inverse(down: float, right: float) -> Matrix:
    """Undo a move by so many pixels."""
    return np.array([[1.0, 0.0, -right], [0.0, 1.0, -down], [0.0, 0.0, 1.0]])


def coordinate_maps(
    matrix: Matrix,
    rows: int,
    cols: int,
    moves: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> Maps:
    """Return the input col and the input row of every output pixel, each (rows, cols) float32.

    ``moves`` are rows and cols to add to each output place, each (rows, cols), in pixels, before
    the matrix goes on from there.
    """
    col, row = np.arange(cols, dtype=np.float64), np.arange(rows, dtype=np.float64)
    found = []
    for across, down, offset in matrix[:2].tolist():
        # Each term in double precision, their sum in single: whole pixels stay whole.
        lines = (down * row + offset).astype(np.float32)
        axis = np.add.outer(lines, (across * col).astype(np.float32))
        if moves is not None:
            axis += (across * moves[1] + down * moves[0]).astype(np.float32)
        found.append(axis)
    return found[0], found[1]
