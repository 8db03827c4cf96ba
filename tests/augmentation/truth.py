"""Where an output pixel comes from, by hand: one operation after the other, no matrix."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

NEUTRAL: dict[str, Any] = {
    "scheme": 1,
    "engine": "opencv",
    "rotation": 0.0,
    "flip": False,
    "zoom": 1.0,
    "zoom_row": 0.5,
    "zoom_col": 0.5,
}


def source_points(parameters: Mapping[str, Any], rows: int, cols: int) -> tuple[Points, Points]:
    """Return the exact (row, col) that every output pixel shows, each (rows, cols) float64."""
    row, col = np.mgrid[:rows, :cols].astype(np.float64)
    zoom = parameters["zoom"]
    row = (row + 0.5) * zoom + parameters["zoom_row"] * (1 - zoom) * rows - 0.5
    col = (col + 0.5) * zoom + parameters["zoom_col"] * (1 - zoom) * cols - 0.5
    if parameters["flip"]:
        col = cols - 1 - col
    # Imaginary axis up: the picture was turned by +angle, so look back by -angle.
    seen = (col - (cols - 1) / 2) + 1j * ((rows - 1) / 2 - row)
    seen = seen * np.exp(-1j * np.deg2rad(parameters["rotation"]))
    return (rows - 1) / 2 - seen.imag, seen.real + (cols - 1) / 2
