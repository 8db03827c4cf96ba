"""Elements behind the pixels, or there twice: a header and its pixels never differ on them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read, read_frames, read_header, read_headers
from tests.formats.samples import PIXELS, dataset, encapsulated, encoded, item
from tests.formats.test_roundtrip import written
from tests.formats.test_transfer import rle

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless]
READERS: list[Callable[[bytes], object]] = [read_header, read_headers, read, read_frames]


def sound(syntax: UID) -> bytes:
    if syntax == RLELossless:
        return encapsulated([rle(PIXELS)], RLELossless)
    if syntax == ExplicitVRBigEndian:
        return written(PIXELS[np.newaxis], syntax)
    return encoded(dataset(), syntax)


def elements(syntax: UID, **values: object) -> bytes:
    """Elements as they stand in a file of that transfer syntax."""
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = syntax.is_implicit_VR, syntax.is_little_endian
    write_dataset(stream, made)
    return stream.getvalue()


BEHIND: dict[str, Any] = {
    "WindowCenter": 7,
    "RescaleSlope": "2",
    "PixelSpacing": [2, 2],
    "ImagePositionPatient": [0, 0, 0],
    "PixelPaddingValue": 0,
    "BitsStored": 12,
    "PerFrameFunctionalGroupsSequence": item(),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("keyword", BEHIND)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_what_stands_behind_the_pixels_is_refused_by_every_reader(
    syntax: UID, keyword: str, reader: Callable[[bytes], object]
) -> None:
    behind = elements(syntax, **{keyword: BEHIND[keyword]})
    with pytest.raises(FileError) as caught:
        reader(sound(syntax) + behind)
    assert caught.value.code == "dicom-broken"
    assert keyword in caught.value.reason


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_an_element_that_is_there_twice_is_refused_by_every_reader(
    syntax: UID, reader: Callable[[bytes], object]
) -> None:
    data = sound(syntax)
    rows = elements(syntax, Rows=3)
    at = data.index(rows)
    with pytest.raises(FileError, match="its header has Rows more than once"):
        reader(data[:at] + rows + data[at:])


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_pixels_that_are_there_twice_are_refused_by_every_reader(
    syntax: UID, reader: Callable[[bytes], object]
) -> None:
    data = sound(syntax)
    at = data.index(b"\x7f\xe0\0\x10" if syntax == ExplicitVRBigEndian else b"\xe0\x7f\x10\0")
    with pytest.raises(FileError, match="its header has PixelData more than once"):
        reader(data + data[at:])


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("syntax", SYNTAXES[:3])
def test_float_pixels_beside_others_are_refused_by_every_reader(
    syntax: UID, reader: Callable[[bytes], object]
) -> None:
    with pytest.raises(FileError, match="it has both integer and float pixels"):
        reader(sound(syntax) + elements(syntax, FloatPixelData=bytes(48)))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_padding_and_private_elements_behind_the_pixels_do_no_harm(syntax: UID) -> None:
    made = Dataset()
    made.add_new(0x7FE10010, "LO", "A MAKER")
    made.add_new(0xFFFCFFFC, "OB", bytes(64))
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = syntax.is_implicit_VR, syntax.is_little_endian
    write_dataset(stream, made)
    data = sound(syntax) + stream.getvalue()
    assert read(data)[0] == read_header(data) == read_header(sound(syntax))
    np.testing.assert_array_equal(read(data)[1], PIXELS)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_elements_out_of_order_before_the_pixels_are_read_alike(syntax: UID) -> None:
    data = sound(syntax)
    rows = elements(syntax, Rows=3)
    at = data.index(elements(syntax, SamplesPerPixel=1))
    moved = data.replace(rows, b"")
    moved = moved[:at] + rows + moved[at:]
    assert dcmread_rows(moved) == 3
    assert read(moved)[0] == read_header(moved) == read_header(data)
    np.testing.assert_array_equal(read(moved)[1], PIXELS)


def dcmread_rows(data: bytes) -> int:
    from io import BytesIO

    return int(dcmread(BytesIO(data)).Rows)
