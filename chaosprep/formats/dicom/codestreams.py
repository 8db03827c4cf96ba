"""What compressed frames announce, read before a decoder allocates memory for it."""

import re
import struct
from itertools import pairwise
from typing import NamedTuple

from chaosprep.formats.dicom.faults import broken


class Announced(NamedTuple):
    """What a codestream says of its image; JPEG and JPEG-LS know no signed samples."""

    rows: int
    cols: int
    samples: int
    bits: int
    signed: bool = False


_SOI = b"\xff\xd8"
_SOC_SIZ = b"\xff\x4f\xff\x51"  # JPEG 2000: start of codestream, then image and tile size
_JP2 = b"\0\0\0\x0cjP  "
_SIZ = struct.Struct(">4xHHIIII16xHB")  # ISO/IEC 15444-1 A.5.1, up to the first Ssiz
_SOF = struct.Struct(">BHHB")  # ISO/IEC 10918-1 B.2.2: precision, lines, samples, components
_NO_FRAME = (0xC4, 0xC8, 0xCC)  # DHT, JPG and DAC lie among the start-of-frame markers
_JPEG_LS = 0xF7
_SMALL = 2**20  # bytes of an RLE segment that cannot become more than 64 MiB


def starts_image(fragment: bytes) -> bool:
    """Whether a JPEG, JPEG-LS, JPEG 2000 or HTJ2K image begins here."""
    return fragment.startswith((_SOI, _SOC_SIZ, _JP2))


def announced(frame: bytes) -> tuple[Announced, ...]:
    """Give what a JPEG, JPEG-LS, JPEG 2000 or HTJ2K frame says of its image.

    None where there is no header; several where a JP2 wrapper (which DICOM does not want, but
    some writers leave) may hold several codestreams.
    """
    if frame.startswith(_SOI):
        found = _jpeg(frame)
        return () if found is None else (found,)
    if not frame.startswith((_SOC_SIZ, _JP2)):
        return ()
    starts = [0]
    if frame.startswith(_JP2):
        starts = [one.start() for one in re.finditer(_SOC_SIZ, frame)]
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


def _jpeg(frame: bytes) -> Announced | None:
    """Walk the marker segments to the frame header (ISO/IEC 10918-1 B.1.1)."""
    at = 2
    while at + 11 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME) or marker == _JPEG_LS:
            bits, rows, cols, components = _SOF.unpack_from(frame, at + 4)
            return Announced(rows, cols, components, bits)
        at += 1 if marker == 0xFF else 2 + int.from_bytes(frame[at + 2 : at + 4])
    return None


def _jpeg_2000(frame: bytes, at: int) -> Announced:
    _, _, right, bottom, left, top, components, depth = _SIZ.unpack_from(frame, at)
    return Announced(bottom - top, right - left, components, (depth & 0x7F) + 1, depth > 0x7F)


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
