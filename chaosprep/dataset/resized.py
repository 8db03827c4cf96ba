"""The pixels that the slices of a resized case came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from numpy.typing import NDArray

from chaosprep.dataset.records import Slice
from chaosprep.dataset.restacked import StackBack, is_restacked
from chaosprep.imaging.space.grids import MaskSampling
from chaosprep.imaging.space.lattice import pixel_position
from chaosprep.imaging.space.undoing import Undoing, undo_grid, undo_image, undo_mask


class WayBack(Protocol):
    """From the originals of a case, in their order, to the pixels that they were made from."""

    @property
    def rows(self) -> tuple[Slice, ...]:
        """The rows of the old slices: their number, ids, sizes, spacing and places."""

    @property
    def has_lost(self) -> bool:
        """Whether some of the old pixels are not to be had any more."""

    def images(self, planes: Sequence[NDArray[Any]], fill: float) -> list[NDArray[Any]]:
        """The old images, (rows, cols) each, same dtype; `fill` stands for what is lost."""

    def masks(self, planes: Sequence[NDArray[Any]], sampling: MaskSampling) -> list[NDArray[Any]]:
        """The old masks, (rows, cols) each, same dtype; 0 where they are lost. None of none."""


def way_back(rows: Sequence[Slice], *, keep: bool = False) -> WayBack:
    """The way back from all originals of a case; with `keep` they stay on their own pixels.

    Raises:
        FileError: `grid-broken` or `too-large`; of slices that were made anew, what
            `case_lattice` raises.
    """
    if rows and not keep and any(map(is_restacked, rows)):
        return StackBack.of(rows)
    ways = [None if keep or not row.grid else _undoing(row) for row in rows]
    return _EachBack(tuple(map(_row_back, rows, ways)), tuple(ways))


@dataclass(frozen=True, eq=False)
class _EachBack:
    """Each slice for itself; None where it has the pixels that it was made from."""

    rows: tuple[Slice, ...]
    ways: tuple[Undoing | None, ...]

    @property
    def has_lost(self) -> bool:
        return any(way and way.has_lost for way in self.ways)

    def images(self, planes: Sequence[NDArray[Any]], fill: float) -> list[NDArray[Any]]:
        return [
            plane if way is None else undo_image(way, plane, fill)
            for plane, way in zip(planes, self.ways, strict=True)
        ]

    def masks(self, planes: Sequence[NDArray[Any]], sampling: MaskSampling) -> list[NDArray[Any]]:
        return [
            plane if way is None else undo_mask(way, plane, sampling)
            for plane, way in zip(planes, self.ways if planes else (), strict=True)
        ]


def _undoing(row: Slice) -> Undoing:
    return undo_grid(row.grid or {}, (row.rows, row.cols))


def _row_back(row: Slice, way: Undoing | None) -> Slice:
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
