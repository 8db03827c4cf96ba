"""A picture without pixels, for Augmentor to work on: it keeps where each place came from.

Places are (x, y) in Pillow's own coordinates, 0 at the picture's outer edge and 0.5 at the middle
of the first pixel; NaN is a place that came from nowhere.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Axis = NDArray[np.float64]
Points = tuple[Axis, Axis]
Inverse = Callable[[Points], Points]
Size = tuple[int, int]
Box = Sequence[float]


class Footprint:
    """Takes the place of a `PIL.Image.Image` and follows its methods, those that Augmentor calls.

    ``size`` is (width, height) as Pillow has it; ``source`` takes places of this picture to places
    of the first one. Filters and fill colours make no difference.
    """

    def __init__(self, size: Size, source: Inverse | None = None) -> None:
        self.size = size
        self.source: Inverse = source or (lambda points: points)
        self.first = source is None

    @property
    def width(self) -> int:
        """Pixels along x."""
        return self.size[0]

    @property
    def height(self) -> int:
        """Pixels along y."""
        return self.size[1]

    def copy(self) -> "Footprint":
        """Return the picture, which nothing changes."""
        return self

    def rotate(self, angle: float, *arguments: object, **named: object) -> Any:  # noqa: ANN401
        """Let Pillow work out the size and matrix: it calls the methods below."""
        from PIL import Image

        return Image.Image.rotate(cast(Image.Image, self), angle, *arguments, **named)  # type: ignore[arg-type]

    def transpose(self, method: int) -> "Footprint":
        """Flip or turn, as `PIL.Image.Transpose` names it."""
        from PIL.Image import Transpose

        width, height = self.size
        steps: dict[int, Inverse] = {
            Transpose.FLIP_LEFT_RIGHT: lambda p: (width - p[0], p[1]),
            Transpose.FLIP_TOP_BOTTOM: lambda p: (p[0], height - p[1]),
            Transpose.ROTATE_90: lambda p: (width - p[1], p[0]),
            Transpose.ROTATE_180: lambda p: (width - p[0], height - p[1]),
            Transpose.ROTATE_270: lambda p: (p[1], height - p[0]),
        }
        turned = method in (Transpose.ROTATE_90, Transpose.ROTATE_270)
        return self._made((height, width) if turned else self.size, steps[method])

    def crop(self, box: Box) -> "Footprint":
        """Cut out a window, rounded to whole pixels as Pillow rounds it."""
        left, top, right, bottom = (round(edge) for edge in box)
        if right <= left or bottom <= top:
            raise ValueError("the window is empty")
        return self._made((right - left, bottom - top), lambda p: (p[0] + left, p[1] + top))

    def resize(self, size: Size, resample: int | None = None) -> "Footprint":
        """Bring the whole picture to another size."""
        if min(size) < 1:
            raise ValueError("the size is empty")
        across, down = self.width / size[0], self.height / size[1]
        return self._made(size, lambda p: (p[0] * across, p[1] * down))

    def transform(
        self, size: Size, method: int, data: Sequence[Any], *_: object, **__: object
    ) -> "Footprint":
        """Transform by a matrix, a perspective or a mesh of quadrilaterals."""
        from PIL.Image import Transform

        if method == Transform.MESH:
            return self._made(size, lambda points: _mesh(data, points))
        numbers = [float(number) for number in data]
        perspective = numbers[6:] if method == Transform.PERSPECTIVE else [0.0, 0.0]
        matrix = np.array([*numbers[:6], *perspective, 1.0]).reshape(3, 3)
        return self._made(size, lambda points: _projected(matrix, points))

    def _made(self, size: Size, step: Inverse) -> "Footprint":
        """Return the picture that ``step`` leads back from."""

        def source(points: Points) -> Points:
            here = step(points)
            return self.source(here if self.first else self._within(here))

        return Footprint(size, source)

    def _within(self, points: Points) -> Points:
        """Empty what lies beside this picture; beside the first one, the data decide."""
        x, y = points
        inside = (x >= 0) & (x <= self.width) & (y >= 0) & (y <= self.height)
        return np.where(inside, x, np.nan), np.where(inside, y, np.nan)


def _projected(matrix: Axis, points: Points) -> Points:
    u, v, w = (a * points[0] + b * points[1] + c for a, b, c in matrix)
    w = np.where(w > 1e-9, w, np.nan)  # at and behind the horizon
    return u / w, v / w


def _mesh(tiles: Sequence[tuple[Box, Sequence[float]]], points: Points) -> Points:
    """Look each point up in its tile: bilinear between the corners nw, sw, se, ne (Pillow QUAD)."""
    x, y = (np.full(axis.shape, np.nan) for axis in points)
    for (left, top, right, bottom), quad in tiles:
        here = (points[0] >= left) & (points[0] < right) & (points[1] >= top) & (points[1] < bottom)
        s = (points[0][here] - left) / (right - left)
        t = (points[1][here] - top) / (bottom - top)
        shares = (1 - s) * (1 - t), (1 - s) * t, s * t, s * (1 - t)
        x[here] = sum(share * corner for share, corner in zip(shares, quad[0::2], strict=True))
        y[here] = sum(share * corner for share, corner in zip(shares, quad[1::2], strict=True))
    return x, y
