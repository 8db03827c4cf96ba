"""A new pixel grid for training: another in-plane spacing, one size for all, both undoable.

Pixel centres are at whole numbers; a grid maps output pixel i to the source at offset + step * i.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.limits import MAX_PIXELS

Fit = Literal["both", "pad", "crop"]
MaskSampling = Literal["nearest", "label"]
KernelName = Literal["linear", "cubic"]
Pair = tuple[float, float]
_TIE = 1e-9  # where two labels share a pixel equally, the nearest one has it
Kernel = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Axis(msgspec.Struct, frozen=True):
    """One direction of a grid: `size` pixels, the i-th of them at source `offset + step * i`.

    The pixels from `first` up to `last` (exclusive) show the source; the others are padding.
    """

    source: int
    size: int
    step: float
    offset: float
    first: int
    last: int

    @property
    def is_identity(self) -> bool:
        """Whether nothing changes."""
        return (self.size, self.step, self.offset) == (self.source, 1.0, 0.0)

    def positions(self) -> NDArray[np.float64]:
        """The source coordinates of the pixels that show the source."""
        return self.offset + self.step * np.arange(self.first, self.last, dtype=np.float64)


class Grid(msgspec.Struct, frozen=True):
    """The rows and columns of the new picture in those of the old.

    ``beyond``, bool (rows, cols), are new pixels where the old picture shows nothing, besides those
    that `Axis.first` and `Axis.last` leave; None without.
    """

    rows: Axis
    cols: Axis
    beyond: NDArray[np.bool_] | None = None

    @classmethod
    def whole(cls, shape: tuple[int, int], beyond: NDArray[np.bool_] | None) -> Self:
        """The grid of a picture, (rows, cols), that stays as it is but for what is ``beyond``."""
        rows, cols = (Axis(size, size, 1.0, 0.0, 0, size) for size in shape)
        return cls(rows, cols, beyond)

    @property
    def is_identity(self) -> bool:
        """Whether nothing changes."""
        return self.rows.is_identity and self.cols.is_identity and self.beyond is None

    @property
    def shape(self) -> tuple[int, int]:
        """The new rows and columns."""
        return self.rows.size, self.cols.size

    def as_record(self) -> dict[str, Any]:
        """What undoing it takes: the source's rows and columns, offset and step, (row, col)."""
        return {
            "rows": self.rows.source,
            "cols": self.cols.source,
            "offset": [self.rows.offset, self.cols.offset],
            "step": [self.rows.step, self.cols.step],
        }


def parse_size(name: str, text: str) -> tuple[int, int]:
    """N or ROWSxCOLS as rows and columns; `ValueError`, with the option's name, for others."""
    found = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
    rows, cols = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= min(rows, cols) <= max(rows, cols) <= 65535:
        raise ValueError(f"{name} must be N or ROWSxCOLS, such as 256 or 256x320")
    return rows, cols


@lru_cache(maxsize=8)  # the slices of a series share one
def plan_grid(
    shape: tuple[int, int],
    pixel_spacing: Pair | None,
    *,
    spacing: float | Pair | None,
    size: tuple[int, int] | None,
    fit: Fit,
) -> Grid:
    """The grid for a slice of ``shape`` (rows, cols) and ``pixel_spacing`` (row, col) in mm.

    ``spacing`` is the wanted mm per pixel, one number or (row, col), ``size`` the wanted rows and
    columns; None keeps what is there. ``fit`` says whether to reach the size by padding, by
    cropping, or by both. Raises `FileError` ``spacing-unknown``, ``spacing-unfit`` or
    ``does-not-fit``.
    """
    if spacing is None:
        steps = (1.0, 1.0)
    elif pixel_spacing is None:
        raise FileError(
            "its pixel spacing is unknown, so it cannot be resampled to one",
            "Leave --spacing out, or the slice with --on-error skip.",
            code="spacing-unknown",
        )
    else:
        rows, cols = spacing if isinstance(spacing, tuple) else (spacing, spacing)
        steps = (rows / pixel_spacing[0], cols / pixel_spacing[1])
    wanted = size or (None, None)
    _check_spacing(shape, steps, spacing)
    down, across = (plan_axis(shape[i], steps[i], wanted[i], fit) for i in (0, 1))
    return Grid(down, across)


def _check_spacing(shape: Pair, steps: Pair, spacing: float | Pair | None) -> None:
    """Refuse more pixels than can be held, and those of more old ones than can be weighed."""
    rows, cols = (side / step for side, step in zip(shape, steps, strict=True))
    if spacing is not None and (max(steps) > 65535 or rows * cols > MAX_PIXELS):
        mm = (
            f"{spacing:g}"
            if not isinstance(spacing, tuple)
            else " x ".join(map("{:g}".format, spacing))
        )
        raise FileError(
            f"with {mm} mm per pixel it would have {rows:.6g} x {cols:.6g} pixels",
            "Give another --spacing.",
            code="spacing-unfit",
        )


