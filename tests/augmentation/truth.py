"""Where an output pixel comes from, by hand: one operation after the other, no matrix."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

NEUTRAL: dict[str, Any] = {
    "scheme": 1,
    "engine": "opencv",
    "attempt": 0,
    "guard": None,
    "interpolation": "cubic",
    "operations": [],
}


def doing(*operations: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return parameters with these drawn operations."""
    return NEUTRAL | fields | {"operations": list(operations)}


def op(name: str, **numbers: Any) -> dict[str, Any]:
    """Return one drawn operation."""
    return {"operation": name, **numbers}


def source_points(parameters: Mapping[str, Any], rows: int, cols: int) -> tuple[Points, Points]:
    """Return the exact (row, col) that every output pixel shows, each (rows, cols) float64."""
    row, col = np.mgrid[:rows, :cols].astype(np.float64)
    for operation in reversed(parameters["operations"]):
        row, col = back(operation, row, col, rows, cols)
    return row, col


def back(
    operation: Mapping[str, Any], row: Points, col: Points, rows: int, cols: int
) -> tuple[Points, Points]:
    """Undo one operation on points of a picture of rows x cols."""
    if operation["operation"] == "crop":
        tall, wide = operation["rows"], operation["cols"]
        down, right = operation["top"] * (1 - tall) * rows, operation["left"] * (1 - wide) * cols
        return (row + 0.5) * tall + down - 0.5, (col + 0.5) * wide + right - 0.5
    # Seen from the centre, x to the right and y UP, as on paper.
    x, y = col - (cols - 1) / 2, (rows - 1) / 2 - row
    x, y = back_from_centre(operation, x, y, rows, cols)
    quarter = operation["operation"] == "transpose" or operation.get("quarters") in (1, 3)
    half = 0.5 if quarter and (rows + cols) % 2 else 0.0  # to whole pixels, up and to the left
    return (rows - 1) / 2 - y - half, x + (cols - 1) / 2 - half


def back_from_centre(  # noqa: PLR0911
    operation: Mapping[str, Any], x: Points, y: Points, rows: int, cols: int
) -> tuple[Points, Points]:
    match operation:
        case {"operation": "flip"}:
            return -x, y
        case {"operation": "flip_up_down"}:
            return x, -y
        case {"operation": "transpose"}:
            return -y, -x
        case {"operation": "turn", "quarters": quarters}:
            return turned(x, y, -90.0 * quarters)
        case {"operation": "rotation", "degrees": degrees}:
            return turned(x, y, -degrees)
        case {"operation": "scale", "factor": factor}:
            return x / factor, y / factor
        case {"operation": "stretch", "ratio": ratio}:
            return x / math.sqrt(ratio), y * math.sqrt(ratio)
        case {"operation": "shear", "degrees": degrees, "along": "cols"}:
            return x - y * math.tan(math.radians(degrees)), y
        case {"operation": "shear", "degrees": degrees, "along": "rows"}:
            return x, y - x * math.tan(math.radians(degrees))
        case {"operation": "shift", "rows": down, "cols": right}:
            return x - right * cols, y + down * rows
        case {"operation": "shift_scale_rotate"}:
            x, y = x - operation["cols"] * cols, y + operation["rows"] * rows
            factor = operation["factor"]
            return turned(x / factor, y / factor, -operation["degrees"])
    raise AssertionError(operation)


def turned(x: Points, y: Points, degrees: float) -> tuple[Points, Points]:
    """Turn counter-clockwise."""
    point = (x + 1j * y) * np.exp(1j * np.deg2rad(degrees))
    return point.real, point.imag
