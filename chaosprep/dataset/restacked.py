"""Slices that were made anew from the volume of a case: what they came from, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.records import Orientation, Slice, Spacing, Triple
from chaosprep.dataset.stacking import case_lattice
from chaosprep.errors import FileError
from chaosprep.imaging.limits import check_size
from chaosprep.imaging.space.grids import MaskSampling
from chaosprep.imaging.space.lattice import Lattice, pixel_position, stack_lattice
from chaosprep.imaging.space.passage import Passage
from chaosprep.imaging.space.resampling import Kernels, image_slice, labels_slice

_KERNELS: Kernels = ("linear", "cubic", "cubic")
_MARGIN = 0.75  # of a new voxel: what centred grids leave over, see `plan_axis`
_NOWHERE = "unknown"
"""The source of a slice of which no new one tells it."""


class OldStack(msgspec.Struct, frozen=True, kw_only=True):
    """The stack that slices were made anew from, as `grid` of their rows has it.

    How many slices, rows and cols; the first slice's place in the case as its id ends
    (``s007``); ImagePositionPatient of its first pixel and ImageOrientationPatient; mm between
    slices, rows, columns.
    """

    slices: int
    rows: int
    cols: int
    first: str
    position: Triple
    orientation: Orientation
    spacing: Spacing

    @classmethod
    def of(cls, rows: Sequence[Slice]) -> "OldStack":
        """That of a case's slices in anatomical order.

        Raises:
            FileError: what `case_lattice` raises.
        """
        lattice, first = case_lattice(rows), rows[0]
        assert first.position is not None
        assert first.orientation is not None
        slices, high, wide = lattice.spacing
        return cls(
            slices=len(rows),
            rows=first.rows,
            cols=first.cols,
            first=first.id.removeprefix(f"{first.case}_"),
            position=first.position,
            orientation=first.orientation,
            spacing=(round(slices, 9), round(high, 9), round(wide, 9)),
        )

    def lattice(self) -> Lattice:
        """Where its voxels lie, (slices, rows, cols)."""
        between, high, wide = self.spacing
        assert between is not None
        shape = self.slices, self.rows, self.cols
        return stack_lattice(shape, self.position, self.orientation, (between, high, wide))

    def row(self, number: int, like: Slice) -> Slice:
        """The row of one of its slices, as far as it is known; the rest is that of a new one."""
        width, first = len(self.first) - 1, int(self.first[1:])
        lattice = self.lattice()
        x, y, z = (lattice.origin + lattice.steps[:, 0] * number).tolist()
        return msgspec.structs.replace(
            like,
            id=f"{like.case}_s{first + number:0{width}}",
            slice=first + number,
            rows=self.rows,
            cols=self.cols,
            spacing=self.spacing,
            position=pixel_position((x, y, z), self.orientation, (1.0, 1.0), 0, 0),
            orientation=self.orientation,
            grid=None,
        )


def is_restacked(row: Slice) -> bool:
    """Whether a slice was made anew, from those of its case together."""
    return row.grid is not None and "slices" in row.grid


def old_stack(row: Slice) -> OldStack:
    """What a slice that was made anew came from.

    Raises:
        FileError: `grid-broken`, its record is not one of ours; `too-large`.
    """
    try:
        old = msgspec.convert(row.grid, OldStack)
        lattice = old.lattice()
        ends = old.slices, old.rows, old.cols, int(old.first[1:])
        sound = old.first[0] == "s" and len(old.first) < 10 and old.spacing[0] is not None
        if not (sound and 1 <= min(ends[:3]) <= max(ends) <= 65535 and not lattice.is_flat):
            raise ValueError
    except (AssertionError, FileError, IndexError, ValueError, msgspec.ValidationError):
        raise _broken() from None
    check_size(old.rows, old.cols)
    return old


def shown_of(row: Slice) -> NDArray[np.bool_]:
    """Which pixels of a slice that was made anew show the old ones, (rows, cols).

    Raises:
        FileError: what `old_stack` raises.
    """
    beyond = Passage.between(old_stack(row).lattice(), _plane(row)).beyond(0)
    return np.ones((row.rows, row.cols), np.bool_) if beyond is None else ~beyond


def _plane(row: Slice) -> Lattice:
    if row.position is None or row.orientation is None or row.spacing is None:
        raise _broken()
    spacing = row.spacing[0] or 1.0, *row.spacing[1:]
    return stack_lattice((1, row.rows, row.cols), row.position, row.orientation, spacing)


@dataclass(frozen=True, eq=False)
class StackBack:
    """The way back from slices that were made anew to those that they came from.

    ``rows`` are the old ones. Where the new voxels show none of the old, ``part`` leaves them out.
    """

    rows: tuple[Slice, ...]
    part: tuple[slice, slice, slice]
    passage: Passage
    has_lost: bool

    @classmethod
    def of(cls, rows: Sequence[Slice]) -> "StackBack":
        """The way back from all originals of a case.

        Raises:
            FileError: `grid-broken`, `too-large`, and what `case_lattice` raises.
        """
        if any(row.grid != rows[0].grid for row in rows):
            raise _broken()
        old, new = old_stack(rows[0]), case_lattice(rows)
        there = old.lattice()
        onward = Passage.between(there, new)
        part = onward.shown()
        if part is None:
            raise _broken()
        starts = np.array([one.start for one in part])
        shape = tuple(one.stop - one.start for one in part)
        cut = Lattice(shape, new.origin + new.steps @ starts, new.steps)
        passage = Passage.between(cut, there)
        lost = any(passage.beyond(k, _MARGIN) is not None for k in range(old.slices))
        sources = {onward.nearest(k): row.source for k, row in enumerate(rows)}
        back = (
            msgspec.structs.replace(
                old.row(k, rows[passage.nearest(k) + part[0].start]),
                source=sources.get(k, _NOWHERE),
            )
            for k in range(old.slices)
        )
        return cls(tuple(back), part, passage, lost)

    def images(self, planes: Sequence[NDArray[Any]], fill: float) -> list[NDArray[Any]]:
        """The old images, (rows, cols) each, same type: between slices linear, else cubic.

        `fill` stands for what is lost.
        """
        voxels = np.stack(planes)[self.part]
        ends = float(voxels.min()), float(voxels.max())
        return [
            self._filled(image_slice(voxels, ends, self.passage, k, _KERNELS), k, fill)
            for k in range(len(self.rows))
        ]

    def masks(self, planes: Sequence[NDArray[Any]], sampling: MaskSampling) -> list[NDArray[Any]]:
        """The old masks, (rows, cols) each, same type; 0 for what is lost. None of none."""
        if not planes:
            return []
        voxels = np.stack(planes)[self.part]
        labels = np.unique(voxels).tolist()
        return [
            self._filled(labels_slice(voxels, labels, self.passage, k, sampling), k, 0)
            for k in range(len(self.rows))
        ]

    def _filled(self, plane: NDArray[Any], number: int, fill: float) -> NDArray[Any]:
        lost = self.passage.beyond(number, _MARGIN)
        if lost is not None:
            plane[lost] = fill
        return plane


def _broken() -> FileError:
    return FileError(
        "its grid does not say how to get back to the old pixels",
        "Run chaosprep convert again with --overwrite.",
        code="grid-broken",
    )
