"""Spatial operations that are a matrix: what a recipe may say of them, and what is drawn.

``inverse`` gives a `geometry.Matrix`, from an output place to the input place that it shows.
"""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from chaosprep.augmentation.geometry import Matrix, about_centre, rotation_linear, shift_inverse
from chaosprep.augmentation.intensity import Fraction
from chaosprep.augmentation.operation import (
    Choice,
    Drawn,
    Range,
    between,
    either_way,
    factor_between,
)

Degrees = Annotated[float, Meta(ge=-180.0, le=180.0)]
Factor = Annotated[float, Meta(ge=0.25, le=4.0)]
SideShare = Annotated[float, Meta(gt=0.0, le=1.0)]
Part = Annotated[float, Meta(ge=-1.0, le=1.0)]

FACTORS: Range = (0.25, 4.0)
RATIOS: Range = (0.5, 2.0)


class Spatial(Drawn, frozen=True, kw_only=True, tag="spatial"):
    """A drawn operation that moves pixels."""

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Undo the operation on a picture of rows x cols."""
        raise NotImplementedError


class DrawnRotation(Spatial, frozen=True, kw_only=True, tag="rotation"):
    """Turned about the centre; ``degrees`` > 0 is counter-clockwise on screen."""

    degrees: Degrees

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Turn back."""
        return about_centre(rotation_linear(self.degrees), rows, cols)


class Rotation(Choice, frozen=True, kw_only=True):
    """Turn about the centre, up to ``degrees`` either way (0 to 180)."""

    LIMITS: ClassVar[Mapping[str, Range]] = {"degrees": (0.0, 180.0)}
    degrees: float = 10.0

    def draw(self, rng: np.random.Generator) -> DrawnRotation:
        """Draw an angle, evenly."""
        return DrawnRotation(degrees=either_way(rng, self.degrees))


class DrawnScale(Spatial, frozen=True, kw_only=True, tag="scale"):
    """Enlarged about the centre by ``factor``."""

    factor: Factor

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Shrink back."""
        return about_centre(np.eye(2) / self.factor, rows, cols)


class Scale(Choice, frozen=True, kw_only=True):
    """Enlarge or shrink about the centre by a factor of the range ``factor`` (0.25 to 4)."""

    LIMITS: ClassVar[Mapping[str, Range]] = {"factor": FACTORS}
    factor: Range = (0.9, 1.1)

    def draw(self, rng: np.random.Generator) -> DrawnScale:
        """Draw a factor, evenly in the logarithm."""
        return DrawnScale(factor=factor_between(rng, self.factor))


class DrawnStretch(Spatial, frozen=True, kw_only=True, tag="stretch"):
    """Made ``ratio`` times as wide for its height, about the centre; areas are kept."""

    ratio: Factor

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Press back."""
        root = math.sqrt(self.ratio)
        return about_centre(np.diag([1.0 / root, root]), rows, cols)


class Stretch(Choice, frozen=True, kw_only=True):
    """Scale anisotropically: width to height changes by a factor of ``ratio`` (0.5 to 2)."""

    LIMITS: ClassVar[Mapping[str, Range]] = {"ratio": RATIOS}
    ratio: Range = (0.9, 1.1)

    def draw(self, rng: np.random.Generator) -> DrawnStretch:
        """Draw a ratio, evenly in the logarithm."""
        return DrawnStretch(ratio=factor_between(rng, self.ratio))


