"""PNG's row filters (PNG 3rd edition, 9): `Up` put on, and all of them undone.

A filter predicts a byte from the ones on its left and in the row above. Where these and the stored
byte are 0, so is the byte, whatever the filter. Masks are mostly that: only the part of a picture
that stores anything else is undone, and the row below and the column behind it, which must come out
0 for the rest to be 0.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.png.chunks import grey_png, stored

_UP = 2
_KNOWN = bytes(range(5))

Part = tuple[slice, slice]
"""Rows and columns of a picture."""
WHOLE: Part = (slice(None), slice(None))


def filter_up(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Every row's bytes less those of the row above, behind the filter's number.

    From (rows, cols) of uint8 or uint16 to (rows, 1 + bytes of a row) uint8; uint16 is big endian.
    """
    big = np.ascontiguousarray(array.astype(array.dtype.newbyteorder(">"), copy=False))
    plain = big.view(np.uint8).reshape(array.shape[0], -1)
    lines = np.empty((plain.shape[0], plain.shape[1] + 1), dtype=np.uint8)
    lines[:, 0] = _UP
    lines[0, 1:] = plain[0]
    np.subtract(plain[1:], plain[:-1], out=lines[1:, 1:])
    return lines


def undo_filters(lines: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Part] | None:
    """Undo the filters of rows (rows, 1 + width) uint8 whose pixels take a byte or less.

    Returns the rows' bytes, (rows, width) uint8, and a part of them outside which all are 0; None
    for what a general library has to read or refuse.
    """
    if lines[:, 0].tobytes().translate(None, _KNOWN):
        return None
    sides = (lines[0, 1:], lines[-1, 1:], lines[:, 1], lines[:, -1])
    return _whole(lines) if all(map(np.count_nonzero, sides)) else _by_part(lines)


def undo_up(lines: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Undo the filters of rows that all took `Up`, whatever their pixels take; else None."""
    filters = lines[:, 0].tobytes()
    if filters[0] in (0, _UP) and filters.count(_UP, 1) == len(filters) - 1:
        return _summed(lines[:, 1:])
    return None


def _by_part(lines: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Part] | None:
    rows = _ends(np.bitwise_or.reduce(lines[:, 1:], axis=1))
    cols = _ends(np.bitwise_or.reduce(lines[rows, 1:], axis=0))
    height, width = rows.stop - rows.start, cols.stop - cols.start
    plain = np.zeros((lines.shape[0], lines.shape[1] - 1), np.uint8)
    if height:
        part = lines[rows.start : rows.stop + 1, cols.start : cols.stop + 2].copy()
        part[:, 0] = lines[rows.start : rows.stop + 1, 0]
        shown = _undone(part)
        if shown is None:
            return None
        if np.count_nonzero(shown[height:]) or np.count_nonzero(shown[:, width:]):
            return _whole(lines)
        plain[rows, cols] = shown[:height, :width]
    return plain, (rows, cols)


def _ends(values: NDArray[np.uint8]) -> slice:
    """From the first to the last that is not 0."""
    found = values.nonzero()[0]
    return slice(int(found[0]), int(found[-1]) + 1) if found.size else slice(0, 0)


def _whole(lines: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Part] | None:
    plain = _undone(lines)
    return None if plain is None else (plain, WHOLE)


def _undone(lines: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    plain = undo_up(lines)
    if plain is not None:
        return plain
    import cv2

    png = grey_png(lines.shape[0], lines.shape[1] - 1, 8, stored(lines.tobytes()))
    found: NDArray[Any] | None = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    return found


def _summed(plain: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each row plus all rows above, modulo 256: a new array.

    By doubling (Hillis and Steele 1986): more additions than `np.add.accumulate`, in a quarter of
    its time.
    """
    step, sums = 1, plain.copy() if len(plain) == 1 else plain
    into, spare = (np.empty(plain.shape, np.uint8) for _ in range(2))
    while step < len(plain):
        into[:step] = sums[:step]
        np.add(sums[step:], sums[:-step], out=into[step:])
        sums, into, spare = into, spare, into
        step *= 2
    return sums
