"""Slices of a case that stay, each on a pixel grid of its own plane: their rows and masks."""

from typing import Any

import msgspec
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.imaging.header import Header
from chaosprep.imaging.levels import label_areas
from chaosprep.imaging.space.grids import Grid, place, sample_mask
from chaosprep.running.writer import Writer
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.stages.converting.places import moved_by, slice_grid
from chaosprep.stages.converting.reading import Read


class InPlane(msgspec.Struct, frozen=True, eq=False):
    """The slices of a case as they were read, and what becomes of their pixel grids."""

    case: Case
    found: Read
    params: ConvertParams

    @property
    def rows(self) -> tuple[Slice, ...]:
        """Those that could be read."""
        return self.found.rows

    def take(self, row: Slice) -> tuple[Header, NDArray[Any], Grid]:
        """A slice's header and pixels, which are given away, and the grid on which it is written.

        Raises:
            FileError: what `plan_grid` raises.
        """
        header, array = self.found.pixels.pop(row.id)
        return header, array, slice_grid(row, array.shape, self.params)

    def finished(self, row: Slice, grid: Grid, writer: Writer) -> Slice:
        """The row of an image on its grid, and its mask: the parent's where the grid is.

        Raises:
            FileError: the mask cannot be read.
        """
        if grid.is_identity:
            if (file := row.mask_file) is not None:
                writer.carry(self.case, file)
            return row
        position, spacing = moved_by(row, grid)
        row = msgspec.structs.replace(
            row, spacing=spacing, position=position, grid=grid.as_record()
        )
        mask = self.case.mask(row)
        if mask is None:
            return row
        mask = place(grid, sample_mask(grid, mask, self.params.in_plane_sampling), 0)
        made = writer.mask(row.split, row.id, mask)
        return row.with_mask(made, pixels=label_areas(mask, row.labels))

    def parent(self, row: Slice) -> str | None:
        """The id of the slice that it was made of."""
        return row.id
