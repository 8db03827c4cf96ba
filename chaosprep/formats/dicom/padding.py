"""Pixel padding of a DICOM header: stored values that stand for nothing (PS3.3 C.7.5.1.1.2)."""

import math
import struct
from collections.abc import Sequence

import numpy as np

from chaosprep.formats.dicom.values import Elements, raw
from chaosprep.imaging.header import Ends, stored_range

UNUSABLE = "its PixelPaddingValue is not a value that a pixel can have, and is left out"

# By how pixels are stored: the prefix of the two keywords, and struct's format of their values.
# Whether 16 bits have a sign is said by PixelRepresentation: many files declare the wrong VR.
_KINDS = {
    "u": ("", "H"),
    "i": ("", "h"),
    "float32": ("Float", "f"),
    "float64": ("DoubleFloat", "d"),
}


def read_padding(
    sources: Sequence[Elements], dtype: str, bits_stored: int
) -> tuple[Ends | None, tuple[str, ...]]:
    """Read the stored values that are padding, lowest and highest, and notes on what was odd.

    ``dtype`` is numpy's name for the stored pixels. None where no PixelPaddingValue is declared, or
    one that no pixel can have. With a PixelPaddingRangeLimit all between the two is padding.
    """
    kind = np.dtype(dtype).kind
    prefix, format = _KINDS[kind if kind in "iu" else dtype]
    first = _value(sources, f"{prefix}PixelPaddingValue", format)
    last = _value(sources, f"{prefix}PixelPaddingRangeLimit", format)
    if first is None:
        return None, ()
    low, high = sorted((first, first if last is None else last))
    least, most = stored_range(dtype, bits_stored)
    low, high = max(low, least), min(high, most)
    # NaN, which is in no order, is left out too.
    return ((low, high), ()) if low <= high else (None, (UNUSABLE,))


def _value(sources: Sequence[Elements], keyword: str, format: str) -> float | None:
    """Read the first that there is; NaN where it is not one number of that format."""
    for dataset in sources:
        element, value = raw(dataset, keyword)
        if value:
            if len(value) != struct.calcsize(format):
                return math.nan
            order = "<" if element.is_little_endian else ">"
            return float(struct.unpack(order + format, value)[0])
    return None
