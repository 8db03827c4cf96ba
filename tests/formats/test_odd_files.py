"""Odd and malformed files, one by one: the pixels that come out, or the exact message."""

import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read, read_header
from tests.formats.samples import PIXELS, dicom, encapsulated, with_text
from tests.formats.test_roundtrip import floats, written
from tests.formats.test_transfer import rle

WHOLE = dicom()
META_END = 144 + int.from_bytes(WHOLE[140:144], "little")
BODY = WHOLE[META_END:]
PIXELS_AT = len(WHOLE) - PIXELS.nbytes
EXPLICIT, IMPLICIT = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0"

NOT_DICOM = "not-dicom", "not a DICOM file"
CUT = "dicom-truncated", "the file ends in the middle of the header"
NO_PIXELS = "no-pixels", "the file holds no pixel data"


def broken(reason: str) -> tuple[str, str]:
    return "dicom-broken", reason


def missing(keyword: str) -> tuple[str, str]:
    return broken(f"the header has no usable {keyword}")


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """Make a short explicit little endian element."""
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def replaced(old: bytes, new: bytes, data: bytes = WHOLE) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


def picture(kind: str, mode: str = "L") -> bytes:
    stream = BytesIO()
    Image.new(mode, (4, 3)).save(stream, kind)
    return stream.getvalue()


def archive() -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("slice.dcm", WHOLE)
    return stream.getvalue()


def rows(vr: bytes, value: bytes) -> bytes:
    return replaced(element(0x28, 0x10, b"US", b"\3\0"), element(0x28, 0x10, vr, value))


def with_length(length: int, tail: bytes = b"") -> bytes:
    """Forge the length of the pixel data."""
    head = replaced(
        b"OW\0\0" + struct.pack("<I", PIXELS.nbytes), b"OW\0\0" + struct.pack("<I", length)
    )
    return head + tail


def high_bit(bits: int, high: int, pixels: NDArray[Any]) -> bytes:
    return dicom(pixels, BitsStored=bits, HighBit=high)


LOW = PIXELS % 4096
NEGATIVE = np.array([[-2048, -1, 0, 2047]], np.int16)
UNPADDED = NEGATIVE & 0x0FFF  # 12-bit values whose sign was not extended

