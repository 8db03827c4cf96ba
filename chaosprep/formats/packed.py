"""The bytes of a volume's voxels, compressed or not: as many as are needed, and hardly more."""

import bz2
import gzip
import zlib
from io import BytesIO
from typing import Literal

Packing = Literal["raw", "gzip", "bzip2", "zlib"]
GZIP = b"\x1f\x8b"
"""What gzip begins with (RFC 1952)."""

_PADDING = 16  # bytes: fewer may stand behind the voxels; nifti1.h, extensions have as many
_BLOCK = 512  # bytes of disks, tapes and archives, that zeros may fill up
_MOST_FILL = 2**16


def unpack(
    data: bytes | memoryview, packing: Packing, size: int, *, whole: bool = False, before: int = 0
) -> bytes | memoryview:
    """The first bytes of some data, after their compression.

    Where it is to be ``whole``, only padding may stand behind them: hardly anything, or zeros up to
    the end of a block. More slices than a header says do not end there. ``before`` are the bytes of
    the file that stand in front.

    Raises:
        EOFError: there are fewer, or more.
        OSError, ValueError, zlib.error: the compression is damaged.
    """
    most = size + _MOST_FILL if whole else size
    if packing == "zlib":
        data = _inflated(data, most)
    elif packing != "raw":
        opened = gzip.open if packing == "gzip" else bz2.open
        with opened(BytesIO(data)) as stream:
            data = stream.read(most)
    rest = data[size:] if whole else b""
    filled = (before + len(data)) % _BLOCK == 0 and len(rest) < _MOST_FILL and not any(rest)
    if len(data) < size or (len(rest) >= _PADDING and not filled):
        raise EOFError
    return data[:size]


def _inflated(data: bytes | memoryview, most: int) -> bytes:
    """The first bytes of a zlib stream (RFC 1950) that is whole, as far as it is read."""
    stream = zlib.decompressobj()
    found = stream.decompress(data, most)
    if len(found) < most and not stream.eof:
        raise EOFError
    return found