def plan_axis(source: int, step: float, size: int | None, fit: Fit) -> Axis:
    """Centre the new pixels on the old ones; padding and cropping move by whole pixels.

    `source` is how many there are, `step` from one new pixel to the next in old ones, `size` how
    many there are to be, None for as many as cover the old. Raises `FileError` ``does-not-fit``.
    """
    shown = max(1, round(source / step))
    offset = round((source - 1) / 2 - step * (shown - 1) / 2, 9)
    size = shown if size is None else size
    if (shown < size and fit == "crop") or (shown > size and fit == "pad"):
        verb, other = ("padding", "pad") if shown < size else ("cropping", "crop")
        raise FileError(
            f"{shown} pixels do not make {size} without {verb}",
            f"Use --fit {other} or --fit both.",
            code="does-not-fit",
        )
    before = (size - shown) // 2 if size >= shown else -((shown - size) // 2)
    first = max(0, before)
    last = min(size, before + shown)
    return Axis(source, size, step, round(offset - step * before, 9), first, last)


def sample_image(grid: Grid, image: NDArray[Any]) -> NDArray[Any]:
    """What the grid shows of the image: one cubic resample, or whole pixels at the same spacing.

    Keys' kernel (a = -0.5; IEEE Trans. ASSP 29, 1981), widened by the step where pixels become
    larger so that nothing aliases; the edge goes on beyond the border. The result is clipped to
    the image's own range and keeps its dtype (integers rounded half to even). The image is (rows,
    cols) of any integer or float dtype, the grid made for its shape.
    """
    if grid.is_identity:
        return image
    if not _moves(grid):
        return image[_window(grid)]
    shown = np.clip(_resampled(grid, image, cubic, 2, widen=True), image.min(), image.max())
    return (np.rint(shown) if image.dtype.kind in "iu" else shown).astype(image.dtype)


def sample_mask(grid: Grid, mask: NDArray[Any], sampling: MaskSampling) -> NDArray[Any]:
    """What the grid shows of the mask: the nearest pixel, or the label with the largest share.

    Shares are interpolated linearly. No label is made up. (rows, cols), same dtype.
    """
    if not _moves(grid):
        return mask[_window(grid)]
    nearest = mask[np.ix_(_nearest(grid.rows), _nearest(grid.cols))]
    if sampling == "nearest":
        return nearest
    labels = np.unique(mask)
    shares = [
        _resampled(grid, mask == label, linear, 1, widen=False) + _TIE * (nearest == label)
        for label in labels
    ]
    return np.asarray(labels[np.argmax(shares, axis=0)])


def place(grid: Grid, shown: NDArray[Any], fill: float) -> NDArray[Any]:
    """Put what the grid shows into its full size; the padding is `fill`."""
    if grid.is_identity:
        return shown
    new = np.full(grid.shape, fill, dtype=shown.dtype)
    new[grid.rows.first : grid.rows.last, grid.cols.first : grid.cols.last] = shown
    if grid.beyond is not None:
        new[grid.beyond] = fill
    return new


def _moves(grid: Grid) -> bool:
    return grid.rows.step != 1.0 or grid.cols.step != 1.0


def _window(grid: Grid) -> tuple[slice, slice]:
    """The part of the source that shows, where pixels stay whole."""
    rows, cols = (
        slice(round(axis.positions()[0]), round(axis.positions()[-1]) + 1)
        for axis in (grid.rows, grid.cols)
    )
    return rows, cols


def _nearest(axis: Axis) -> NDArray[np.intp]:
    return np.clip(np.rint(axis.positions()), 0, axis.source - 1).astype(np.intp)


def _resampled(
    grid: Grid, image: NDArray[Any], kernel: Kernel, support: int, *, widen: bool
) -> NDArray[np.float64]:
    """Rows first, then columns.

    A sum of few products, in a fixed order: matrix products of a BLAS are slower here, and their
    last digits depend on the processor and its threads.
    """
    share, place = _weights(grid.rows, kernel, support, widen)
    source = image.astype(np.float64)
    between = np.zeros((len(share), image.shape[1]))
    for tap in range(share.shape[1]):
        between += share[:, tap, None] * source[place[:, tap]]
    share, place = _weights(grid.cols, kernel, support, widen)
    made = np.zeros((len(between), len(share)))
    for tap in range(share.shape[1]):
        made += between[:, place[:, tap]] * share[:, tap]
    return made


@lru_cache(maxsize=8)
def _weights(
    axis: Axis, kernel: Kernel, support: int, widen: bool
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """What source pixels give to each shown one: shares (shown, taps) that sum to 1, and places.

    The edge goes on beyond the border.
    """
    wide = max(1.0, axis.step) if widen else 1.0
    reach = int(np.ceil(support * wide)) + 1
    at = axis.positions()
    nearby = np.floor(at)[:, None] + np.arange(-reach, reach + 1)
    share = kernel(np.abs(nearby - at[:, None]) / wide)
    share /= share.sum(axis=1, keepdims=True)
    used = np.flatnonzero((share != 0).any(axis=0))
    return share[:, used], np.clip(nearby[:, used], 0, axis.source - 1).astype(np.intp)


def cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel with a = -0.5, over distances in (widened) pixels."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def linear(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear interpolation's kernel over distances in (widened) pixels."""
    return np.maximum(0.0, 1.0 - distance)
