"""A slice as a small picture to look at: grey, with the outlines of its mask in colours."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import cycle
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.organ_order import organ_order
from chaosprep.dataset.outlines import PALETTE, UNNAMED, organ_areas, outlines
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError
from chaosprep.imaging.space.facing import Turn, facing
from chaosprep.imaging.windows import Histogram, apply_window

Colour = tuple[int, int, int]
T = TypeVar("T")


class Shown(Protocol):
    """What is shown of a case: its rows, and the arrays of their files."""

    @property
    def slices(self) -> tuple[Slice, ...]:
        """The rows, in anatomical order."""

    @property
    def labels(self) -> LabelMap:
        """The label map of its dataset, empty where nobody named the values."""

    def filled(self, row: Slice) -> NDArray[Any]:
        """The image of a slice as it is to be seen: (rows, cols)."""

    def measured(self, row: Slice, image: NDArray[Any]) -> NDArray[Any]:
        """The values of that image which are no padding."""

    def mask(self, row: Slice) -> NDArray[Any] | None:
        """Its mask: (rows, cols), or None."""


def readable(read: Callable[[Slice], NDArray[Any] | None], row: Slice) -> NDArray[Any] | None:
    """What is read of a slice; None where its file cannot be used."""
    with suppress(ChaosprepError):
        return read(row)
    return None


def spread(items: Sequence[T], count: int) -> list[T]:
    """At most `count` of some items: the middles of as many equal stretches.

    The ends of a stack are mostly air.
    """
    count = min(count, len(items))
    return [items[(2 * i + 1) * len(items) // (2 * count)] for i in range(count)]


def display_window(case: Shown, arrays: Mapping[str, NDArray[Any]]) -> tuple[float, float]:
    """Return the stored values to show as black and white, one pair for a whole case.

    Images of 8 bits are shown as they are; others by the window of their row, or from the 0.5th
    to the 99.5th percentile of the originals that could be read (`arrays`, by slice id).
    """
    originals = [row for row in case.slices if not row.copy and row.id in arrays]
    if not originals or arrays[originals[0].id].dtype == np.uint8:
        return 0.0, 255.0
    if (window := originals[0].window) is not None:
        return window
    histogram = Histogram()
    for row in originals:
        array = case.measured(row, arrays[row.id])
        histogram.add(array if array.dtype.kind in "iu" else array[np.isfinite(array)])
    try:
        return histogram.percentile_window()
    except ValueError:  # not one finite value
        return 0.0, 1.0


def grey(array: NDArray[Any], window: tuple[float, float]) -> NDArray[np.uint8]:
    """Return an image (rows, cols) of any number type as 8 bits for the eye; NaN is black."""
    low, high = window
    if array.dtype == np.uint8 and window == (0.0, 255.0):
        return np.asarray(array, np.uint8)
    if array.dtype.kind == "f":
        array = np.nan_to_num(array, nan=low, posinf=high, neginf=low)
    return apply_window(array, low, high)


def faced(case: Shown) -> Turn:
    """How the slices of a case are turned for the eye; copies, which lie nowhere, as originals."""
    return facing(next((row.orientation for row in case.slices if row.orientation), None))


def organ_colours(cases: Iterable[Shown]) -> dict[str, Colour]:
    """Return a colour for each organ in their one order, the same on every picture of a dataset.

    Args:
        cases: all of the dataset, whichever are shown.
    """
    told: LabelMap = {}
    rows: list[Slice] = []
    for case in cases:
        told = {**told, **case.labels}
        rows += case.slices
    order = organ_order(told, rows)
    return dict(zip(dict.fromkeys([*order, UNNAMED]), cycle(PALETTE), strict=False))


def draw(
    row: Slice,
    picture: NDArray[np.uint8],
    mask: NDArray[Any] | None,
    side: int,
    colours: Mapping[str, Colour],
    turn: Turn,
) -> NDArray[np.uint8]:
    """Return a slice (rows, cols) as colours (side, side, 3), with thin smooth outlines."""
    import cv2

    picture = turn(picture)
    scale = side / max(picture.shape)
    cols, rows = (max(1, round(n * scale)) for n in reversed(picture.shape))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(picture, (cols, rows), interpolation=method)
    drawn = np.zeros((side, side, 3), np.uint8)
    drawn[:rows, :cols] = resized[:, :, None]
    for organ, inside in organ_areas(row, turn(mask)) if mask is not None else ():
        stretch = np.array([cols / inside.shape[1], rows / inside.shape[0]])
        for line in outlines(inside):
            points = np.rint((line * stretch - 0.5) * 16).astype(np.int32)
            cv2.polylines(drawn, [points], True, colours[organ], 1, cv2.LINE_AA, shift=4)
    return drawn
