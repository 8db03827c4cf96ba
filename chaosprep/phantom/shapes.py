"""Implicit shapes, evaluated where a slice cuts them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from chaosprep.phantom.tissues import Tissue

Field = NDArray[np.float64]
Mask = NDArray[np.bool_]
Block = tuple[slice, slice]
Vector = tuple[float, float, float]

MARGIN = 6.0  # mm around a shape's bounding box: more than the anatomy's warp moves anything


@dataclass(frozen=True)
class Blob:
    """An ellipsoid: centre and radii (x, y, z) in mm, turned by `turn` radians in the x-y plane."""

    centre: Vector
    radii: Vector
    turn: float = 0.0

    @cached_property
    def reach(self) -> tuple[float, float]:
        """Half-widths in x and y of the bounding box, mm."""
        c, s = np.cos(self.turn), np.sin(self.turn)
        a, b, _ = self.radii
        return float(np.hypot(a * c, b * s)), float(np.hypot(a * s, b * c))

    def scaled(self, by: float) -> "Blob":
        """Grow (or, with a negative number, shrink) every radius by `by` mm."""
        a, b, c = (max(r + by, 0.5) for r in self.radii)
        return Blob(self.centre, (a, b, c), self.turn)


@dataclass(frozen=True)
class Tube:
    """A capsule: every point within `radius` mm of the segment from `start` to `end`."""

    start: Vector
    end: Vector
    radius: float


class Canvas:
    """One slice: where its pixels lie in the body, and the tissue painted there so far.

    `x` and `y` are (rows, cols) float64 in mm (x to the patient's left, y to the back), `z` (to the
    head) is one number; `edges` are the unwarped x of a row and y of a column, both rising.
    """

    def __init__(self, x: Field, y: Field, z: float, edges: tuple[Field, Field]) -> None:
        self.x, self.y, self.z, self.edges = x, y, z, edges
        self.tissue: NDArray[np.uint8] = np.zeros(x.shape, np.uint8)

    def window(self, centre: tuple[float, float], reach: tuple[float, float]) -> Block:
        """Rows and columns that a box of half-widths `reach` (x, y) around `centre` may touch."""
        spans = []
        for line, middle, half in zip(self.edges, centre, reach, strict=True):
            low, high = np.searchsorted(line, (middle - half - MARGIN, middle + half + MARGIN))
            spans.append(slice(int(low), int(high)))
        return spans[1], spans[0]

    def level(self, blob: Blob, window: Block) -> Field:
        """Distance to the surface of a blob in mm, roughly (negative inside)."""
        return (np.sqrt(self.ratio(blob, window)) - 1.0) * min(blob.radii[:2])

    def ratio(self, blob: Blob, window: Block) -> Field:
        """Squared distance from the centre of a blob, as a share of its radius there."""
        (cx, cy, cz), (a, b, c) = blob.centre, blob.radii
        u, v = self.x[window] - cx, self.y[window] - cy
        if blob.turn:
            cos, sin = np.cos(blob.turn), np.sin(blob.turn)
            u, v = u * cos + v * sin, v * cos - u * sin
        share: Field = (u / a) ** 2 + (v / b) ** 2
        share += ((self.z - cz) / c) ** 2
        return share

    def blob_window(self, blob: Blob) -> Block:
        """Rows and columns that a blob may touch; empty where the slice misses it."""
        if abs(self.z - blob.centre[2]) >= blob.radii[2]:
            return slice(0, 0), slice(0, 0)
        return self.window(blob.centre[:2], blob.reach)

    def fill(self, window: Block, inside: Mask, tissue: Tissue, over: Mask | None = None) -> None:
        """Paint a tissue where `inside`, and where `over` (rows, cols of the slice) allows it."""
        if over is not None:
            inside = inside & over[window]
        self.tissue[window][inside] = tissue

    def paint(self, blob: Blob, tissue: Tissue, over: Mask | None = None) -> None:
        """Paint a blob."""
        window = self.blob_window(blob)
        if window[0].stop:
            self.fill(window, self.ratio(blob, window) < 1, tissue, over)

    def paint_tube(self, tube: Tube, tissue: Tissue, over: Mask | None = None) -> None:
        """Paint a capsule."""
        a, b = np.array(tube.start), np.array(tube.end)
        low, high = np.minimum(a, b) - tube.radius, np.maximum(a, b) + tube.radius
        if not low[2] < self.z < high[2]:
            return
        middle, half = (low + high) / 2, (high - low) / 2
        window = self.window((middle[0], middle[1]), (half[0], half[1]))
        along = b - a
        u, v, w = self.x[window] - a[0], self.y[window] - a[1], self.z - a[2]
        t = np.clip((u * along[0] + v * along[1] + w * along[2]) / (along @ along), 0.0, 1.0)
        q = (u - t * along[0]) ** 2 + (v - t * along[1]) ** 2 + (w - t * along[2]) ** 2
        self.fill(window, q < tube.radius**2, tissue, over)


def union(first: Field, second: Field, blend: float) -> Field:
    """Level of two shapes melted together over `blend` mm (Quilez's polynomial smooth minimum)."""
    h = np.clip(0.5 + 0.5 * (second - first) / blend, 0.0, 1.0)
    return second + (first - second) * h - blend * h * (1.0 - h)
