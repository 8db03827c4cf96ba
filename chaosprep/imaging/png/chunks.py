"""PNG's container: a signature, then chunks, each with a checksum (PNG 3rd edition, 5)."""

import struct
from dataclasses import dataclass

from chaosprep.errors import RECOPY, FileError

try:
    from isal.isal_zlib import adler32, crc32
except ImportError:  # no wheel for this machine: slower, the same sums
    from zlib import adler32, crc32

_BLOCK = 65535  # bytes of a stored block at most: RFC 1951, 3.2.4

_IHDR = struct.Struct(">IIBB")  # width, height, bit depth, colour type: PNG specification 11.2.1
_CHUNK = struct.Struct(">I4s")  # length, name; then the data and its checksum: 5.3
_CHECK = struct.Struct(">I")
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Head:
    """What a PNG's IHDR says: pixels, bits of each, and the colour type."""

    rows: int
    cols: int
    depth: int
    colour: int


def grey_png(rows: int, cols: int, depth: int, packed: bytes) -> bytes:
    """A PNG of ``depth`` bits a pixel around a zlib stream of its filtered rows."""
    header = struct.pack(">IIBBBBB", cols, rows, depth, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", packed), _chunk(b"IEND", b""))
    return SIGNATURE + b"".join(chunks)


def with_text(png: bytes, keyword: str, text: str) -> bytes:
    """A PNG with a `tEXt` chunk behind its IHDR (11.3.3.2); both of it are Latin-1."""
    end = len(SIGNATURE) + 25  # of IHDR, which always comes first
    added = _chunk(b"tEXt", f"{keyword}\0{text}".encode("latin-1"))
    return png[:end] + added + png[end:]


def stored(data: bytes) -> bytes:
    """A zlib stream that holds bytes as they are: `zlib.compress` at level 0, in half its time."""
    blocks = [b"\x78\x01"]
    for at in range(0, max(len(data), 1), _BLOCK):
        block = data[at : at + _BLOCK]
        last = at + _BLOCK >= len(data)
        blocks += (struct.pack("<BHH", last, len(block), _BLOCK - len(block)), block)
    return b"".join((*blocks, adler32(data).to_bytes(4)))


def read_head(data: bytes, code: str) -> Head | None:
    """Read a PNG's IHDR; None where the bytes are another format.

    Raises `FileError` with this code where it is damaged.
    """
    if not data.startswith(SIGNATURE):
        return None
    if data[8:16] == b"\0\0\0\rIHDR" and len(data) >= 33:
        cols, rows, depth, colour = _IHDR.unpack_from(data, 16)
        if rows and cols and depth in _DEPTHS.get(colour, ()):
            return Head(rows, cols, depth, colour)
    raise FileError("the PNG header is damaged", RECOPY, code)


def pixels_only(data: bytes, png: Head, code: str) -> bytes:
    """Check every chunk up to IEND, and drop those that are not needed to show the image.

    Decoders let some faults pass, and print others to stderr, those of dropped chunks too. Raises
    `FileError` with this code where one is damaged, or the pixels' are longer than any need be.
    """
    view, at = memoryview(data), len(SIGNATURE)
    line = png.cols * png.depth * _CHANNELS[png.colour] // 8 + 2  # with its filter's byte
    left = 2 * png.rows * line + 1024  # no compressor makes pixels twice as long
    kept: list[bytes | memoryview] = [SIGNATURE]
    while at + 12 <= len(data):
        length, name = _CHUNK.unpack_from(data, at)
        end = at + 12 + length
        if end > len(data) or _CHECK.unpack_from(data, end - 4) != (crc32(view[at + 4 : end - 4]),):
            break
        if not name[0] & 0x20:  # a critical chunk: PNG specification 5.4
            kept.append(view[at:end])
        left -= length if name == b"IDAT" else 0
        if name == b"IEND" and left >= 0:
            return b"".join(kept)
        at = end
    reason = "the PNG is cut short or damaged" if left >= 0 else "the PNG holds too much data"
    raise FileError(reason, RECOPY, code)


def _chunk(name: bytes, data: bytes) -> bytes:
    check = crc32(data, crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)
