"""The pixels that the slices of a resized case came from."""

from collections.abc import Sequence

import msgspec

from chaosprep.dataset.records import Slice
from chaosprep.imaging.space.lattice import pixel_position
from chaosprep.imaging.space.undoing import Undoing, undo_grid


def ways_back(rows: Sequence[Slice]) -> list[Undoing | None]:
    """For each slice the way back to the pixels that it was made from; None where it has its own.

    Raises:
        FileError: `grid-broken` or `too-large`.
    """
    return [undo_grid(row.grid, (row.rows, row.cols)) if row.grid else None for row in rows]


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