REFUSED: dict[str, tuple[bytes, tuple[str, str]]] = {
    "an empty file": (b"", NOT_DICOM),
    "a text file": (b"This is no image.\n" * 50, NOT_DICOM),
    "an HTML page": (b"<!DOCTYPE html><html><body>404</body></html>" * 9, NOT_DICOM),
    "a PNG": (picture("PNG"), NOT_DICOM),
    "a JPEG": (picture("JPEG"), NOT_DICOM),
    "a zip archive": (archive(), NOT_DICOM),
    "no preamble": (WHOLE[132:], NOT_DICOM),
    "no preamble and no file meta information": (BODY, NOT_DICOM),
    "the preamble alone": (WHOLE[:132], CUT),
    "the file meta information alone": (WHOLE[:META_END], CUT),
    "a header cut after an element": (WHOLE[: PIXELS_AT - 12], NO_PIXELS),
    "a header cut in an element": (WHOLE[: WHOLE.index(b"MONOCHROME2") + 4], CUT),
    "pixel data cut short": (
        WHOLE[:-5],
        ("dicom-truncated", "the pixel data are cut short: 19 of 24 bytes"),
    ),
    "pixel data cut to nothing": (WHOLE[:PIXELS_AT], ("no-pixels", "the pixel data are empty")),
    "empty pixel data": (dicom(PixelData=b""), ("no-pixels", "the pixel data are empty")),
    "no pixel data": (dicom(PixelData=None), NO_PIXELS),
    "a length far beyond the file": (
        with_length(0x7FFFFFFF)[:-1],
        ("dicom-truncated", "the pixel data are cut short: 23 of 24 bytes"),
    ),
    "undefined length without delimiter": (with_length(0xFFFFFFFF), CUT),
    "undefined length, uncompressed": (
        with_length(0xFFFFFFFF, b"\xfe\xff\xdd\xe0\0\0\0\0"),
        broken("the pixel data are compressed, the transfer syntax is not"),
    ),
    "no Rows": (dicom(Rows=None), missing("Rows")),
    "no Columns": (dicom(Columns=None), missing("Columns")),
    "no BitsAllocated": (dicom(BitsAllocated=None), missing("BitsAllocated")),
    "no BitsStored": (dicom(BitsStored=None), missing("BitsStored")),
    "no PixelRepresentation": (dicom(PixelRepresentation=None), missing("PixelRepresentation")),
    "no SamplesPerPixel": (dicom(SamplesPerPixel=None), missing("SamplesPerPixel")),
    "no PhotometricInterpretation": (
        dicom(PhotometricInterpretation=None),
        missing("PhotometricInterpretation"),
    ),
    "no transfer syntax": (
        replaced(EXPLICIT, b"\0" * len(EXPLICIT)),
        broken("the header names no transfer syntax"),
    ),
    "a group length of three bytes": (
        replaced(WHOLE[132:144], element(2, 0, b"UL", b"\0\0\0")),
        broken("pydicom cannot make sense of the file"),
    ),
    "zero rows": (dicom(Rows=0), broken("the image has no rows or no columns")),
    "zero columns": (dicom(Columns=0), broken("the image has no rows or no columns")),
    "65535 x 65535": (
        dicom(Rows=65535, Columns=65535),
        ("too-large", "65535 x 65535 pixels are above the limit of 64 Mpx"),
    ),
    "ten million frames": (
        dicom(NumberOfFrames=10**7),
        ("too-large", "10000000 frames of 3 x 4 pixels are above the limit of 64 Mpx"),
    ),
    "a million frames of one pixel": (
        dicom(Rows=1, Columns=1, NumberOfFrames=10**6),
        ("too-large", "it announces 1000000 frames, above the limit of 16384"),
    ),
    "Rows as text": (rows(b"IS", b"3 "), missing("Rows")),
    "Rows as a long": (rows(b"UL", b"\3\0\0\0"), missing("Rows")),
    "two values for Rows": (rows(b"US", b"\3\0\3\0"), missing("Rows")),
    "BitsAllocated 12": (
        dicom(BitsAllocated=12, BitsStored=12, HighBit=11),
        broken("pixels of 12 bits allocated are not supported: only 8, 16, 32, or 1 unsigned"),
    ),
    "BitsAllocated 64": (
        dicom(BitsAllocated=64),
        broken("pixels of 64 bits allocated are not supported: only 8, 16, 32, or 1 unsigned"),
    ),
    "BitsAllocated 0": (
        dicom(BitsAllocated=0),
        broken("pixels of 0 bits allocated are not supported: only 8, 16, 32, or 1 unsigned"),
    ),
    "signed single bits": (
        dicom(BitsAllocated=1, BitsStored=1, PixelRepresentation=1),
        broken("pixels of 1 bits allocated are not supported: only 8, 16, 32, or 1 unsigned"),
    ),
    "PixelRepresentation 2": (
        dicom(PixelRepresentation=2),
        broken("pixels of PixelRepresentation 2 are not supported: only 8, 16, 32, or 1 unsigned"),
    ),
    "BitsStored 0": (dicom(BitsStored=0), broken("BitsStored is 0, of 16 bits allocated")),
    "BitsStored 17": (dicom(BitsStored=17), broken("BitsStored is 17, of 16 bits allocated")),
    "HighBit 15 of 12 bits, high bits in use": (
        high_bit(12, 15, PIXELS),
        broken("HighBit is 15, BitsStored 12, and the bits above are in use"),
    ),
    "float pixels of 16 bits": (
        dicom(PixelData=None, FloatPixelData=bytes(48)),
        broken("BitsAllocated is 16, but FloatPixelData has 32"),
    ),
    "NaN": (
        floats(np.array([[1, np.nan]], np.float32)),
        ("not-finite", "its float pixels hold NaN or infinity"),
    ),
    "both integer and float pixels": (
        dicom(FloatPixelData=bytes(48)),
        broken("it has both integer and float pixels"),
    ),
    "data for two frames": (
        dicom(PixelData=PIXELS.tobytes() * 2),
        broken("the pixel data hold 2 frames, the header announces 1"),
    ),
    "three frames": (
        dicom(np.tile(PIXELS, (3, 1)), Rows=3, NumberOfFrames=3),
        ("multi-frame", "3 frames in one file, where one slice is expected"),
    ),
    "NumberOfFrames as text": (with_text("NumberOfFrames", "1A"), missing("NumberOfFrames")),
    "NumberOfFrames below 0": (with_text("NumberOfFrames", "-1"), missing("NumberOfFrames")),
    "RGB": (
        dicom(SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0),
        ("not-grey", "the pixels are RGB, not grey"),
    ),
    "YBR": (
        dicom(SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL_422"),
        ("not-grey", "the pixels are YBR_FULL_422, not grey"),
    ),
    "a palette": (
        dicom(PhotometricInterpretation="PALETTE COLOR"),
        ("not-grey", "the pixels are PALETTE COLOR, not grey"),
    ),
    "grey of three samples": (
        dicom(SamplesPerPixel=3),
        ("not-grey", "the pixels are of 3 samples each, not grey"),
    ),
    "an unknown photometric interpretation": (
        dicom(PhotometricInterpretation="DOE_JANE"),
        ("not-grey", "the pixels are of an unknown PhotometricInterpretation, not grey"),
    ),
    "uncompressed data under a compressed syntax": (
        replaced(EXPLICIT, b"1.2.840.10008.1.2.5\0"),
        broken("the compressed pixel data are not a sequence of fragments"),
    ),
    "damaged RLE": (
        encapsulated([rle(PIXELS)[:70]], RLELossless),
        broken("the pixel data cannot be decoded"),
    ),
    "sequences in sequences": (
        WHOLE[:META_END]
        + (
            struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
            + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        )
        * 5000
        + BODY,
        broken("its sequences are nested too deeply"),
    ),
}
READ: dict[str, tuple[bytes, NDArray[Any]]] = {
    "implicit declared, explicit written": (replaced(EXPLICIT, IMPLICIT), PIXELS),
    "a length far beyond the file, all pixels there": (with_length(0x7FFFFFFF), PIXELS),
    "bytes after the pixels": (WHOLE + b"\xfc\xff\xfc\xffOB\0\0\4\0\0\0\0\0\0\0", PIXELS),
    "a padded frame": (dicom(PixelData=PIXELS.tobytes() + bytes(10)), PIXELS),
    "an odd number of bytes": (
        dicom(np.array([[1, 2, 3]], np.uint8), PixelData=b"\1\2\3\0"),
        np.array([[1, 2, 3]], np.uint8),
    ),
    "no HighBit": (dicom(HighBit=None), PIXELS),
    "HighBit 15 of 12 bits, high bits clear": (high_bit(12, 15, LOW), LOW),
    "HighBit 11 of 16 bits": (high_bit(16, 11, PIXELS), PIXELS),
    "dirty high bits": (
        written(LOW[np.newaxis], ImplicitVRLittleEndian, 0xA000, BitsStored=12, HighBit=11),
        LOW,
    ),
    "dirty high bits, big endian": (
        written(LOW[np.newaxis], ExplicitVRBigEndian, 0xFFFF, BitsStored=12, HighBit=11),
        LOW,
    ),
    "12 bits, signed": (high_bit(12, 11, NEGATIVE), NEGATIVE),
    "12 bits, sign not extended": (high_bit(12, 11, UNPADDED), NEGATIVE),
    "12 bits, sign not extended, HighBit 15": (high_bit(12, 15, UNPADDED), NEGATIVE),
    "BitsAllocated 32": (dicom(PIXELS.astype(np.uint32) * 65537), PIXELS.astype(np.uint32) * 65537),
    "an empty private element before the pixels": (
        WHOLE[: PIXELS_AT - 12] + element(0x29, 0x1010, b"LO", b"") + WHOLE[PIXELS_AT - 12 :],
        PIXELS,
    ),
    "an unknown VR": (replaced(b"\x18\0\x81\0DS", b"\x18\0\x81\0ZZ"), PIXELS),
    "no SOPInstanceUID": (replaced(BODY[: BODY.index(b"\x08\0\x60\0")], b""), PIXELS),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_one_exact_message(name: str) -> None:
    data, expected = REFUSED[name]
    with pytest.raises(FileError) as caught:
        read(data)
    assert (caught.value.code, caught.value.reason) == expected
    assert caught.value.remedy.endswith(".")


@pytest.mark.parametrize("name", READ)
def test_it_is_read_all_the_same(name: str) -> None:
    data, expected = READ[name]
    header, pixels = read(data)
    np.testing.assert_array_equal(pixels, expected)
    assert pixels.dtype == expected.dtype
    assert read_header(data) == header


Check = Callable[[Any], bool]
SETTLED: dict[str, tuple[bytes, Check]] = {
    "slope 0": (
        dicom(RescaleSlope=0),
        lambda h: h.rescale_slope == 1 and h.notes == ("a RescaleSlope of 0 counts as 1",),
    ),
    "an empty slope": (dicom(RescaleSlope=""), lambda h: (h.rescale_slope, h.notes) == (1, ())),
    "a slope of text": (
        with_text("RescaleSlope", "one"),
        lambda h: (
            h.rescale_slope == 1
            and h.notes == ("its RescaleSlope is not a number, and is left out",)
        ),
    ),
    "a slope without end": (
        with_text("RescaleSlope", "1e999"),
        lambda h: (
            h.rescale_slope == 1
            and h.notes == ("its RescaleSlope is not a number, and is left out",)
        ),
    ),
    "an intercept of text": (
        with_text("RescaleIntercept", "-1O24"),
        lambda h: (
            h.rescale_intercept == 0
            and h.notes == ("its RescaleIntercept is not a number, and is left out",)
        ),
    ),
    "window 0": (dicom(WindowWidth=0), lambda h: h.window is None),
    "a window below 0": (dicom(WindowWidth=-5), lambda h: h.window is None),
    "a window of text": (with_text("WindowWidth", "wide"), lambda h: h.window is None),
    "an empty window": (dicom(WindowWidth="", WindowCenter=""), lambda h: h.window is None),
    "a centre without width": (dicom(WindowWidth=None), lambda h: h.window is None),
    "two windows": (
        dicom(WindowCenter=[100, 5], WindowWidth=[200, 6]),
        lambda h: h.window == (0, 199),
    ),
    "two windows, one of text": (with_text("WindowWidth", "200\\wide"), lambda h: h.window is None),
    "an unknown VOI function": (
        dicom(VOILUTFunction="MAGIC"),
        lambda h: h.window == (0, 199),
    ),
    "no position": (
        dicom(ImagePositionPatient=None),
        lambda h: h.image_position_patient is None,
    ),
    "a position of two": (
        with_text("ImagePositionPatient", "1\\2"),
        lambda h: h.image_position_patient is None,
    ),
    "a spacing of 0": (dicom(PixelSpacing=[0, 1]), lambda h: h.pixel_spacing is None),
    "HighBit 15 of 12 bits": (
        high_bit(12, 15, LOW),
        lambda h: h.notes == ("HighBit is 15, not 11: the low 12 bits are taken",),
    ),
}


@pytest.mark.parametrize("name", SETTLED)
def test_it_is_settled_in_the_header(name: str) -> None:
    data, holds = SETTLED[name]
    assert holds(read_header(data))
    read(data)


def test_no_message_quotes_the_header() -> None:
    for data, _ in REFUSED.values():
        with pytest.raises(FileError) as caught:
            read(data)
        assert "doe" not in str(caught.value).casefold()
