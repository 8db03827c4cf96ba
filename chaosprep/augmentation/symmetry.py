"""Flips, transposition and quarter turns: each pixel goes to a whole place, none is mixed.

All of them keep the shape. On a picture that is not square, a transposition or a quarter turn
happens about the centre (half a pixel beside it, where rows and cols are not both even or both
odd), as any rotation does: what then lies beyond the edges is cut off, and what was not there is
background.
"""

from typing import ClassVar, Literal

import msgspec
import numpy as np

from chaosprep.augmentation.geometry import Matrix, about_centre
from chaosprep.augmentation.operation import Choice
from chaosprep.augmentation.spatial import Spatial
from chaosprep.errors import UsageError


class DrawnFlip(Spatial, frozen=True, kw_only=True, tag="flip"):
    """Left and right changed places."""

    MIRRORS: ClassVar[bool] = True

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Flip again."""
        return about_centre(np.diag([-1.0, 1.0]), rows, cols)


class Flip(Choice, frozen=True, kw_only=True):
    """Flip left and right."""

    MIRRORS: ClassVar[bool] = True

    def draw(self, rng: np.random.Generator) -> DrawnFlip:
        """Flip."""
        return DrawnFlip()


class DrawnFlipUpDown(Spatial, frozen=True, kw_only=True, tag="flip_up_down"):
    """Top and bottom changed places."""

    MIRRORS: ClassVar[bool] = True

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Flip again."""
        return about_centre(np.diag([1.0, -1.0]), rows, cols)


class FlipUpDown(Choice, frozen=True, kw_only=True):
    """Flip top and bottom."""

    MIRRORS: ClassVar[bool] = True

    def draw(self, rng: np.random.Generator) -> DrawnFlipUpDown:
        """Flip."""
        return DrawnFlipUpDown()


class DrawnTranspose(Spatial, frozen=True, kw_only=True, tag="transpose"):
    """Rows and columns changed places, about the centre."""

    MIRRORS: ClassVar[bool] = True

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Transpose again."""
        return whole_pixels(about_centre(np.array([[0.0, 1.0], [1.0, 0.0]]), rows, cols))


class Transpose(Choice, frozen=True, kw_only=True):
    """Exchange rows and columns, which is a mirror too."""

    MIRRORS: ClassVar[bool] = True

    def draw(self, rng: np.random.Generator) -> DrawnTranspose:
        """Transpose."""
        return DrawnTranspose()


class DrawnTurn(Spatial, frozen=True, kw_only=True, tag="turn"):
    """Turned counter-clockwise by ``quarters`` times 90 degrees, about the centre."""

    quarters: Literal[1, 2, 3]

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Turn back, without the rounding of sines."""
        quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
        linear = np.linalg.matrix_power(quarter, self.quarters)
        return whole_pixels(about_centre(linear, rows, cols))


class Turn(Choice, frozen=True, kw_only=True):
    """Turn by 90, 180 or 270 degrees."""

    def draw(self, rng: np.random.Generator) -> DrawnTurn:
        """Draw one of the three."""
        return turn(int(rng.integers(1, 4)))


def whole_pixels(matrix: Matrix) -> Matrix:
    """Round the offsets of a matrix of whole numbers down, so that no pixel falls between two."""
    return np.floor(matrix)


def turn(quarters: int) -> DrawnTurn:
    """Name 1, 2 or 3 quarter turns."""
    return msgspec.convert({"operation": "turn", "quarters": quarters}, DrawnTurn)


SYMMETRIES: dict[str, Spatial | None] = {
    "none": None,
    "flip": DrawnFlip(),
    "flip_up_down": DrawnFlipUpDown(),
    "transpose": DrawnTranspose(),
    "turn_90": turn(1),
    "turn_180": turn(2),
    "turn_270": turn(3),
}
"""What `Symmetry` chooses from."""


class Symmetry(Choice, frozen=True, kw_only=True):
    """One of ``choices``, each as likely as the other: names of `SYMMETRIES`."""

    choices: tuple[str, ...] = tuple(SYMMETRIES)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.choices or not set(self.choices) <= set(SYMMETRIES):
            remedy = f"Give any of {', '.join(SYMMETRIES)}."
            raise UsageError("symmetry: choices are not known", remedy, "augmentation-recipe")

    def draw(self, rng: np.random.Generator) -> Spatial | None:
        """Draw one of the choices."""
        return SYMMETRIES[self.choices[int(rng.integers(len(self.choices)))]]

    def may_mirror(self) -> bool:
        """Tell whether one of the choices is a mirror."""
        drawn = (SYMMETRIES[name] for name in self.choices)
        return self.probability > 0 and any(one is not None and one.MIRRORS for one in drawn)
