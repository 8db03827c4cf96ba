"""The outlines of a mask: closed lines along the edges of its pixels, and as an SVG path."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.overlapping import structure_areas
from chaosprep.dataset.records import Slice
from chaosprep.imaging.levels import areas, level_histogram, select
from chaosprep.known import LEVELS

_FINE: Final = 4
"""Traced on a grid this much finer, a line runs 1/8 pixel inside the edge of the mask."""

_TOLERANCE: Final = 0.4  # pixels; takes the steps out of slanted edges, and most of the points


PALETTE: Final = (
    (230, 159, 0),
    (86, 180, 233),
    (240, 228, 66),
    (0, 158, 115),
    (204, 121, 167),
    (213, 94, 0),
)
"""Colours of the labels, which most eyes can tell apart (Okabe and Ito 2008)."""

UNNAMED: Final = "mask"
"""What stands for everything but 0 in a mask whose values nobody has named."""


def organ_names(row: Slice) -> list[str]:
    """The organs that a row speaks of, in the order of their mask values."""
    named = [organ for _, organ in sorted(row.labels.items())] or list(row.pixels)
    return list(dict.fromkeys(named)) or [UNNAMED]


def organ_areas(row: Slice, mask: NDArray[Any]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each organ of a slice's mask (rows, cols) that covers anything, with where it lies.

    Values without a name (a mask as downloaded) are read by the grey ranges that give the areas
    which the row records; where none do, all but 0 is one area.
    """
    if row.labels:
        found = [*structure_areas(row, mask)]
    else:
        found = _by_grey_range(row, mask) or [(UNNAMED, mask != 0)]
    yield from ((organ, inside) for organ, inside in found if inside.any())


def _by_grey_range(row: Slice, mask: NDArray[Any]) -> list[tuple[str, NDArray[np.bool_]]]:
    recorded = {organ: pixels for organ, pixels in row.pixels.items() if pixels}
    for table in LEVELS.values():
        if recorded and areas(level_histogram(mask), table.organs) == recorded:
            return [(organ.name, select(mask, organ.low, organ.high)) for organ in table.organs]
    return []


def outlines(inside: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return the outlines of an area (rows, cols): arrays (points, 2) of x, y in pixels.

    x runs along the columns from 0, the left edge of the first, to cols; y along the rows. Holes
    are outlines too: filled by the even-odd rule, they stay empty. Found by
    `cv2.findContours` (Suzuki and Abe 1985), thinned by Douglas and Peucker's rule.
    """
    import cv2

    if not inside.any():
        return []
    cols = np.flatnonzero(inside.any(axis=0))
    rows = np.flatnonzero(inside.any(axis=1))
    cut = inside[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    fine = cut.astype(np.uint8).repeat(_FINE, axis=0).repeat(_FINE, axis=1)
    found, _ = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    origin = np.array([cols[0], rows[0]], np.float64)
    return [origin + (_thinned(line) + 0.5) / _FINE for line in found]


def _thinned(line: NDArray[Any]) -> NDArray[np.float64]:
    import cv2

    thin = cv2.approxPolyDP(line, _TOLERANCE * _FINE, True)
    kept = thin if len(thin) >= 3 else line
    return kept.reshape(-1, 2).astype(np.float64)


def svg_path(lines: list[NDArray[np.float64]], scale: int = 4) -> str:
    """Write outlines as the `d` of an SVG path, in whole units of 1/scale pixel, each closed."""
    parts = []
    for line in lines:
        points = np.rint(line * scale).astype(np.int64)
        steps = np.diff(points, axis=0)
        moves = " ".join(f"{x} {y}" for x, y in steps.tolist() if x or y)
        parts.append(f"M{points[0, 0]} {points[0, 1]}l{moves}z" if moves else "")
    return "".join(parts)
