"""What stored pixels mean, alike for every output: modality values, bright is high, no padding.

A slice is its header and its pixels, (rows, cols), here as everywhere: pixel x ``rescale_slope`` +
``rescale_intercept`` is the modality unit, before each of these steps and after it.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.header import Ends, Header, stored_range
from chaosprep.imaging.voi import Lut

Pixels = tuple[Header, NDArray[Any]]

AMONG = "its PixelPaddingValue lies among the other values: each pixel that has it is padding"
LOOKED_UP = "its Modality LUT gives the values: they replace the stored ones"


def among(header: Header, array: NDArray[Any]) -> tuple[str, ...]:
    """A note where stored values below and above its padding were measured in a slice, or none.

    PS3.3 has padding outside of what is measured, and calls padding whatever has its value.
    """
    values = measured(header, array)
    if header.padding is None or values.size in (0, array.size):
        return ()
    low, high = header.padding
    return (AMONG,) if values.min() < low and high < values.max() else ()


def looked_up(header: Header, array: NDArray[Any]) -> Pixels:
    """The values of the Modality LUT in place of the stored ones, uint16; else the slice as it is.

    Padding becomes the smallest number that the table does not give, so that it stays told apart.
    """
    lut, voi = header.modality_lut, header.voi
    if lut is None:
        return header, array
    values = lut.look_up(array).astype(np.uint16)
    most, padding = int(np.frombuffer(lut.entries, np.uint16).max()), None
    outside = padded(header, array)
    if outside is not None:
        mark = _free_value(lut, values[outside][0])
        values[outside] = mark
        most, padding = max(most, mark), (float(mark), float(mark))
    changed = replace(
        header,
        dtype="uint16",
        bits_stored=max(lut.bits, most.bit_length()),
        rescale_slope=1.0,
        rescale_intercept=0.0,
        window=None if voi is None else voi.stored(1.0, 0.0),
        padding=padding,
        modality_lut=None,
    )
    return changed, values


def _free_value(lut: Lut, otherwise: int) -> int:
    free = np.setdiff1d(np.arange(2**16), np.frombuffer(lut.entries, np.uint16))
    return int(free[0]) if free.size else int(otherwise)


def upright(header: Header, array: NDArray[Any]) -> Pixels:
    """The slice with its values turned around, where bright was low.

    x becomes (lowest + highest that BitsStored allows) - x, for floats -x. A slope that is below 0
    now means that the picture gets brighter where modality units fall: MONOCHROME1.
    """
    grey = header
    if header.inverted:
        grey = replace(header, photometric_interpretation="MONOCHROME2")
    if header.inverted == (header.rescale_slope < 0):
        return grey, array
    total = 0.0 if array.dtype.kind == "f" else sum(stored_range(header.dtype, header.bits_stored))
    slope, intercept = header.rescale_slope, header.rescale_intercept
    why = "MONOCHROME1" if header.inverted else "the rescale slope is below 0"
    changed = replace(
        grey,
        notes=(*header.notes, f"{why}: the values were inverted, so that bright is high"),
        rescale_slope=-slope,
        rescale_intercept=intercept + slope * total,
        window=_turned(header.window, total),
        padding=_turned(header.padding, total),
    )
    if array.dtype.kind == "f":
        return changed, -array
    return changed, (int(total) - array.astype(np.int64)).astype(array.dtype)


def _turned(ends: Ends | None, total: float) -> Ends | None:
    return ends and (total - ends[1], total - ends[0])


def check_polarity(low_is_bright: Iterable[bool]) -> None:
    """Refuse slices of which some are MONOCHROME1 and some are not.

    Raises:
        FileError: `polarity`.
    """
    if len(set(low_is_bright)) > 1:
        raise FileError(
            "some of its slices are MONOCHROME1 and some are MONOCHROME2: their values cannot be "
            "compared",
            "Export the series again with one of the two, or leave the case out with "
            "--on-error skip.",
            code="polarity",
        )


def padded(header: Header, array: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Which pixels are padding; None where none is."""
    if header.padding is None:
        return None
    low, high = header.padding
    found: NDArray[np.bool_] = (array >= low) & (array <= high)
    return found if found.any() else None


def measured(header: Header, array: NDArray[Any]) -> NDArray[Any]:
    """The pixels that are no padding: the array itself where all are, else flat."""
    outside = padded(header, array)
    return array if outside is None else array[~outside]


def lowest(_: Header, values: NDArray[Any]) -> Any:  # noqa: ANN401 - a number of their type
    """The one of some values of an `upright` slice that is shown as the darkest."""
    return values.min()


def darkest(header: Header, values: NDArray[Any]) -> Any:  # noqa: ANN401 - a number of their type
    """The one of some stored values that is shown as the darkest: the slice is not `upright`."""
    is_turned = header.inverted != (header.rescale_slope < 0)
    return values.max() if is_turned else values.min()


def comparable(header: Header, values: Any) -> NDArray[np.float64]:  # noqa: ANN401 - or one number
    """Pixels of an `upright` slice in modality units, whose sign is changed where the slope is < 0.

    Values of slices with different rescales can be compared so, and bright is high.
    """
    pixels: NDArray[np.float64] = np.asarray(values, np.float64)
    return pixels * abs(header.rescale_slope) + _offset(header)


def stored(header: Header, value: float) -> float:
    """The pixel value that `comparable` gives this one for."""
    return (value - _offset(header)) / abs(header.rescale_slope)


def lowest_unit(slices: Iterable[Pixels]) -> float | None:
    """The darkest that was measured in slices that are `upright`; None where all is padding.

    It is `comparable`.
    """
    shown = ((header, measured(header, array)) for header, array in slices)
    found = [comparable(header, values.min()) for header, values in shown if values.size]
    return min(map(float, found), default=None)


def filled(header: Header, array: NDArray[Any], lowest: float | None) -> NDArray[Any]:
    """The array of an `upright` slice with its padding as dark as `lowest_unit` says, or 0.

    What its type cannot hold becomes the nearest value that it can.
    """
    outside = padded(header, array)
    if outside is None:
        return array
    value = 0.0 if lowest is None else stored(header, lowest)
    if array.dtype.kind in "iu":
        kind = np.iinfo(array.dtype)
        value = min(max(round(value), kind.min), kind.max)
    return np.where(outside, array.dtype.type(value), array)


def _offset(header: Header) -> float:
    return header.rescale_intercept if header.rescale_slope > 0 else -header.rescale_intercept
