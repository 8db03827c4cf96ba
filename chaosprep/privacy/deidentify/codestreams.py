"""Compressed frames without what may be said beside their pixels.

A codestream has places for text that no decoder reads: comments, data of applications (EXIF, a
small picture, colour profiles), and whatever stands behind its end. They become zeros of the same
length there, so that no pixel, no offset and no other byte changes.
"""

import re
import struct
from collections.abc import Iterator

from chaosprep.formats.dicom.codestreams import starts_image
from chaosprep.formats.dicom.faults import broken
from chaosprep.privacy.deidentify.elements import Elements

_PIXEL_DATA = 0x7FE00010
_JPEG = "1.2.840.10008.1.2.4."
_RLE = "1.2.840.10008.1.2.5"
# JPEG, JPEG-LS, JPEG 2000, HTJ2K and RLE (PS3.5 8.2, annex A).
_NUMBERS = (*range(50, 67), 70, 80, 81, *range(90, 94), 201, 202, 203)
COMPRESSED = frozenset((*(f"{_JPEG}{number}" for number in _NUMBERS), _RLE))
"""Syntaxes of compressed pixels of which it is known what stands beside them."""

_HEAD = 8  # bytes of an item's tag and length (PS3.5 A.4)
_ITEM, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_SOI, _SOC, _END = b"\xff\xd8", b"\xff\x4f", b"\xff\xd9"
_COMMENT, _APPLICATIONS = 0xFE, range(0xE0, 0xF0)
_SCAN, _LS, _EMPTY = 0xDA, 0xF7, (0x01, *range(0xD0, 0xD8))
# What decoders do read of an application's data: how they begin, and as many bytes.
_KNOWN = {
    0xE0: ((b"JFIF\0", 14),),  # resolution; a small picture may follow
    # JPEG-LS: how colours were changed; SPIFF's header, and the end of its directory.
    0xE8: ((b"mrfx", 5), (b"SPIFF\0", 30), (b"\0\0\0\1\xff\xd8", 6)),
    0xEE: ((b"Adobe", 12),),  # JPEG: how colours were changed
}
# What coders call themselves by in each image that they make.
_CODER = re.compile(
    rb"(Created by (GDCM/)?OpenJPEG version|Creator: JasPer Version|Kakadu-v?|"
    rb"LEAD Technologies Inc\. V) ?[\d.]{1,9}\0?"
)
# Where the data of a scan end: at a marker that is no restart (ISO/IEC 10918-1 B.1.1.5, 14495-1).
_BEHIND_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xff]")
_BEHIND_LS = re.compile(rb"\xff[\x80-\xcf\xd8-\xff]")
_TILE, _TILE_DATA, _NOTE = 0x90, 0x93, 0x64  # SOT, SOD, COM (ISO/IEC 15444-1 A.2)
_BARE = (_TILE_DATA, *range(0x30, 0x40))
_BOXES = (b"jP  ", b"ftyp", b"rreq", b"jp2h")
_MARK = 20  # bytes: a UUID and four more
_NO_SENSE = "its compressed pixels cannot be understood"


def pixels_alone(elements: Elements, syntax: str) -> Elements:
    """A data set of which the compressed pixels say nothing else.

    Args:
        elements: a data set.
        syntax: its transfer syntax: one that does not compress pixels, or one of `COMPRESSED`.

    Raises:
        FileError: ``dicom-broken``, the codestreams cannot be made sense of.
    """
    element = elements.get(_PIXEL_DATA)
    if element is None or not (element.is_open or (syntax in COMPRESSED and element.value)):
        return elements
    value = _alone(bytearray(element.value), is_rle=syntax == _RLE)
    return elements | {_PIXEL_DATA: element._replace(value=value)}


def _alone(data: bytearray, *, is_rle: bool) -> bytes:
    (start, end), *fragments = _fragments(data)
    _check_table(bytes(data[start:end]), [at - end - _HEAD for at, _ in fragments])
    for frame in _frames(data, fragments):
        stream = bytearray().join(data[at:stop] for at, stop in frame)
        if is_rle and not _is_image(stream, 0):
            continue
        _blank(stream)
        for at, stop in frame:
            data[at:stop] = stream[: stop - at]
            del stream[: stop - at]
    return bytes(data)


def _fragments(data: bytearray) -> list[tuple[int, int]]:
    """From where to where each item goes; the offset table is the first."""
    at, found = 0, []
    while at + _HEAD <= len(data) and not data.startswith(_SEQUENCE_END, at):
        end = at + _HEAD + int.from_bytes(data[at + 4 : at + _HEAD], "little")
        if not data.startswith(_ITEM, at) or end > len(data):
            raise broken(_NO_SENSE)
        found.append((at + _HEAD, end))
        at = end
    if not found:
        raise broken(_NO_SENSE)
    return found


