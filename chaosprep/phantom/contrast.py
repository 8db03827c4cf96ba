"""From a tissue map to the image that a scanner would make of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chaosprep.phantom.tissues import CHANNELS, Tissue, looks

Image = NDArray[np.float32]

BLUR = 1.1  # standard deviation in mm of the smoothing that stands for the scanner's resolution
PIXEL = 0.6  # the same in pixels, for partial volume: a coarse grid has the fat-water outline too
NOISE = {"t1-in": 13.0, "t1-out": 13.0, "t2-spir": 16.0, "ct": 10.0}
"""Sequence -> standard deviation of the noise per channel, in stored values or HU."""

BODY_SIGMA = 170.0  # standard deviation in mm of the coil's sensitivity around the middle


@dataclass(frozen=True)
class Scanner:
    """What stays the same from slice to slice of one sequence.

    `bias` and `texture` are (rows, cols) float32, around 1 and around 0; `gains` (23,) is one
    factor per tissue; `blur` is in pixels.
    """

    sequence: str
    bias: Image
    texture: Image
    gains: Image
    blur: float

    def expose(self, tissue: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint16]:
        """Make the stored values (rows, cols) of one slice from its tissue map.

        T1: water and fat add in phase and subtract out of phase, which draws the dark outline at
        their borders. MR noise is Rician (the magnitude of a complex signal, Gudbjartsson & Patz
        1995), CT noise Gaussian; CT is stored as HU + 1000.
        """
        channels = [self.channel(name, tissue) for name in CHANNELS[self.sequence]]
        if self.sequence == "ct":
            return to_stored(channels[0] + 1000 + self.noise(rng))
        signal = channels[0] if len(channels) == 1 else channels[0] + channels[1]
        if self.sequence == "t1-out":
            signal = np.abs(channels[0] - channels[1])
        return to_stored(np.hypot(signal * self.bias + self.noise(rng), self.noise(rng)))

    def channel(self, field: str, tissue: NDArray[np.uint8]) -> Image:
        """Return one field of `Look` over the slice, with texture, smoothed."""
        from cv2 import BORDER_REPLICATE, GaussianBlur

        table = looks(field)
        swing = looks("grain") * 150.0
        if field != "hu":
            table = table * self.gains
            swing = looks("grain") * table
        values = table[tissue] + swing[tissue] * self.texture
        smooth = GaussianBlur(values, (0, 0), self.blur, borderType=BORDER_REPLICATE)
        return np.asarray(smooth, np.float32)

    def noise(self, rng: np.random.Generator) -> Image:
        """Draw one plane of Gaussian noise."""
        plane = rng.standard_normal(self.bias.shape, np.float32)
        return plane * np.float32(NOISE[self.sequence])


def make_scanner(sequence: str, matrix: int, spacing: float, rng: np.random.Generator) -> Scanner:
    """Draw the scanner of one series: `matrix` x `matrix` pixels of `spacing` mm."""
    gains = rng.uniform(0.96, 1.04, len(Tissue))
    return Scanner(
        sequence=sequence,
        bias=bias_field(matrix, spacing, rng),
        texture=smooth_noise(matrix, 2.2 / spacing, rng),
        gains=gains.astype(np.float32),
        blur=float(np.hypot(BLUR / spacing, PIXEL)),
    )


def bias_field(matrix: int, spacing: float, rng: np.random.Generator) -> Image:
    """Draw a smooth factor (matrix, matrix) float32 near 1: sloping, brighter at the rim."""
    line = (np.arange(matrix) - (matrix - 1) / 2) * spacing / BODY_SIGMA
    tilts = rng.uniform(-0.06, 0.06, 2)
    across, down = (1.0 + tilt * line + 0.04 * line**2 for tilt in tilts)
    return np.outer(down, across).astype(np.float32)


def smooth_noise(matrix: int, sigma: float, rng: np.random.Generator) -> Image:
    """Draw a texture (matrix, matrix) float32, mean 0, deviation 1, `sigma` pixels coarse."""
    from cv2 import BORDER_REFLECT, GaussianBlur

    noise = rng.standard_normal((matrix, matrix), np.float32)
    smooth = np.asarray(GaussianBlur(noise, (0, 0), sigma, borderType=BORDER_REFLECT), np.float32)
    return np.asarray((smooth - smooth.mean()) / smooth.std(), np.float32)


def to_stored(values: Image) -> NDArray[np.uint16]:
    """Round to unsigned 16 bits."""
    return np.clip(np.rint(values), 0, 65535).astype(np.uint16)
