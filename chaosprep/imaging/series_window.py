"""The window that the slices of a series share, so that they stay comparable."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.display import windowed
from chaosprep.imaging.header import Ends, Header
from chaosprep.imaging.measured import Pixels, measured
from chaosprep.imaging.windows import Histogram

WindowKind = Literal["user", "dicom", "percentile", "minmax"]


class Window(msgspec.Struct, frozen=True):
    """A window: low is shown as 0, high as 255.

    The ends are stored values, or modality units (`in_modality_units`) where the user gave them
    or where the slices differ in their rescale; `stored` gives them for one slice. Where a header
    asks for more than a straight line (a LUT, a sigmoid), `look` is that header, and `by_look`
    shows every slice so.
    """

    low: float
    high: float
    source: WindowKind
    in_modality_units: bool = False
    notes: tuple[str, ...] = ()
    look: Header | None = None

    def by_look(self, header: Header, array: NDArray[Any]) -> NDArray[np.uint8]:
        """A slice's stored values in 8 bit, by the VOI LUT or function of `look`."""
        if self.look is None:
            raise ValueError("the window is a range, without a function of its own")
        own = replace(header, voi=self.look.voi, voi_lut=self.look.voi_lut)
        shown = windowed(own, array)
        return np.zeros(array.shape, np.uint8) if shown is None else shown

    def stored(self, header: Header) -> Ends:
        """The window in the stored values of a slice, the lower end first.

        Raises `FileError` ``window`` where the slice's rescale puts it out of all numbers.
        """
        if not self.in_modality_units:
            return self.low, self.high
        slope, intercept = header.rescale_slope, header.rescale_intercept
        low, high = sorted((end - intercept) / slope for end in (self.low, self.high))
        if not (math.isfinite(low) and math.isfinite(high)):
            raise FileError(
                f"the window {self.low:g}..{self.high:g} has no stored values at slope {slope:g}",
                "Choose another --window.",
                code="window",
            )
        return low, high


def find_window(
    slices: Sequence[Pixels], kind: Literal["percentile", "dicom", "minmax"] | Ends
) -> Window:
    """The window of some slices, each given as header and stored values (rows, cols).

    ``kind`` is ``percentile`` (0.5 and 99.5 over all pixels), ``dicom`` (the median of the headers'
    windows; percentiles where there is none), ``minmax``, or a window in modality units. Padding
    takes no part; where there is nothing else, both ends are 0.
    """
    if isinstance(kind, tuple):
        return Window(*kind, "user", in_modality_units=True)
    headers = [header for header, _ in slices]
    differ = len({(h.rescale_slope, h.rescale_intercept) for h in headers}) > 1
    notes: tuple[str, ...] = ()
    if differ:
        notes = ("the slices differ in their rescale: it was applied before the common window",)
    if kind == "dicom":
        look = next((h for h in headers if not h.linear and (h.voi or h.voi_lut)), None)
        if look is not None:
            notes = (*notes, "shown by a LUT or sigmoid of the DICOM header, not a straight window")
            return Window(0.0, 0.0, "dicom", notes=notes, look=look)
        windows = [
            _in_modality_units(np.array(h.window), h) if differ else np.array(h.window)
            for h in headers
            if h.window is not None
        ]
        if windows:
            low, high = np.median(windows, axis=0).tolist()
            return Window(low, high, "dicom", differ, notes)
        notes = (*notes, "no usable window in the DICOM headers; percentiles taken instead")
    histogram, count = Histogram(), 0
    for header, array in slices:
        values = measured(header, array)
        histogram.add(_in_modality_units(values, header) if differ else values)
        count += values.size
    if kind == "minmax" or not count:
        ends = histogram.minmax() if count else (0.0, 0.0)
        return Window(*ends, "minmax", differ, notes)
    low, high = histogram.percentile_window()
    if high > low or histogram.minmax() == (low, high):
        return Window(low, high, "percentile", differ, notes)
    notes = (*notes, "the percentiles are equal; minimum and maximum taken instead")
    return Window(*histogram.minmax(), "minmax", differ, notes)


def _in_modality_units(array: NDArray[Any], header: Header) -> NDArray[np.float64]:
    return array.astype(np.float64) * header.rescale_slope + header.rescale_intercept
