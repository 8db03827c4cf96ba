"""The rows of a grey PNG that a general library is to read, made whole first.

libpng prints to stderr what is wrong, and fills up with zeros what is missing.
"""

import struct
import zlib

from chaosprep.imaging.png.chunks import CHANNELS, SIGNATURE, Head, chunk, chunks, stored

_FILTERS = 5
_WINDOW = 2**15  # bytes that Deflate can refer back at most: RFC 1950, 2.2
# PNG specification 8.2: the first column and row of each pass, and the steps to the next ones.
_PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)


def repacked(data: bytes, png: Head) -> bytes | None:
    """The same grey picture with sound data alone; None where the pixels are not whole.

    ``data`` went through `pixels_only`.
    """
    passes = _passes(png)
    size = sum(rows * line for rows, line in passes)
    unpacker = zlib.decompressobj()
    try:
        packed = b"".join(body for name, body in chunks(data) if name == b"IDAT")
        lines = unpacker.decompress(packed, size + 1)
    except zlib.error:
        return None
    at = 0
    for rows, line in passes:
        end = at + rows * line
        if len(lines) < end or max(lines[at:end:line], default=0) >= _FILTERS:
            return None
        at = end
    if min(size, _WINDOW) > 256 << (packed[0] >> 4):
        return data  # zlib would not tell whether it refers back further than its head says
    head = struct.pack(">IIBBBBB", png.cols, png.rows, png.depth, 0, 0, 0, png.interlaced)
    body = chunk(b"IHDR", head), chunk(b"IDAT", stored(lines[:size])), chunk(b"IEND", b"")
    return SIGNATURE + b"".join(body)


def holds_more(data: bytes, png: Head) -> bool:
    """Whether anything stands behind the rows of a PNG, or behind their compressed stream.

    ``data`` went through `pixels_only`.
    """
    size = sum(rows * line for rows, line in _passes(png))
    unpacker = zlib.decompressobj()
    try:
        packed = b"".join(body for name, body in chunks(data) if name == b"IDAT")
        lines = unpacker.decompress(packed, size + 1)
    except zlib.error:
        return False  # whoever reads it says so
    return len(lines) > size or unpacker.unused_data != b""


def _passes(png: Head) -> list[tuple[int, int]]:
    """Rows of each pass, and the bytes of one as it is stored, its filter's included."""
    found, bits = [], png.depth * CHANNELS[png.colour]
    for left, top, across, down in _PASSES if png.interlaced else ((0, 0, 1, 1),):
        cols = (png.cols - left + across - 1) // across
        rows = (png.rows - top + down - 1) // down
        if cols > 0 and rows > 0:
            found.append((rows, 1 + (cols * bits + 7) // 8))
    return found
