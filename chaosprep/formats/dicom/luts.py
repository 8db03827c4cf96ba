"""The look-up tables of a DICOM header, read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.formats.dicom.values import Elements, items, raw
from chaosprep.imaging.voi import Lut


def read_lut(sources: Sequence[Elements], keyword: str, signed: bool) -> Lut | None:
    """Read the first table of a LUT sequence; None where there is none that is complete.

    ``signed`` says how the first mapped value is read where the file does not (implicit VR).
    """
    tables = (item for dataset in sources for item in items(dataset, keyword)[:1])
    item = next(tables, None)
    if item is None:
        return None
    element, descriptor = raw(item, "LUTDescriptor")
    if len(descriptor) != 6:
        return None
    order = "<" if element.is_little_endian else ">"
    signed = element.VR == "SS" if element.VR in ("SS", "US") else signed
    count, first, bits = np.frombuffer(descriptor, f"{order}u2").tolist()
    if signed and first >= 2**15:
        first -= 2**16
    entries = _entries(raw(item, "LUTData")[1], count or 2**16, order)
    return Lut(first, bits, entries.tobytes()) if entries is not None and 8 <= bits <= 16 else None


def _entries(data: bytes, count: int, order: str) -> NDArray[Any] | None:
    if len(data) == 2 * count:
        return np.frombuffer(data, f"{order}u2").astype(np.uint16)
    if len(data) == count + count % 2:  # 8-bit entries, packed (PS3.3 C.11.1.1.1)
        return np.frombuffer(data, np.uint8, count).astype(np.uint16)
    return None
