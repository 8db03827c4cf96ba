"""What a normalization is: how values of the body of a case become those of a common scale."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chaosprep.imaging.intensity.piecewise import Floats, Piecewise

Scale = tuple[float, ...]
"""The landmarks that all cases of a sequence are to have: numbers that never descend."""


@dataclass(frozen=True)
class ScaleLearning:
    """How a scale is learned: `see` tells the landmarks of one case, `conclude` the scale of all.

    `see` takes the values of a body, flat, and gives None where all of them are one value. The
    order of what `conclude` is given does not matter. `check` refuses what is no such scale.

    Raises:
        ValueError: by `check`.
    """

    see: Callable[[Floats], Scale | None]
    conclude: Callable[[Sequence[Scale]], Scale]
    check: Callable[[Scale], None]


@dataclass(frozen=True)
class Normalization:
    """A way to normalize: `fit` gives the map of a case by the values of its body, flat.

    `fit` takes the scale that was learned too, None where nothing is. `ends` are the two values of
    the common scale that a network sees as 0 and 1.
    """

    ends: tuple[float, float]
    fit: Callable[[Floats, Scale | None], Piecewise]
    learning: ScaleLearning | None = None
