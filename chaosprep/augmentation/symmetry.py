"""Flips, transposition and quarter turns: each pixel goes to a whole place, none is mixed.

All of them keep the shape. On a picture that is not square, a transposition or a quarter turn
happens about the centre (half a pixel beside it, where rows and cols are not both even or both
odd), as any rotation does: what then lies beyond the edges is cut off, and what was not there is
background.
"""

from typing import ClassVar, Literal

import numpy as np

from chaosprep.augmentation.geometry import Matrix, about_centre
from chaosprep.augmentation.operation import Choice
from chaosprep.augmentation.spatial import Spatial
from chaosprep.errors import UsageError


class Whole(Spatial, frozen=True, kw_only=True, tag="whole"):
    """A drawn operation by ``LINEAR``, a 2 x 2 matrix of whole numbers on (col, row)."""

    LINEAR: ClassVar[Matrix]

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Go back, with offsets rounded down, so that no pixel falls between two."""
        return np.floor(about_centre(self.LINEAR, rows, cols))


class DrawnFlip(Whole, frozen=True, kw_only=True, tag="flip"):
    """Left and right changed places."""

    MIRRORS: ClassVar[bool] = True
    LINEAR: ClassVar[Matrix] = np.diag([-1.0, 1.0])


class DrawnFlipUpDown(Whole, frozen=True, kw_only=True, tag="flip_up_down"):
    """Top and bottom changed places."""

    MIRRORS: ClassVar[bool] = True
    LINEAR: ClassVar[Matrix] = np.diag([1.0, -1.0])


class DrawnTranspose(Whole, frozen=True, kw_only=True, tag="transpose"):
    """Rows and columns changed places, about the centre."""

    MIRRORS: ClassVar[bool] = True
    LINEAR: ClassVar[Matrix] = np.array([[0.0, 1.0], [1.0, 0.0]])


class DrawnTurn(Spatial, frozen=True, kw_only=True, tag="turn"):
    """Turned counter-clockwise by ``quarters`` times 90 degrees, about the centre."""

    quarters: Literal[1, 2, 3]

    def inverse(self, rows: int, cols: int) -> Matrix:
        """Turn back as `Whole` does, without the rounding of sines."""
        linear = np.linalg.matrix_power(np.array([[0.0, -1.0], [1.0, 0.0]]), self.quarters)
        return np.floor(about_centre(linear, rows, cols))


DrawnSymmetry = DrawnFlip | DrawnFlipUpDown | DrawnTranspose | DrawnTurn

SYMMETRIES: dict[str, DrawnSymmetry | None] = {
    "none": None,
    "flip": DrawnFlip(),
    "flip_up_down": DrawnFlipUpDown(),
    "transpose": DrawnTranspose(),
    "turn_90": DrawnTurn(quarters=1),
    "turn_180": DrawnTurn(quarters=2),
    "turn_270": DrawnTurn(quarters=3),
}


class OneOf(Choice, frozen=True, kw_only=True):
    """A choice among ``names`` of `SYMMETRIES`, each as likely as the other."""

    NAMES: ClassVar[tuple[str, ...]] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What may be drawn."""
        return self.NAMES

    def draw(self, rng: np.random.Generator) -> DrawnSymmetry | None:
        """Draw one of the names."""
        return SYMMETRIES[self.names[int(rng.integers(len(self.names)))]]

    def may_mirror(self) -> bool:
        """Tell whether one of the names is a mirror's."""
        drawn = (SYMMETRIES[name] for name in self.names)
        return self.probability > 0 and any(one is not None and one.MIRRORS for one in drawn)


class Flip(OneOf, frozen=True, kw_only=True):
    """Flip left and right."""

    NAMES: ClassVar[tuple[str, ...]] = ("flip",)


class FlipUpDown(OneOf, frozen=True, kw_only=True):
    """Flip top and bottom."""

    NAMES: ClassVar[tuple[str, ...]] = ("flip_up_down",)


class Transpose(OneOf, frozen=True, kw_only=True):
    """Exchange rows and columns, which is a mirror too."""

    NAMES: ClassVar[tuple[str, ...]] = ("transpose",)


class Turn(OneOf, frozen=True, kw_only=True):
    """Turn by 90, 180 or 270 degrees."""

    NAMES: ClassVar[tuple[str, ...]] = ("turn_90", "turn_180", "turn_270")


class Symmetry(OneOf, frozen=True, kw_only=True):
    """One of ``choices``, which are names of `SYMMETRIES`."""

    choices: tuple[str, ...] = tuple(SYMMETRIES)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.choices or not set(self.choices) <= set(SYMMETRIES):
            remedy = f"Give any of {', '.join(SYMMETRIES)}."
            raise UsageError(
                "symmetry: choices must name known symmetries", remedy, "augmentation-recipe"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """What may be drawn."""
        return self.choices
