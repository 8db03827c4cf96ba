"""Look-up tables in a DICOM header: Modality LUT (PS3.3 C.11.1) and VOI LUT (PS3.3 C.11.2)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
