"""Windows and look-up tables of a DICOM header: VOI (PS3.3 C.11.2) and Modality LUT (C.11.1)."""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"


class Voi(msgspec.Struct, frozen=True):
    """Centre and width in modality units, and the function that they are for.

    PS3.3 C.11.2.1.2 and C.11.2.1.3; ``function`` is LINEAR, LINEAR_EXACT or SIGMOID.
    """

    center: float
    width: float
    function: str = LINEAR

    def ends(self) -> tuple[float, float]:
        """Give (low, high) in modality units.

        LINEAR: c - 0.5 -+ (w - 1)/2; LINEAR_EXACT: c -+ w/2; for SIGMOID the same, where its
        tangent at the centre leaves the grey scale.
        """
        if self.function == LINEAR:
            center, half = self.center - 0.5, (self.width - 1) / 2
        else:
            center, half = self.center, self.width / 2
        return center - half, center + half

    def stored(self, slope: float, intercept: float) -> tuple[float, float] | None:
        """Give (low, high) in stored values, as `stored_window` does."""
        low, high = sorted((end - intercept) / slope for end in self.ends())
        return (low, high) if low < high and math.isfinite(low) and math.isfinite(high) else None

    def grey(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map modality units of any shape to 0..1."""
        if self.function == SIGMOID:
            exponent = np.clip(-4 * (values - self.center) / self.width, -700, 700)
            return np.asarray(1 / (1 + np.exp(exponent)), dtype=np.float64)
        low, high = self.ends()
        return np.clip((values - low) / (high - low), 0, 1)


def make_voi(center: float | None, width: float | None, function: str) -> Voi | None:
    """Make a `Voi`; None for one that leaves no grey: a width of 0 or less, LINEAR of 1 or less.

    A function that DICOM does not know counts as LINEAR, its default.
    """
    if function not in (LINEAR_EXACT, SIGMOID):
        function = LINEAR
    if center is None or width is None or width <= (1 if function == LINEAR else 0):
        return None
    voi = Voi(center, width, function)
    low, high = voi.ends()
    return voi if low < high and math.isfinite(low) and math.isfinite(high) else None


def stored_window(
    center: float | None,
    width: float | None,
    slope: float,
    intercept: float,
    function: str = LINEAR,
) -> tuple[float, float] | None:
    """Give (low, high) in stored values for a window in modality units, or None for no window.

    The ends of the `Voi`, undone through the rescale. A width of 1 or less (for LINEAR; else of 0
    or less) leaves no grey between the two: None.
    """
    voi = make_voi(center, width, function)
    return None if voi is None else voi.stored(slope, intercept)


class Lut(msgspec.Struct, frozen=True):
    """A look-up table: ``first`` is the input that the first entry stands for.

    ``entries`` are uint16, native byte order, as bytes, so that tables compare and hash by value;
    ``bits`` is the depth of the output, 8 to 16.
    """

    first: int
    bits: int
    entries: bytes

    def look_up(self, values: NDArray[np.number]) -> NDArray[np.float64]:
        """Map values of any shape; those beside the table take its first or last entry.

        PS3.3 C.11.1.1. pydicom's own functions compute in the width of the input or of the output,
        and wrap around where that is too narrow.
        """
        table = np.frombuffer(self.entries, np.uint16)
        at = np.clip(np.rint(values.astype(np.float64)) - self.first, 0, table.size - 1)
        return np.asarray(table[at.astype(np.intp)], dtype=np.float64)

    def grey(self, values: NDArray[np.number]) -> NDArray[np.float64]:
        """Map values of any shape to 0..1."""
        return np.asarray(self.look_up(values) / (2**self.bits - 1), dtype=np.float64)
