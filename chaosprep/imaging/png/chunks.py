"""PNG's container: a signature, then chunks, each with a checksum (PNG 3rd edition, 5)."""

import struct
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from chaosprep.errors import RECOPY, FileError

try:
    from isal.isal_zlib import adler32, crc32
except ImportError:  # no wheel for this machine: slower, the same sums
    from zlib import adler32, crc32

_BLOCK = 65535  # bytes of a stored block at most: RFC 1951, 3.2.4

# Width, height, bit depth, colour type, three methods: PNG specification 11.2.1.
_IHDR = struct.Struct(">IIBBBBB")
_CHUNK = struct.Struct(">I4s")  # length, name; then the data and its checksum: 5.3
_CHECK = struct.Struct(">I")
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_DEFLATE = 1032  # bytes that one may become at most: 258 for two bits
_PALETTE = 3  # a colour type
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

_EACH = "Save each as a file of its own."
SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Head(msgspec.Struct, frozen=True):
    """What a PNG's IHDR says: pixels, bits of each, the colour type, and the order of rows."""

    rows: int
    cols: int
    depth: int
    colour: int
    interlaced: bool = False


def grey_png(rows: int, cols: int, depth: int, packed: bytes) -> bytes:
    """A PNG of ``depth`` bits a pixel around a zlib stream of its filtered rows."""
    return b"".join((_begin(rows, cols, depth), chunk(b"IDAT", packed), _IEND))


@lru_cache(maxsize=8)  # the slices of a case share one
def _begin(rows: int, cols: int, depth: int) -> bytes:
    return SIGNATURE + chunk(b"IHDR", _IHDR.pack(cols, rows, depth, 0, 0, 0, 0))


def with_text(png: bytes, keyword: str, text: str) -> bytes:
    """A PNG with a `tEXt` chunk behind its IHDR (11.3.3.2); both of it are Latin-1."""
    end = len(SIGNATURE) + 25  # of IHDR, which always comes first
    added = chunk(b"tEXt", f"{keyword}\0{text}".encode("latin-1"))
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
        cols, rows, depth, colour, packing, filters, interlace = _IHDR.unpack_from(data, 16)
        known = depth in _DEPTHS.get(colour, ()) and not packing and not filters and interlace < 2
        if rows and cols and known:
            return Head(rows, cols, depth, colour, interlaced=bool(interlace))
    raise FileError("the PNG header is damaged", RECOPY, code)


def pixels_only(data: bytes, png: Head, code: str) -> bytes:
    """Check every chunk up to IEND, and drop those that are not needed to show the image.

    Decoders let some faults pass, and print others to stderr, those of dropped chunks too. Raises
    `FileError` with this code where one is damaged, missing, not known or out of order, or the
    pixels' are longer than any need be, and ``frames`` where there are several images.
    """
    line = png.cols * png.depth * CHANNELS[png.colour] // 8 + 2  # with its filter's byte
    left = 2 * png.rows * line + 1024  # no compressor makes pixels twice as long
    least = png.rows * png.cols * png.depth * CHANNELS[png.colour] // 8 // _DEFLATE
    view, kept, names = memoryview(data), list[bytes | memoryview]([SIGNATURE]), list[bytes]()
    at = len(SIGNATURE)
    for name, body in chunks(data):
        end = at + 12 + len(body)
        if name == b"acTL" and bytes(body[:4]) > b"\0\0\0\1":  # how many frames an animation has
            raise FileError("the file holds several images", _EACH, "frames")
        if not name[0] & 0x20:  # a critical chunk: PNG specification 5.4
            kept.append(view[at:end])
            names += [name] if names[-1:] != [name] or name != b"IDAT" else []
        size = len(body) if name == b"IDAT" else 0
        left, least = left - size, least - size
        at = end
    if left < 0:
        raise FileError("the PNG holds too much data", RECOPY, code)
    if names[-1:] != [b"IEND"] or (b"IDAT" in names and least > 0):
        raise FileError("the PNG is cut short or damaged", RECOPY, code)
    palette = [b"PLTE"] if png.colour == _PALETTE or b"PLTE" in names else []
    if names != [b"IHDR", *palette, b"IDAT", b"IEND"]:
        unknown = not set(names) <= set(_CRITICAL)
        what = "unknown chunks" if unknown else "chunks that are missing or out of order"
        raise FileError(f"the PNG has {what}", RECOPY, code)
    return b"".join(kept)


def chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Name and content of a PNG's chunks, up to IEND or the first that is damaged."""
    view, at, name = memoryview(data), len(SIGNATURE), b""
    while at + 12 <= len(data) and name != b"IEND":
        length, name = _CHUNK.unpack_from(data, at)
        end = at + 12 + length
        if end > len(data) or _CHECK.unpack_from(data, end - 4) != (crc32(view[at + 4 : end - 4]),):
            return
        yield name, view[at + 8 : end - 4]
        at = end


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk with its length and checksum."""
    check = crc32(data, crc32(name))
    return b"".join((_CHUNK.pack(len(data), name), data, _CHECK.pack(check)))


_IEND = chunk(b"IEND", b"")
