"""Plain slices without pydicom: one uncompressed grey frame, in little endian, nothing unusual.

They are most of all slices. What is read here is what `dicom` reads through pydicom, to the last
bit of header and pixels, but several times sooner. Everything else (also what may only be written
in an unusual way, or may have two meanings) gives None: pydicom settles it, or tells what is wrong.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import BROKEN, FileError
from chaosprep.formats.dicom.evidence import is_grid, read_image_type
from chaosprep.formats.dicom.headers import Pixels, read_frame, read_pixels
from chaosprep.formats.dicom.tags import ATTRIBUTES, PRIVATE, TAGS
from chaosprep.imaging.header import Header

_EXPLICIT = struct.Struct("<HH2sH").unpack_from  # PS3.5 7.1.2: group, element, VR, length
_IMPLICIT = struct.Struct("<HHI").unpack_from  # PS3.5 7.1.3
_UINT32 = struct.Struct("<I").unpack_from
# PS3.5 tables 7.1-1 and 7.1-2: VRs with a length of 32 bits, and of 16.
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_NAMES = {vr: vr.decode() for vr in _LONG | _SHORT}
# Of each tag that the toolkit reads: the VRs that it may have, as bytes and as text.
_KNOWN = dict.fromkeys(PRIVATE.values(), _NAMES) | {
    tag: {vr.encode(): vr for vr in vrs.split(" or ")} for tag, vrs in ATTRIBUTES.values()
}
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xE000FFFE, 0xE00DFFFE, 0xE0DDFFFE  # read as one uint32

_START = b"DICM\2\0\0\0UL\4\0"  # up to the value of FileMetaInformationGroupLength
_IS_IMPLICIT = {b"1.2.840.10008.1.2\0": True, b"1.2.840.10008.1.2.1\0": False}
# Compressed pixels: JPEG, JPEG-LS, JPEG 2000, HTJ2K and RLE; PS3.5 A.4: in explicit VR.
_COMPRESSED = {
    uid + b"\0" * (len(uid) % 2): False
    for uid in (
        b"1.2.840.10008.1.2.5",
        *(
            b"1.2.840.10008.1.2.4.%d" % last
            for last in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)
        ),
    )
}
_KNOWN_SYNTAXES = _IS_IMPLICIT | _COMPRESSED
_CHARACTER_SETS = (b"ISO_IR 6", b"ISO_IR 100", b"ISO_IR 192")
_PHOTOMETRIC = (b"MONOCHROME1 ", b"MONOCHROME2 ")
_PIXEL_DATA = b"\xe0\x7f\x10\0"
_PIXEL_GROUP, _PIXEL_TAG, _DELIMITERS = 0x7FE00000, 0x7FE00010, 0xFFFE0000

# Far below the number of elements at which `transfer.open_stream` ends the reading.
_MAX_HEADER = 2**17  # bytes before the pixels, and as many after them
_MAX_DEPTH = 8


class _NotPlainError(Exception):
    """There is something that pydicom is to look at."""


class _Element(msgspec.Struct, frozen=True, gc=False):
    VR: str | None
    value: bytes
    is_little_endian: bool = True


class _Elements(dict[int, _Element]):
    """The elements of a data set that the toolkit reads, by tag.

    `values.items` takes those of a sequence by keyword: a KeyError, so that none is ever plain.
    """

    get_item = dict.get


def read_plain(data: bytes, max_pixels: int) -> tuple[Header, NDArray[Any]] | None:
    """Read a slice as `dicom.read` does; None where the file is not plain, or not whole."""
    try:
        elements, at, implicit = _elements(data)
        header, pixels = _described(elements, max_pixels, with_evidence=False)
        return header, _stored(data, at, implicit, pixels)
    except (_NotPlainError, FileError, *BROKEN):
        return None


def read_plain_header(data: bytes, max_pixels: int) -> Header | None:
    """Read a header as `dicom.read_header` does; None where it is not plain."""
    try:
        elements, at, implicit = _elements(data)
        start, length = _pixel_data(data, at, implicit)
        if len(data) > start + length:
            _check_behind(data, start + length, implicit)
        return _described(elements, max_pixels, with_evidence=True)[0]
    except (_NotPlainError, FileError, *BROKEN):
        return None


def read_plain_start(data: bytes, max_pixels: int) -> Header | None:
    """Read a header as `dicom.read_header` does from the beginning of a file; None where it cannot.

    The pixels may be compressed. Nothing is said of them, nor of what is behind them.
    """
    try:
        elements, at, implicit = _elements(data, _KNOWN_SYNTAXES)
        if data[at : at + 12] != _PIXEL_DATA + b"OB\0\0\xff\xff\xff\xff":
            _pixel_data(data, at, implicit)
        return _described(elements, max_pixels, with_evidence=True)[0]
    except (_NotPlainError, FileError, *BROKEN):
        return None


def read_plain_texts(data: bytes, keywords: Sequence[str]) -> dict[str, bytes] | None:
    """Texts of the root as they are stored, by keyword; None where the file is not plain.

    ``data`` may be the beginning of a file up to its pixels, and ``keywords`` are of `TAGS`.
    """
    try:
        elements, at, _ = _elements(data, _KNOWN_SYNTAXES)
    except (_NotPlainError, *BROKEN):
        return None
    if data[at : at + 4] != _PIXEL_DATA:
        return None
    found = {keyword: elements.get(TAGS[keyword]) for keyword in keywords}
    return {keyword: element.value for keyword, element in found.items() if element is not None}


def has_plain_header(data: bytes) -> bool:
    """Whether these bytes reach from the beginning of a plain file up to its pixels."""
    try:
        elements, at, implicit = _elements(data)
        _pixel_data(data, at, implicit)
        return elements[TAGS["PhotometricInterpretation"]].value in _PHOTOMETRIC
    except (_NotPlainError, *BROKEN):
        return False


def _elements(
    data: bytes, syntaxes: Mapping[bytes, bool] = _IS_IMPLICIT
) -> tuple[_Elements, int, bool]:
    """Walk the header; also tell where the next element begins, and whether VRs are implicit.

    ``syntaxes`` are the transfer syntaxes that may be, and whether their VRs are implicit.
    """
    end = min(len(data), _MAX_HEADER)
    if data[128:140] != _START:
        raise _NotPlainError
    meta, elements = _Elements(), _Elements()
    at = _walk(data, 132, end, meta, above=0x00020000 - 1, below=0x00030000)
    if at != 144 + _UINT32(data, 140)[0]:
        raise _NotPlainError
    implicit = syntaxes.get(meta[TAGS["TransferSyntaxUID"]].value)
    # Letters where a VR would be: pydicom takes the explicit for what it is, whatever is declared.
    if implicit is None or (implicit and data[at + 4 : at + 6].isalpha()):
        raise _NotPlainError
    at = _walk(data, at, end, elements, above=0x00080000 - 1, below=_PIXEL_GROUP, implicit=implicit)
    character_set = elements.get(TAGS["SpecificCharacterSet"])
    if character_set is not None and character_set.value not in _CHARACTER_SETS:
        raise _NotPlainError
    return elements, at, implicit


def _walk(
    data: bytes,
    at: int,
    end: int,
    found: _Elements,
    *,
    above: int = -1,
    below: int = _DELIMITERS,
    implicit: bool = False,
    depth: int = 0,
) -> int:
    """Find elements up to ``end``, or to the first whose tag is not below ``below``.

    Tells where that is. All tags must rise from ``above``, and all values lie before ``end``.
    """
    while at < end:
        if implicit:
            group, number, length = _IMPLICIT(data, at)
        else:
            group, number, vr, length = _EXPLICIT(data, at)
        tag = group << 16 | number
        if not above < tag < below:
            if tag >= below:
                return at
            raise _NotPlainError
        above, at = tag, at + 8
        if not implicit and vr not in _SHORT:
            if vr not in _LONG:
                raise _NotPlainError
            (length,) = _UINT32(data, at)
            at += 4
            if length == _UNDEFINED and vr == b"SQ":
                at = _after_items(data, at, end, depth)
                length = 0
        start, at = at, at + length
        if at > end:
            raise _NotPlainError
        if (names := _KNOWN.get(tag)) is not None:
            # a KeyError for a VR that it may not have
            found[tag] = _Element(None if implicit else names[vr], data[start:at])
    return at


def _after_items(data: bytes, at: int, end: int, depth: int) -> int:
    """Tell where a sequence of undefined length ends, in explicit VR (PS3.5 7.5)."""
    nested = _Elements()
    if depth == _MAX_DEPTH:
        raise _NotPlainError
    while (mark := _UINT32(data, at)[0]) == _ITEM:
        (length,) = _UINT32(data, at + 4)
        at += 8
        if length != _UNDEFINED:
            stop = at + length
            if stop > end or _walk(data, at, stop, nested, depth=depth + 1) != stop:
                raise _NotPlainError
            at = stop
        else:
            at = _walk(data, at, end, nested, depth=depth + 1)
            if _UINT32(data, at)[0] != _ITEM_END or _UINT32(data, at + 4)[0]:
                raise _NotPlainError
            at += 8
    if mark != _SEQUENCE_END or _UINT32(data, at + 4)[0] or TAGS["SpecificCharacterSet"] in nested:
        raise _NotPlainError
    return at + 8


def _described(
    elements: _Elements, max_pixels: int, *, with_evidence: bool
) -> tuple[Header, Pixels]:
    """Read the header values, by the same code that reads those of pydicom's data sets."""
    frames = elements.get(TAGS["NumberOfFrames"])
    planes = elements.get(TAGS["PlanarConfiguration"])
    if (
        elements[TAGS["PhotometricInterpretation"]].value not in _PHOTOMETRIC
        or (frames is not None and frames.value != b"1 ")
        or (planes is not None and len(planes.value) != 2)
    ):
        raise _NotPlainError
    pixels = read_pixels(elements, "PixelData", max_pixels)
    if pixels.bits_allocated not in (8, 16) or pixels.high_bit != pixels.bits_stored - 1:
        raise _NotPlainError
    header = read_frame(elements, pixels, 0, with_evidence=with_evidence)
    if is_grid(elements, read_image_type((elements,))):
        raise _NotPlainError
    return header, pixels


