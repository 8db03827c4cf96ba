"""What an MR scanner does to an image: bias field, motion ghosts, Rician noise.

``change`` is as in `intensity`. The least value of the image stands for no signal.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, ClassVar, Final, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from chaosprep.augmentation.intensity import Intensity, Values
from chaosprep.augmentation.operation import Choice, Range, between, factor_between

Coefficient = Annotated[float, Meta(ge=-4.0, le=4.0)]

POWERS: Final = tuple((down, across) for down in range(4) for across in range(4 - down))[1:]
"""Degrees of the bias field's polynomials, down and across: total degree 1 to 3."""


_LINES: Final = 64  # at a time: what they need stays in the processor's cache


class DrawnBias(Intensity, frozen=True, kw_only=True, tag="bias"):
    """Multiplied by a smooth field, as of a coil that sees near tissue better.

    The field is the exponential of a sum of Legendre polynomials over the picture;
    ``coefficients`` are theirs, in the order of `POWERS`. Brightened values would leave the range,
    so the result is scaled to the greatest value that was there before.
    """

    coefficients: Annotated[
        tuple[Coefficient, ...], Meta(min_length=len(POWERS), max_length=len(POWERS))
    ]

    def change(self, values: Values) -> Values:
        """Multiply and scale."""
        greatest = values.max()
        field = np.exp(log_field(self.coefficients, *values.shape).astype(np.float32))
        values *= field
        brightest = values.max()
        if brightest > 0:
            values *= greatest / brightest
        return values


class Bias(Choice, frozen=True, kw_only=True):
    """Multiply by a smooth field whose brightest part is ``ratio`` times its darkest (1 to 4)."""

    LIMITS: ClassVar[Mapping[str, Range]] = {"ratio": (1.0, 4.0)}
    ratio: Range = (1.1, 1.6)

    def draw(self, rng: np.random.Generator) -> DrawnBias:
        """Draw a field, higher degrees weaker, and scale its logarithm to a drawn ratio."""
        wanted = math.log(factor_between(rng, self.ratio))
        drawn = [(2.0 * rng.random() - 1.0) / (down + across) ** 2 for down, across in POWERS]
        span = float(np.ptp(log_field(tuple(drawn), 64, 64)))
        return DrawnBias(coefficients=tuple(wanted / span * number for number in drawn))


class DrawnGhosting(Intensity, frozen=True, kw_only=True, tag="ghosting"):
    """Ghosts of a periodic motion along the phase-encoding axis ``along``.

    While the lines of k-space are filled, the picture moves to and fro by ``amplitude`` pixels, in
    ``cycles`` cycles over the acquisition: ghosts lie ``cycles`` pixels and its multiples away.
    ``phase`` is where in a cycle the acquisition starts, 0 to 1.
    """

    along: Literal["rows", "cols"]
    amplitude: Annotated[float, Meta(ge=0.0, le=5.0)]
    cycles: Annotated[float, Meta(ge=0.0, le=64.0)]
    phase: Annotated[float, Meta(ge=0.0, le=1.0)]

    def change(self, values: Values) -> Values:
        """Give each line of k-space the phase of a shift, and take the magnitude.

        A shift by d pixels is a phase of -2 pi k d / N on line k of N (Fourier shift theorem).
        """
        axis = 0 if self.along == "rows" else 1
        lines = np.fft.fft(values, axis=axis)
        lines *= self.line_phases(values.shape[axis])[(slice(None), None)[:: 1 - 2 * axis]]
        return np.abs(np.fft.ifft(lines, axis=axis)).astype(np.float32)

    def line_phases(self, count: int) -> NDArray[np.complex64]:
        """Return the factor of each of ``count`` lines of k-space, in the order of `numpy.fft`."""
        # Lines are acquired from the most negative frequency to the most positive.
        line = np.fft.fftfreq(count)
        moved = self.amplitude * np.sin(2.0 * np.pi * (self.cycles * line + self.phase))
        return np.asarray(np.exp(-2j * np.pi * line * moved), np.complex64)


class Ghosting(Choice, frozen=True, kw_only=True):
    """Ghosts of breathing or pulsation: ``amplitude`` in pixels (0 to 5), ``cycles`` (0 to 64)."""

    LIMITS: ClassVar[Mapping[str, Range]] = {"amplitude": (0.0, 5.0), "cycles": (0.0, 64.0)}
    amplitude: Range = (0.3, 1.0)
    cycles: Range = (6.0, 30.0)

    def draw(self, rng: np.random.Generator) -> DrawnGhosting:
        """Draw the motion and its axis."""
        amplitude, cycles = between(rng, self.amplitude), between(rng, self.cycles)
        phase = rng.random()
        along: Literal["rows", "cols"] = "rows" if rng.random() < 0.5 else "cols"
        return DrawnGhosting(along=along, amplitude=amplitude, cycles=cycles, phase=phase)


class DrawnNoise(Intensity, frozen=True, kw_only=True, tag="noise"):
    """Rician noise: the magnitude of a signal with Gaussian noise in both its channels.

    Gudbjartsson and Patz 1995, "The Rician distribution of noisy MRI data". ``sigma`` is the
    standard deviation of one channel as a part of the range; ``noise_seed`` makes the field.
    """

    sigma: Annotated[float, Meta(ge=0.0, le=0.3)]
    noise_seed: Annotated[int, Meta(ge=0, lt=2**32)]

    def change(self, values: Values) -> Values:
        """Add noise to the real and the imaginary channel, and take the magnitude."""
        rng = np.random.Generator(np.random.Philox(key=self.noise_seed))
        real, imaginary = rng.standard_normal((2, *values.shape), np.float32)
        values += np.float32(self.sigma) * real
        imaginary *= np.float32(self.sigma)
        return magnitude(values, imaginary)


class Noise(Choice, frozen=True, kw_only=True):
    """Add Rician noise of the range ``sigma``, as a part of the image's range (0 to 0.3)."""

    LIMITS: ClassVar[Mapping[str, Range]] = {"sigma": (0.0, 0.3)}
    sigma: Range = (0.005, 0.025)

    def draw(self, rng: np.random.Generator) -> DrawnNoise:
        """Draw the strength, and the seed of the field."""
        sigma = between(rng, self.sigma)
        return DrawnNoise(sigma=sigma, noise_seed=int(rng.integers(2**32)))


def magnitude(real: Values, imaginary: Values) -> Values:
    """Return what `np.hypot` of two planes (rows, cols) float32 gives, in a new one.

    As C libraries do it, in double precision, but many numbers at a time: `hypotf` takes one. The
    squares are exact there, so that however they are summed gives the same.
    """
    import cv2

    found = np.empty_like(real)
    for start in range(0, len(real), _LINES):
        some = slice(start, start + _LINES)
        found[some] = cv2.magnitude(
            real[some].astype(np.float64), imaginary[some].astype(np.float64)
        )
    return found


def log_field(coefficients: tuple[float, ...], rows: int, cols: int) -> NDArray[np.float64]:
    """Return the logarithm of a bias field, (rows, cols)."""
    table = np.zeros((4, 4))
    for power, number in zip(POWERS, coefficients, strict=True):
        table[power] = number
    return np.asarray(legendre(rows) @ table @ legendre(cols).T, np.float64)


@lru_cache(maxsize=8)
def legendre(pixels: int) -> NDArray[np.float64]:
    """Return the Legendre polynomials of degree 0 to 3 at each pixel centre, (pixels, 4)."""
    places = (2.0 * np.arange(pixels) + 1.0) / pixels - 1.0
    return np.asarray(np.polynomial.legendre.legvander(places, 3), np.float64)
