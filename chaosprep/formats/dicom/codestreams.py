"""What compressed frames announce, read before a decoder allocates memory for it."""

import re
import struct
from itertools import pairwise

from chaosprep.formats.dicom.faults import broken

Size = tuple[int, int, int]

_SOC_SIZ = b"\xff\x4f\xff\x51"  # JPEG 2000: start of codestream, then image and tile size
_JP2 = b"\0\0\0\x0cjP  "
_SIZ = struct.Struct(">4xHHIIII16xH")  # ISO/IEC 15444-1 A.5.1
_SOF = struct.Struct(">xHHB")  # ISO/IEC 10918-1 B.2.2: precision, lines, samples, components
_NO_FRAME = (0xC4, 0xC8, 0xCC)  # DHT, JPG and DAC lie among the start-of-frame markers
_JPEG_LS = 0xF7
_SMALL = 2**20  # bytes of an RLE segment that cannot become more than 64 MiB


def image_sizes(frame: bytes) -> tuple[Size, ...]:
    """Give (rows, cols, components) of a JPEG, JPEG-LS, JPEG 2000 or HTJ2K frame.

    None where there is no header; several where a JP2 wrapper (which DICOM does not want, but
    some writers leave) may hold several codestreams.
    """
    if frame.startswith(b"\xff\xd8"):
        size = _jpeg(frame)
        return () if size is None else (size,)
    if not frame.startswith((_SOC_SIZ, _JP2)):
        return ()
    starts = [0]
    if frame.startswith(_JP2):
        starts = [found.start() for found in re.finditer(_SOC_SIZ, frame)]
    return tuple(_jpeg_2000(frame, at) for at in starts if at + _SIZ.size <= len(frame))


def check_rle(frame: bytes, pixels: int) -> None:
    """Check that no segment of an RLE frame is or grows far beyond its ``pixels`` (PS3.5 G.3).

    Raises `FileError` ``dicom-broken``.
    """
    if len(frame) <= _SMALL:
        return
    limit = 2 * pixels + 64  # two bytes for every pixel is the worst that a writer can do
    count = min(int.from_bytes(frame[:4], "little"), 15)
    offsets = [*struct.unpack_from(f"<{count}I", frame, 4), len(frame)]
    for start, end in pairwise(offsets):
        small = end - start <= _SMALL
        if not small and (end - start > limit or _rle_length(frame[start:end], limit) > limit):
            raise broken("its RLE data grow far beyond the image")


def _jpeg(frame: bytes) -> Size | None:
    """Walk the marker segments to the frame header (ISO/IEC 10918-1 B.1.1)."""
    at = 2
    while at + 11 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME) or marker == _JPEG_LS:
            rows, cols, components = _SOF.unpack_from(frame, at + 4)
            return rows, cols, components
        at += 1 if marker == 0xFF else 2 + int.from_bytes(frame[at + 2 : at + 4])
    return None


def _jpeg_2000(frame: bytes, at: int) -> Size:
    _, _, right, bottom, left, top, components = _SIZ.unpack_from(frame, at)
    return bottom - top, right - left, components


def _rle_length(segment: bytes, limit: int) -> int:
    """Count the bytes that a segment decodes to; stop above the limit."""
    total = at = 0
    while at < len(segment) and total <= limit:
        header = segment[at]
        if header < 128:
            total, at = total + header + 1, at + header + 2
        else:
            total, at = total + (257 - header) % 129, at + 1 + (header != 128)
    return total