def _pixel_data(data: bytes, at: int, implicit: bool) -> tuple[int, int]:
    """Read the head of the element with the pixels: where they begin, and how long they are."""
    if data[at : at + 4] != _PIXEL_DATA:
        raise _NotPlainError
    if implicit:
        return at + 8, _UINT32(data, at + 4)[0]
    if data[at + 4 : at + 8] not in (b"OW\0\0", b"OB\0\0"):
        raise _NotPlainError
    return at + 12, _UINT32(data, at + 8)[0]


def _check_behind(data: bytes, at: int, implicit: bool) -> None:
    """Check that elements behind the pixels, up to the end of the data, go on in order."""
    end = min(len(data), at + _MAX_HEADER)
    if _walk(data, at, end, _Elements(), above=_PIXEL_TAG, implicit=implicit) != len(data):
        raise _NotPlainError


def _stored(data: bytes, at: int, implicit: bool, pixels: Pixels) -> NDArray[Any]:
    """Copy the pixels; bits that are allocated and not stored are cleared, or become the sign."""
    start, length = _pixel_data(data, at, implicit)
    end, dtype = start + length, np.dtype(pixels.dtype)
    count = pixels.rows * pixels.cols
    needed = count * dtype.itemsize
    if length != needed + needed % 2:
        raise _NotPlainError
    _check_behind(data, end, implicit)
    stored = np.frombuffer(data, dtype.newbyteorder("<"), count, start)
    array = stored.reshape(pixels.rows, pixels.cols).astype(dtype)
    if unused := pixels.bits_allocated - pixels.bits_stored:
        np.left_shift(array, unused, out=array)
        np.right_shift(array, unused, out=array)
    return array
