"""Slices of a resized case on the pixels that they came from."""

from typing import Any

import msgspec
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stacking import unit_plane
from chaosprep.imaging.space.lattice import pixel_position
from chaosprep.imaging.space.undoing import Undoing, undo_image


def row_back(row: Slice, way: Undoing | None) -> Slice:
    """The row of the old pixels: their number, spacing and the place of the first."""
    if way is None or row.grid is None:
        return row
    spacing, position = row.spacing, row.position
    if row.spacing is not None:
        across_rows, across_cols = row.grid["step"]
        spacing = row.spacing[0], row.spacing[1] / across_rows, row.spacing[2] / across_cols
        if row.position is not None and row.orientation is not None:
            back = [-pixels for pixels in row.grid["offset"]]
            position = pixel_position(row.position, row.orientation, spacing[1:], *back)
    rows, cols = way.grid.shape
    return msgspec.structs.replace(
        row, rows=rows, cols=cols, spacing=spacing, position=position, grid=None
    )


def images_back(
    case: Case, rows: tuple[Slice, ...], ways: list[Undoing | None]
) -> list[NDArray[Any]]:
    """The images in modality units on their old pixels; what is lost has the case's lowest."""
    planes = [unit_plane(case, row) for row in rows]
    fill = min(float(plane.min()) for plane in planes)
    return [
        plane if way is None else undo_image(way, plane, fill)
        for plane, way in zip(planes, ways, strict=True)
    ]
