"""PNG's container: a signature, then chunks, each with a checksum (PNG 3rd edition, 5)."""

import struct

try:
    from isal.isal_zlib import adler32, crc32
except ImportError:  # no wheel for this machine: slower, the same sums
    from zlib import adler32, crc32

__all__ = ["SIGNATURE", "crc32", "grey_png", "stored"]

_BLOCK = 65535  # bytes of a stored block at most: RFC 1951, 3.2.4

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def grey_png(rows: int, cols: int, depth: int, packed: bytes) -> bytes:
    """A PNG of ``depth`` bits a pixel around a zlib stream of its filtered rows."""
    header = struct.pack(">IIBBBBB", cols, rows, depth, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", packed), _chunk(b"IEND", b""))
    return SIGNATURE + b"".join(chunks)


def stored(data: bytes) -> bytes:
    """A zlib stream that holds bytes as they are: `zlib.compress` at level 0, in half its time."""
    blocks = [b"\x78\x01"]
    for at in range(0, max(len(data), 1), _BLOCK):
        block = data[at : at + _BLOCK]
        last = at + _BLOCK >= len(data)
        blocks += (struct.pack("<BHH", last, len(block), _BLOCK - len(block)), block)
    return b"".join((*blocks, adler32(data).to_bytes(4)))


def _chunk(name: bytes, data: bytes) -> bytes:
    check = crc32(data, crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)
