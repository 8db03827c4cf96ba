"""Grey PNG in a hurry: rows filtered by numpy, compressed by Intel's ISA-L.

Several times as fast as a general PNG library at the same size: every row takes the filter `Up`
(PNG 3rd edition, 9.2), which suits medical slices, instead of a search for the best one. Nearly
every other PNG is unpacked by ISA-L too.
"""

import zlib
from functools import lru_cache
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.png.chunks import grey_png
from chaosprep.imaging.png.filters import WHOLE, Part, filter_up, undo_filters, undo_up

try:
    from isal import __version__ as _isal_version
    from isal import isal_zlib
    from isal.igzip_lib import IsalError
except ImportError:  # no wheel for this machine: slower, the same pixels
    isal_zlib = zlib  # type: ignore[misc]
    IsalError = zlib.error  # type: ignore[assignment]
    COMPRESSOR = f"zlib {zlib.ZLIB_RUNTIME_VERSION}"
else:
    COMPRESSOR = f"isal {_isal_version}"
"""What packs the pixels: other compressors, other bytes."""

Compression = Literal["fast", "small", "none"]

_IDAT = 41  # where the compressed pixels begin: behind the signature, IHDR and IDAT's name
_WINDOW = 2**15  # bytes that Deflate can refer back at most: RFC 1950, 2.2
_FIRST = 8  # bytes that ISA-L treats in its plain C code
_IEND = 16  # bytes of IDAT's checksum and of IEND


def encode_grey(array: NDArray[Any], compression: Compression = "fast") -> bytes:
    """Encode (rows, cols) of uint8 or uint16; the same array gives the same bytes.

    `small` is Pillow's search for the smallest file; `none` stores the pixels as they are.
    """
    if not array.max(initial=0):
        return _empty(*array.shape, array.dtype.itemsize, compression)
    return _encoded(array, compression)


@lru_cache(maxsize=8)  # many masks are
def _empty(rows: int, cols: int, itemsize: int, compression: Compression) -> bytes:
    return _encoded(np.zeros((rows, cols), f"u{itemsize}"), compression)


def _encoded(array: NDArray[Any], compression: Compression) -> bytes:
    if compression == "small":
        from PIL import Image

        stream = BytesIO()
        native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
        Image.fromarray(native).save(stream, "PNG", optimize=True)
        return stream.getvalue()
    rows, cols = array.shape
    depth = 8 * array.dtype.itemsize
    lines = filter_up(array)
    packed = zlib.compress(lines.data, 0) if compression == "none" else _packed(lines)
    return grey_png(rows, cols, depth, packed)


def decode_grey(data: bytes, rows: int, cols: int, depth: int) -> tuple[NDArray[Any], Part] | None:
    """Decode a grey PNG, whose chunks' checksums hold, of ``depth`` bits a pixel.

    Returns the pixels, (rows, cols) uint8 or uint16, and a part of them outside which all are 0.
    None for what a general library has to read or refuse: what is interlaced, damaged or in several
    IDATs, and what has 2 or 4 bits, or 16 bits and other filters than `Up`.
    """
    lines = _lines(data, rows, (cols * depth + 7) // 8) if depth in (1, 8, 16) else None
    if lines is None:
        return None
    if depth == 16:
        deep = undo_up(lines)
        return None if deep is None else (deep.view(">u2").astype(np.uint16), WHOLE)
    found = undo_filters(lines)
    if found is None or depth == 8:
        return found
    return np.unpackbits(found[0], axis=1, count=cols), WHOLE


def _lines(data: bytes, rows: int, width: int) -> NDArray[np.uint8] | None:
    """The filtered rows, (rows, 1 + width), of a PNG of one IDAT."""
    size, length = rows * (width + 1), len(data) - _IDAT - _IEND
    if data[26:29] != b"\0\0\0" or data[33:41] != length.to_bytes(4) + b"IDAT":
        return None
    if min(size, _WINDOW) > 256 << (data[_IDAT] >> 4):
        return None  # ISA-L would let it pass if the stream refers further back than that
    unpacker = isal_zlib.decompressobj()
    try:
        stored = unpacker.decompress(memoryview(data)[_IDAT:-_IEND], size + 1)
    except (zlib.error, IsalError):  # type: ignore[misc]  # its stub says too little
        return None
    if len(stored) != size or not unpacker.eof:
        return None
    return np.frombuffer(stored, np.uint8).reshape(rows, width + 1)


def _packed(lines: NDArray[np.uint8]) -> bytes:
    """A zlib stream; the same lines give the same bytes.

    The first bytes go alone. Where a stream begins with more, ISA-L's levels 1 and 2 hash the
    address of their state in place of the data (`write_first_byte` in igzip_icf_body_h1_gr_bt.asm),
    so that one stream of some ten thousand comes out otherwise in another process.
    """
    data = lines.data.cast("B")
    packer = isal_zlib.compressobj(1)
    first = packer.compress(data[:_FIRST]) + packer.flush(zlib.Z_SYNC_FLUSH)
    return first + packer.compress(data[_FIRST:]) + packer.flush()
