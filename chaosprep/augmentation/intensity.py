"""Changes of grey values, for the image only: contrast, resolution, holes.

``change`` takes and gives values (rows, cols) float32 within [0, 1], the source's own least and
greatest value; whoever applies it clips to these after each operation.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from chaosprep.augmentation.operation import (
    Choice,
    Drawn,
    Range,
    between,
    either_way,
    factor_between,
)

Values = NDArray[np.float32]
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]
Exponent = Annotated[float, Meta(ge=0.2, le=5.0)]


class Intensity(Drawn, frozen=True, kw_only=True, tag="intensity"):
    """A drawn operation that changes grey values."""

    def change(self, values: Values) -> Values:
        """Return the changed values; those given may be changed in place."""
        raise NotImplementedError


class DrawnGamma(Intensity, frozen=True, kw_only=True, tag="gamma"):
    """Values to the power of ``exponent``: above 1 darkens the middle greys."""

    exponent: Exponent

    def change(self, values: Values) -> Values:
        """Take the power."""
        return np.power(values, np.float32(self.exponent))


class Gamma(Choice, frozen=True, kw_only=True):
    """Bend the grey scale by an exponent of the range ``exponent`` (0.2 to 5)."""

    LIMITS: ClassVar[Mapping[str, Range]] = {"exponent": (0.2, 5.0)}
    exponent: Range = (0.8, 1.25)

    def draw(self, rng: np.random.Generator) -> DrawnGamma:
        """Draw an exponent, evenly in the logarithm."""
        return DrawnGamma(exponent=factor_between(rng, self.exponent))


class DrawnContrast(Intensity, frozen=True, kw_only=True, tag="contrast"):
    """Distances from the mean times ``contrast``, then ``brightness`` (part of the range) added."""

    contrast: Exponent
    brightness: Annotated[float, Meta(ge=-1.0, le=1.0)]

    def change(self, values: Values) -> Values:
        """Scale about the mean and add."""
        # Rounded, so that another order of summation does not move it.
        mean = round(float(values.mean(dtype=np.float64)), 6)
        values *= np.float32(self.contrast)
        values += np.float32(mean * (1.0 - self.contrast) + self.brightness)
        return values


class Contrast(Choice, frozen=True, kw_only=True):
    """Change contrast by a factor of the range ``contrast`` (0.2 to 5) and add brightness.

    ``brightness`` is the most that is added or taken away, as a part of the range (0 to 0.5).
    """

    LIMITS: ClassVar[Mapping[str, Range]] = {"contrast": (0.2, 5.0), "brightness": (0.0, 0.5)}
    contrast: Range = (0.85, 1.18)
    brightness: float = 0.05

    def draw(self, rng: np.random.Generator) -> DrawnContrast:
        """Draw a factor, evenly in the logarithm, and an offset, evenly."""
        contrast = factor_between(rng, self.contrast)
        return DrawnContrast(contrast=contrast, brightness=either_way(rng, self.brightness))


class DrawnBlur(Intensity, frozen=True, kw_only=True, tag="blur"):
    """Smoothed by a Gaussian of ``sigma`` pixels."""

    sigma: Annotated[float, Meta(ge=0.0, le=5.0)]

    def change(self, values: Values) -> Values:
        """Smooth; a kernel narrower than a hundredth of a pixel changes nothing."""
        import cv2

        if self.sigma < 0.01:
            return values
        smooth = cv2.GaussianBlur(values, (0, 0), self.sigma, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(smooth, np.float32)


class Blur(Choice, frozen=True, kw_only=True):
    """Lower the resolution by a Gaussian of the range ``sigma``, in pixels (0 to 5)."""

    LIMITS: ClassVar[Mapping[str, Range]] = {"sigma": (0.0, 5.0)}
    sigma: Range = (0.3, 1.0)

    def draw(self, rng: np.random.Generator) -> DrawnBlur:
        """Draw a width, evenly."""
        return DrawnBlur(sigma=between(rng, self.sigma))


class DrawnDropout(Intensity, frozen=True, kw_only=True, tag="dropout"):
    """Rectangles set to the least value: top, left, height, width, as parts of the sides."""

    holes: Annotated[tuple[tuple[Fraction, Fraction, Fraction, Fraction], ...], Meta(max_length=64)]

    def change(self, values: Values) -> Values:
        """Set the rectangles."""
        rows, cols = values.shape
        for top, left, height, width in self.holes:
            first, start = round(top * rows), round(left * cols)
            last, end = round((top + height) * rows), round((left + width) * cols)
            values[first:last, start:end] = 0.0
        return values


class Dropout(Choice, frozen=True, kw_only=True):
    """Cut holes (coarse dropout): ``count`` from a range (1 to 32), ``size`` of a side (to 0.5).

    The mask keeps its labels: the network is to infer what it cannot see.
    """

    LIMITS: ClassVar[Mapping[str, Range]] = {"count": (1.0, 32.0), "size": (0.01, 0.5)}
    count: tuple[int, int] = (1, 6)
    size: Range = (0.04, 0.12)

    def draw(self, rng: np.random.Generator) -> DrawnDropout:
        """Draw the number of holes, and size and place of each."""
        holes = []
        for _ in range(int(rng.integers(self.count[0], self.count[1] + 1))):
            height, width = between(rng, self.size), between(rng, self.size)
            top, left = rng.random() * (1.0 - height), rng.random() * (1.0 - width)
            holes.append((top, left, height, width))
        return DrawnDropout(holes=tuple(holes))