def _check_table(table: bytes, starts: list[int]) -> None:
    """Refuse an offset table of something else than of where fragments begin."""
    if len(table) % 4 or not {*struct.unpack(f"<{len(table) // 4}I", table)} <= {*starts}:
        raise broken("its Basic Offset Table points elsewhere than at the beginning of a fragment")


def _frames(data: bytearray, fragments: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """The fragments of each codestream."""
    frame: list[tuple[int, int]] = []
    for at, stop in fragments:
        if frame and _is_image(data, at):
            yield frame
            frame = []
        frame.append((at, stop))
    if frame:
        yield frame


def _is_image(data: bytearray, at: int) -> bool:
    return starts_image(bytes(data[at : at + _HEAD]))


def _blank(stream: bytearray) -> None:
    """Blank what a codestream, or several in a row, says beside its pixels."""
    at = 0
    while at == 0 or _is_image(stream, at):
        if stream.startswith(_SOI, at):
            at = _blank_jpeg(stream, at + 2)
        elif stream.startswith(_SOC, at):
            at = _blank_jpeg_2000(stream, at + 2)
        elif _is_image(stream, at):
            at = _blank_jp2(stream, at)
        else:
            raise broken(_NO_SENSE)
    if len(stream) - at > 1:  # a byte is padding
        _zero(stream, at, len(stream))


def _blank_jpeg(stream: bytearray, at: int) -> int:
    """Blank the segments of a JPEG or JPEG-LS image; tell where it ends (ISO/IEC 10918-1 B)."""
    behind = _BEHIND_SCAN
    while at < len(stream):
        if stream.startswith(_END, at):
            return at + 2
        marker, start, stop = _segment(stream, at, _EMPTY)
        if marker == _COMMENT:
            _blank_comment(stream, start, stop)
        elif marker in _APPLICATIONS:
            known = _KNOWN.get(marker, ())
            kept = sum(size for begin, size in known if stream.startswith(begin, start))
            _zero(stream, start + kept, stop)
        elif marker == _LS:
            behind = _BEHIND_LS
        elif marker == _SCAN:
            found = behind.search(stream, stop)
            stop = found.start() if found else len(stream)
        at = stop
    return at


def _blank_jpeg_2000(stream: bytearray, at: int) -> int:
    """Blank the comments of a JPEG 2000 image; tell where it ends (ISO/IEC 15444-1 A)."""
    tile_end = len(stream)
    while at < len(stream):
        if stream.startswith(_END, at):
            return at + 2
        marker, start, stop = _segment(stream, at, _BARE)
        if marker == _NOTE:
            _blank_comment(stream, start + 2, stop)  # behind what tells text from bytes
        elif marker == _TILE:
            length = int.from_bytes(stream[start + 2 : start + 6])
            last = stream.rfind(_END, stop)
            tile_end = at + length if length else last if last > 0 else len(stream)
        elif marker == _TILE_DATA:
            stop = max(stop, tile_end)
        at = stop
    return at


def _blank_jp2(stream: bytearray, at: int) -> int:
    """Blank the boxes of a JP2 file but for those that pixels are made of (ISO/IEC 15444-1 I)."""
    has_pixels = False
    while at + _HEAD <= len(stream):
        length, kind, start = int.from_bytes(stream[at : at + 4]), stream[at + 4 : at + 8], at + 8
        if length == 1:
            length, start = int.from_bytes(stream[start : start + 8]), at + 16
        stop = at + length if length else len(stream)
        if not start <= stop <= len(stream):
            break  # no box: what stands behind the last one
        if kind == b"jp2c" and stream.startswith(_SOC, start):
            start, has_pixels = _blank_jpeg_2000(stream, start + 2), True
        is_mark = kind == b"uuid" and stop - start <= _MARK
        if kind not in _BOXES and not is_mark:
            _zero(stream, start, stop)
        at = stop
    if not has_pixels:
        raise broken(_NO_SENSE)
    return at


def _segment(stream: bytearray, at: int, alone: tuple[int, ...]) -> tuple[int, int, int]:
    """The marker here, and from where to where its data go; those ``alone`` have none.

    Raises `FileError` ``dicom-broken``.
    """
    while stream.startswith(b"\xff\xff", at):
        at += 1
    if at + 2 > len(stream) or stream[at] != 0xFF:
        raise broken(_NO_SENSE)
    marker, start = stream[at + 1], at + 4
    if marker in alone:
        return marker, at + 2, at + 2
    stop = at + 2 + int.from_bytes(stream[at + 2 : start])
    if not start <= stop <= len(stream):
        raise broken(_NO_SENSE)
    return marker, start, stop


def _blank_comment(stream: bytearray, start: int, stop: int) -> None:
    if not _CODER.fullmatch(stream, start, stop):
        _zero(stream, start, stop)


def _zero(stream: bytearray, start: int, stop: int) -> None:
    if start < stop:
        stream[start:stop] = bytes(stop - start)
