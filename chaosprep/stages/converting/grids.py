"""Slices of a case on another pixel grid: their rows, and their masks."""

from typing import Any

import msgspec
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.imaging.levels import label_areas
from chaosprep.imaging.space.grids import Grid, place, plan_grid, sample_mask
from chaosprep.imaging.space.lattice import pixel_position
from chaosprep.running.writer import Writer
from chaosprep.stages.converting.params import ConvertParams


def grid_of(row: Slice, image: NDArray[Any], params: ConvertParams) -> Grid:
    """The grid on which a slice (rows, cols) is written; its own where nothing else is asked for.

    Raises:
        FileError: what `plan_grid` raises.
    """
    return plan_grid(
        image.shape,
        row.spacing[1:] if row.spacing else None,
        spacing=params.spacing,
        size=params.rows_cols(),
        fit=params.fit,
    )


def regridded(row: Slice, grid: Grid) -> Slice:
    """The row of an image on a new grid: where its pixels lie in space, and how to undo it."""
    spacing, position = row.spacing, row.position
    if row.spacing and row.position and row.orientation:
        offset = grid.rows.offset, grid.cols.offset
        position = pixel_position(row.position, row.orientation, row.spacing[1:], *offset)
    if row.spacing:
        rows, cols = row.spacing[1] * grid.rows.step, row.spacing[2] * grid.cols.step
        spacing = (row.spacing[0], round(rows, 9), round(cols, 9))
    return msgspec.structs.replace(row, spacing=spacing, position=position, grid=grid.as_record())


def with_mask(case: Case, row: Slice, grid: Grid, params: ConvertParams, writer: Writer) -> Slice:
    """The row with its mask: the parent's where the grid is, else that on the grid.

    Raises:
        FileError: the mask cannot be read.
    """
    if grid.is_identity:
        if row.mask_file is not None:
            writer.carry(case, row.mask_file)
        return row
    mask = case.mask(row)
    if mask is None:
        return row
    mask = place(grid, sample_mask(grid, mask, params.mask_sampling), 0)
    file = writer.mask(row.split, row.id, mask)
    return row.with_mask(file, pixels=label_areas(mask, row.labels))
