"""Look-up tables in a DICOM header: Modality LUT (PS3.3 C.11.1) and VOI LUT (PS3.3 C.11.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.values import Source, items, raw


@dataclass(frozen=True)
class Lut:
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


def read_lut(sources: Sequence[Source], keyword: str, signed: bool) -> Lut | None:
    """Read the first table of a LUT sequence; None where there is none that is complete.

    ``signed`` says how the first mapped value is read where the file does not (implicit VR).
    """
    for dataset in sources:
        for item in items(dataset, keyword)[:1]:
            return _lut(item, signed)
    return None


def _lut(item: Source, signed: bool) -> Lut | None:
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
