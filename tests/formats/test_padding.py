"""Which stored values are padding, as headers say it, soundly or not."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from chaosprep.formats.dicom.padding import UNUSABLE
from chaosprep.formats.dicom.plain import read_plain
from chaosprep.formats.dicom.reading import read_header, read_headers
from tests.formats.differential import agrees
from tests.formats.samples import PIXELS, dataset, encoded, item

VALUE, LIMIT = 0x00280120, 0x00280121
INT16 = np.array([[-2000, 7], [100, -1990]], np.int16)


def file(
    pixels: NDArray[Any], *elements: tuple[int, str, Any], syntax: UID = ExplicitVRLittleEndian
) -> bytes:
    slice_ = dataset(pixels)
    for tag, vr, value in elements:
        slice_.add_new(tag, vr, value)
    return encoded(slice_, syntax)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    ("pixels", "elements", "expected"),
    [
        (INT16, [(VALUE, "SS", -2000)], (-2000, -2000)),
        (INT16, [(VALUE, "US", 63536)], (-2000, -2000)),
        (INT16, [(VALUE, "SS", -2000), (LIMIT, "SS", -1990)], (-2000, -1990)),
        (INT16, [(VALUE, "US", 63546), (LIMIT, "US", 63536)], (-2000, -1990)),
        (PIXELS, [(VALUE, "US", 65535)], (65535, 65535)),
        (PIXELS, [(VALUE, "SS", -1)], (65535, 65535)),
        (PIXELS, [(VALUE, "US", 0)], (0, 0)),
        (PIXELS, [(LIMIT, "US", 5)], None),
        (PIXELS, [(VALUE, "US", None)], None),
        (PIXELS, [], None),
    ],
)
def test_padding_is_the_range_between_value_and_limit(
    syntax: UID, pixels: NDArray[Any], elements: list[Any], expected: tuple[float, float] | None
) -> None:
    data = file(pixels, *elements, syntax=syntax)
    header = read_header(data)
    assert (header.padding, header.notes) == (expected, ())
    assert agrees(data)
    assert read_plain(data, 2**20) is not None


@pytest.mark.parametrize(
    ("changes", "elements"),
    [
        ({"BitsStored": 12, "HighBit": 11}, [(VALUE, "US", 63536)]),
        ({"BitsStored": 12, "HighBit": 11}, [(VALUE, "SS", -2000)]),
        ({}, [(VALUE, "US", [0, 1])]),
        ({}, [(VALUE, "UL", 5)]),
    ],
)
def test_padding_that_no_pixel_can_have_is_left_out_and_said(
    changes: dict[str, Any], elements: list[Any]
) -> None:
    slice_ = dataset(PIXELS % 4096, **changes)
    for tag, vr, value in elements:
        slice_.add_new(tag, vr, value)
    header = read_header(encoded(slice_))
    assert (header.padding, header.notes) == (None, (UNUSABLE,))


def test_a_range_ends_where_the_stored_bits_end() -> None:
    slice_ = dataset(PIXELS % 4096, BitsStored=12, HighBit=11)
    slice_.add_new(VALUE, "US", 4000)
    slice_.add_new(LIMIT, "US", 65535)
    assert read_header(encoded(slice_)).padding == (4000, 4095)


def test_big_endian_says_the_same() -> None:
    slice_ = dataset(INT16)
    slice_.add_new(VALUE, "SS", -2000)
    slice_.PixelData = INT16.astype(">i2").tobytes()
    slice_["PixelData"].VR = "OW"
    assert read_header(encoded(slice_, ExplicitVRBigEndian)).padding == (-2000, -2000)


@pytest.mark.parametrize(
    ("keyword", "dtype", "expected"),
    [
        ("FloatPixelPaddingValue", "f4", (-1.5, -1.5)),
        ("DoubleFloatPixelPaddingValue", "f8", (-1.5, -1.5)),
        ("PixelPaddingValue", "f4", None),
    ],
)
def test_float_pixels_have_padding_of_their_own(
    keyword: str, dtype: str, expected: tuple[float, float] | None
) -> None:
    pixels = np.array([[-1.5, 2.0]], dtype)
    prefix = "" if dtype == "f4" else "Double"
    changes = {f"{prefix}FloatPixelData": pixels.tobytes(), "PixelData": None, "BitsStored": None}
    value = 1 if keyword == "PixelPaddingValue" else -1.5
    slice_ = dataset(pixels, **changes, **{keyword: value})
    if keyword == "PixelPaddingValue":
        slice_[keyword].VR = "US"
    assert read_header(encoded(slice_)).padding == expected


def test_all_frames_share_what_the_root_says() -> None:
    slice_ = dataset(np.stack([INT16, INT16]), NumberOfFrames=2, Rows=2, Columns=2)
    slice_.add_new(VALUE, "SS", -2000)
    assert [header.padding for header in read_headers(encoded(slice_))] == [(-2000, -2000)] * 2


def test_all_frames_share_what_a_converted_file_kept_in_its_shared_groups() -> None:
    kept = Dataset()
    kept.add_new(VALUE, "SS", -2000)
    groups = item(UnassignedSharedConvertedAttributesSequence=[kept])
    slice_ = dataset(
        np.stack([INT16, INT16]),
        **{"NumberOfFrames": 2, "Rows": 2, "Columns": 2},
        SharedFunctionalGroupsSequence=groups,
    )
    assert [header.padding for header in read_headers(encoded(slice_))] == [(-2000, -2000)] * 2


def test_an_incomplete_modality_lut_is_said() -> None:
    slice_ = dataset(PIXELS, ModalityLUTSequence=item(LUTExplanation="none"))
    header = read_header(encoded(slice_))
    assert header.modality_lut is None
    assert header.notes == ("its Modality LUT is incomplete, and is left out",)
