"""The way back from a picture on a new grid to the pixels that it was made from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.limits import check_size
from chaosprep.imaging.space.grids import Axis, Grid, MaskSampling, place, sample_image, sample_mask

_MOST_STEP = 1000.0  # from one pixel size to another; more is a mistake or an attack
_TIE = 1e-9  # of a pixel: a centre on the very edge of an old pixel


@dataclass(frozen=True)
class Undoing:
    """The way back from a new picture: the part that is not padding, and the old pixels in it.

    What cropping took off is padding now (`Axis.first`, `Axis.last`).
    """

    part: tuple[slice, slice]
    grid: Grid

    @property
    def has_lost(self) -> bool:
        """Whether some of the old pixels are not to be had any more."""
        axes = (self.grid.rows, self.grid.cols)
        return any((axis.first, axis.last) != (0, axis.size) for axis in axes)


def undo_grid(record: Mapping[str, Any], shape: tuple[int, int]) -> Undoing:
    """How to get the old pixels back from a picture of ``shape`` (rows, cols) on a new grid.

    Old pixel j lies at (j - offset) / step of the new ones; ``record`` is what `Grid.as_record`
    gave. Raises `FileError` ``grid-broken`` where it is not one of ours, or ``too-large``.
    """
    try:
        old = int(record["rows"]), int(record["cols"])
        ways = [
            _axis_back(old[i], float(record["step"][i]), float(record["offset"][i]), shape[i])
            for i in (0, 1)
        ]
    except (ArithmeticError, LookupError, TypeError, ValueError):
        raise FileError(
            "its grid does not say how to get back to the old pixels",
            "Run chaosprep convert again with --overwrite.",
            code="grid-broken",
        ) from None
    check_size(*old)
    (part_rows, rows), (part_cols, cols) = ways
    return Undoing((part_rows, part_cols), Grid(rows, cols))


def _axis_back(old: int, step: float, offset: float, size: int) -> tuple[slice, Axis]:
    """The new pixels that show the old ones, and the old ones among them."""
    if not (1 <= old <= 65535 and 1 / _MOST_STEP <= step <= _MOST_STEP):
        raise ValueError
    # A pixel is no padding where its centre lies on an old pixel; see `plan_axis`.
    first = math.ceil((-0.5 - offset) / step - _TIE)
    last = math.floor((old - 0.5 - offset) / step + _TIE) + 1
    start, stop = max(first, 0), min(last, size)
    if start >= stop:
        raise ValueError
    # Where nothing was cropped, the outermost pixel stands for all beyond it.
    low = 0 if first >= 0 else math.ceil(offset - step / 2 - _TIE)
    high = old if last <= size else math.floor(offset + step * (size - 0.5) + _TIE) + 1
    axis = Axis(stop - start, old, 1 / step, -offset / step - start, low, max(low, high))
    return slice(start, stop), axis


def undo_image(undoing: Undoing, image: NDArray[Any], fill: float) -> NDArray[Any]:
    """The old image (rows, cols), same dtype: one cubic resample, or whole pixels.

    ``fill`` stands for what cropping took off.
    """
    return place(undoing.grid, sample_image(undoing.grid, image[undoing.part]), fill)


def undo_mask(undoing: Undoing, mask: NDArray[Any], sampling: MaskSampling) -> NDArray[Any]:
    """The old mask (rows, cols), same dtype; 0 where cropping took it off."""
    return place(undoing.grid, sample_mask(undoing.grid, mask[undoing.part], sampling), 0)
