"""Writing grey PNG: rows filtered by numpy, compressed by Intel's ISA-L.

Several times as fast as a general PNG library at the same size: every row takes the filter `Up`
(PNG 3rd edition, 9.2), which suits medical slices, instead of a search for the best one.
"""

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    from isal import isal_zlib
except ImportError:  # no wheel for this machine: slower, the same pixels
    isal_zlib = zlib  # type: ignore[misc]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2


def encode_grey(array: NDArray[Any]) -> bytes:
    """Encode (rows, cols) of uint8 or uint16; the same array gives the same bytes."""
    rows, cols = array.shape
    depth = 8 * array.dtype.itemsize
    header = struct.pack(">IIBBBBB", cols, rows, depth, 0, 0, 0, 0)
    packed = isal_zlib.compress(_filtered(array), 1)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", packed), _chunk(b"IEND", b""))
    return SIGNATURE + b"".join(chunks)


def _filtered(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Every row's bytes less those of the row above, behind the filter's number."""
    big = np.ascontiguousarray(array.astype(array.dtype.newbyteorder(">"), copy=False))
    plain = big.view(np.uint8).reshape(array.shape[0], -1)
    lines = np.empty((plain.shape[0], plain.shape[1] + 1), dtype=np.uint8)
    lines[:, 0] = _UP
    lines[0, 1:] = plain[0]
    np.subtract(plain[1:], plain[:-1], out=lines[1:, 1:])
    return lines


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)