class DrawnShear(Spatial, frozen=True, kw_only=True, tag="shear"):
    """Slanted: along ``cols``, what lies above the centre goes right for ``degrees`` > 0.

    Along ``rows``, what lies right of the centre goes up.
    """

    degrees: Annotated[float, Meta(ge=-45.0, le=45.0)]
    along: Literal["rows", "cols"]

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Set upright."""
        slant = math.tan(math.radians(self.degrees))
        across, down = (slant, 0.0) if self.along == "cols" else (0.0, slant)
        return about_centre(np.array([[1.0, across], [down, 1.0]]), rows, cols)


class Shear(Choice, frozen=True, kw_only=True):
    """Slant the rows or the columns, up to ``degrees`` either way (0 to 45)."""

    LIMITS: ClassVar[Mapping[str, Range]] = {"degrees": (0.0, 45.0)}
    degrees: float = 5.0

    def draw(self, rng: np.random.Generator) -> DrawnShear:
        """Draw an angle, evenly, and one of the two directions."""
        degrees = either_way(rng, self.degrees)
        return DrawnShear(degrees=degrees, along="cols" if rng.random() < 0.5 else "rows")


class DrawnShift(Spatial, frozen=True, kw_only=True, tag="shift"):
    """Moved down by ``rows`` and right by ``cols``, as parts of the picture's sides."""

    rows: Part
    cols: Part

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Move back."""
        return shift_inverse(self.rows * rows, self.cols * cols)


class Shift(Choice, frozen=True, kw_only=True):
    """Move along both axes, up to ``part`` of the side either way (0 to 0.5)."""

    LIMITS: ClassVar[Mapping[str, Range]] = {"part": (0.0, 0.5)}
    part: float = 0.05

    def draw(self, rng: np.random.Generator) -> DrawnShift:
        """Draw both distances, evenly."""
        return DrawnShift(rows=either_way(rng, self.part), cols=either_way(rng, self.part))


class DrawnShiftScaleRotate(Spatial, frozen=True, kw_only=True, tag="shift_scale_rotate"):
    """Turned and enlarged about the centre, then moved; fields as in the three operations."""

    degrees: Degrees
    factor: Factor
    rows: Part
    cols: Part

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Move, shrink and turn back."""
        linear = rotation_linear(self.degrees) / self.factor
        return about_centre(linear, rows, cols) @ shift_inverse(self.rows * rows, self.cols * cols)


class ShiftScaleRotate(Choice, frozen=True, kw_only=True):
    """Turn, scale and move under one probability; fields as in the three operations."""

    LIMITS: ClassVar[Mapping[str, Range]] = {
        "degrees": (0.0, 180.0),
        "factor": FACTORS,
        "part": (0.0, 0.5),
    }
    degrees: float = 45.0
    factor: Range = (0.9, 1.1)
    part: float = 0.0625

    def draw(self, rng: np.random.Generator) -> DrawnShiftScaleRotate:
        """Draw all four numbers."""
        return DrawnShiftScaleRotate(
            degrees=either_way(rng, self.degrees),
            factor=factor_between(rng, self.factor),
            rows=either_way(rng, self.part),
            cols=either_way(rng, self.part),
        )


class DrawnCrop(Spatial, frozen=True, kw_only=True, tag="crop"):
    """A window enlarged to the full size: ``rows`` x ``cols`` as parts of the picture's sides.

    ``top`` and ``left`` are its place within its free play: 0 top or left, 1 bottom or right.
    """

    rows: SideShare
    cols: SideShare
    top: Fraction
    left: Fraction

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Put the window back to its place.

        Pixel areas are kept together, as when a crop is resized: the window's outer edges, not its
        outer pixel centres, go to the edges of the picture.
        """
        x = (1.0 - self.cols) * (self.left * cols - 0.5)
        y = (1.0 - self.rows) * (self.top * rows - 0.5)
        return np.array([[self.cols, 0.0, x], [0.0, self.rows, y], [0.0, 0.0, 1.0]])


class Crop(Choice, frozen=True, kw_only=True):
    """Enlarge a window that lies anywhere in the picture (random resized crop, zoom).

    ``side`` is the range of the window's side (the root of its area) as a part of the picture's
    (0.05 to 1); ``aspect`` that of its width to height, relative to the picture's (0.5 to 2).
    """

    LIMITS: ClassVar[Mapping[str, Range]] = {"side": (0.05, 1.0), "aspect": RATIOS}
    side: Range = (0.85, 0.85)
    aspect: Range = (1.0, 1.0)

    def draw(self, rng: np.random.Generator) -> DrawnCrop:
        """Draw size, shape and place; what would be longer than the picture is cut to it."""
        side = between(rng, self.side)
        root = math.sqrt(factor_between(rng, self.aspect))
        rows, cols = min(1.0, side / root), min(1.0, side * root)
        return DrawnCrop(rows=rows, cols=cols, top=rng.random(), left=rng.random())
