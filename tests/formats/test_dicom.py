"""One DICOM slice from bytes."""

from contextlib import suppress
from dataclasses import astuple
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read, read_header
from chaosprep.formats.dicom.start import is_dicom
from chaosprep.imaging.voi import Voi, stored_window
from tests.formats.samples import PIXELS, REAL, dataset, dicom, encoded, with_text

WHOLE = dicom()
HEADER_ONLY = len(WHOLE) - PIXELS.nbytes


def code_of(data: bytes, *, header_only: bool = False) -> str:
    with pytest.raises(FileError) as caught:
        (read_header if header_only else read)(data)
    return caught.value.code


def test_dicom_is_known_by_its_magic() -> None:
    assert is_dicom(bytes(128) + b"DICM")
    assert is_dicom(WHOLE)
    assert not is_dicom(bytes(127) + b"DICM")
    assert not is_dicom(b"DICM")
    assert not is_dicom(b"")


def test_the_header_comes_in_dicoms_own_words() -> None:
    header = read_header(WHOLE)
    assert astuple(header) == (
        *(3, 4, "uint16", 16, "MONOCHROME2"),
        *((1.25, 1.5), (-10.0, -20.0, 5.5), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)),
        *(5.5, 5.0, 7, 1.0, 0.0),
        *((0.0, 199.0), None, 4.6, "MR"),
        *(1, 1, False, Voi(100.0, 200.0, "LINEAR"), None, None, ()),
        str(pydicom.dcmread(BytesIO(WHOLE)).SOPInstanceUID),
        header.evidence,
    )


def test_the_header_can_be_read_without_the_pixels() -> None:
    assert read_header(WHOLE[:HEADER_ONLY]) == read_header(WHOLE)
    assert read_header(WHOLE) == read(WHOLE)[0]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32"])
def test_pixels_are_the_stored_values(dtype: str) -> None:
    info = np.iinfo(dtype)
    pixels = np.array([[info.min, info.max, 0], [1, 2, info.max // 3]], dtype=dtype)
    header, found = read(dicom(pixels))
    assert header.dtype == found.dtype.name == dtype
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_uncompressed_transfer_syntax_gives_the_same_slice(syntax: pydicom.uid.UID) -> None:
    slice_ = dataset()
    if syntax == ExplicitVRBigEndian:
        slice_.PixelData = PIXELS.astype(">u2").tobytes()
        slice_["PixelData"].VR = "OW"
    data = encoded(slice_, syntax)
    header, pixels = read(data)
    assert header == read_header(data) == read_header(WHOLE)
    assert pixels.dtype.isnative
    np.testing.assert_array_equal(pixels, PIXELS)


def test_rle_needs_no_extra() -> None:
    slice_ = dataset()
    slice_.compress(RLELossless, PIXELS, generate_instance_uid=False)
    np.testing.assert_array_equal(read(encoded(slice_, RLELossless))[1], PIXELS)


def test_neither_rescale_nor_monochrome1_changes_the_pixels() -> None:
    changes: dict[str, Any] = {
        "PhotometricInterpretation": "MONOCHROME1",
        "RescaleSlope": 2,
        "RescaleIntercept": -1000,
    }
    header, pixels = read(dicom(**changes))
    np.testing.assert_array_equal(pixels, PIXELS)
    assert (header.rescale_slope, header.rescale_intercept) == (2.0, -1000.0)
    assert header.photometric_interpretation == "MONOCHROME1"


OPTIONAL = {
    "PixelSpacing": "pixel_spacing",
    "ImagePositionPatient": "image_position_patient",
    "ImageOrientationPatient": "image_orientation_patient",
    "SpacingBetweenSlices": "spacing_between_slices",
    "SliceThickness": "slice_thickness",
    "InstanceNumber": "instance_number",
    "WindowCenter": "window",
    "WindowWidth": "window",
    "EchoTime": "echo_time",
}


@pytest.mark.parametrize("keyword", OPTIONAL)
@pytest.mark.parametrize("value", [None, ""])
def test_absent_and_empty_values_are_missing(keyword: str, value: str | None) -> None:
    assert getattr(read_header(dicom(**{keyword: value})), OPTIONAL[keyword]) is None


@pytest.mark.parametrize("text", ["Doe^Jane", "1,5", "nan", "1e999"])
@pytest.mark.parametrize("keyword", ["SliceThickness", "WindowWidth", "EchoTime"])
def test_a_value_that_is_no_number_is_missing(keyword: str, text: str) -> None:
    assert getattr(read_header(with_text(keyword, text)), OPTIONAL[keyword]) is None


def test_pydicoms_warnings_which_quote_the_header_stay_inside(
    recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    mark = b"1.2.840.10008.1.2.1"
    odd = WHOLE.replace(mark, b"1.2.840.1*Jane^Doe*")
    with pytest.raises(FileError) as caught:
        read(odd)
    assert not recwarn.list
    assert not caplog.records
    assert "Doe" not in str(caught.value)


def test_an_incomplete_position_is_missing() -> None:
    header = read_header(with_text("ImagePositionPatient", "1\\2"))
    assert header.image_position_patient is None
    assert read_header(dicom(PixelSpacing=[0, 1])).pixel_spacing is None


def test_an_absent_rescale_is_the_identity() -> None:
    for changes in ({}, {"RescaleSlope": "", "RescaleIntercept": ""}, {"RescaleSlope": 0}):
        header = read_header(dicom(**changes))
        assert (header.rescale_slope, header.rescale_intercept) == (1.0, 0.0)


def test_the_first_of_several_windows_counts() -> None:
    # CHAOS CT: centre [50, 50], width [400, 400], intercept -1000.
    # 50 - 0.5 - 399/2 = -150 HU is stored as 850, 50 - 0.5 + 399/2 = 249 HU as 1249.
    data = dicom(
        WindowCenter=[50, 40], WindowWidth=[400, 80], RescaleSlope=1, RescaleIntercept=-1000
    )
    assert read_header(data).window == (850.0, 1249.0)


def test_a_window_is_undone_through_the_rescale() -> None:
    assert stored_window(100.5, 201.0, 2.0, 10.0) == (-5.0, 95.0)  # 0..200 in modality units
    assert stored_window(100.5, 201.0, -2.0, 0.0) == (-100.0, 0.0)  # a falling rescale


@pytest.mark.parametrize("width", [0, -5, 1, 0.5])
def test_a_width_without_grey_is_no_window(width: float) -> None:
    assert read_header(dicom(WindowWidth=width)).window is None


def test_anything_but_dicom_is_refused() -> None:
    assert code_of(b"") == code_of(b"\x89PNG" + bytes(200)) == "not-dicom"


@given(st.integers(132, len(WHOLE) - 1))
def test_a_file_cut_anywhere_is_refused(end: int) -> None:
    assert code_of(WHOLE[:end]) in {"dicom-truncated", "no-pixels", "dicom-broken"}
    if end > len(WHOLE) - PIXELS.nbytes:
        assert code_of(WHOLE[:end]) == "dicom-truncated"


def test_a_header_cut_inside_an_element_is_truncated() -> None:
    cut = WHOLE.index(b"MONOCHROME2") + 4
    assert code_of(WHOLE[:cut]) == code_of(WHOLE[:cut], header_only=True) == "dicom-truncated"


def test_a_compressed_file_cut_short_is_truncated() -> None:
    slice_ = dataset()
    slice_.compress(RLELossless, PIXELS, generate_instance_uid=False)
    assert code_of(encoded(slice_, RLELossless)[:-10]) == "dicom-truncated"


def test_a_file_without_pixels_is_named() -> None:
    for data in (dicom(PixelData=None), dicom(PixelData=None, Rows=None, Columns=None)):
        assert code_of(data) == code_of(data, header_only=True) == "no-pixels"


def test_colour_is_not_grey() -> None:
    rgb = dicom(SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
    palette = dicom(PhotometricInterpretation="PALETTE COLOR")
    for data in (rgb, palette):
        assert code_of(data) == code_of(data, header_only=True) == "not-grey"


def test_several_frames_are_not_one_slice() -> None:
    data = dicom(NumberOfFrames=3)
    assert code_of(data) == code_of(data, header_only=True) == "multi-frame"
    read(dicom(NumberOfFrames=1))


def test_a_burned_in_annotation_is_flagged() -> None:
    assert read_header(dicom(BurnedInAnnotation="YES")).burned_in_annotation
    assert not read_header(dicom(BurnedInAnnotation="NO")).burned_in_annotation
    assert not read_header(dicom()).burned_in_annotation


REQUIRED = [
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation"),
    *("SamplesPerPixel", "PhotometricInterpretation"),
]


@pytest.mark.parametrize("keyword", REQUIRED)
def test_a_missing_image_element_is_named(keyword: str) -> None:
    with pytest.raises(FileError, match=keyword) as caught:
        read_header(dicom(**{keyword: None}))
    assert caught.value.code == "dicom-broken"


@pytest.mark.parametrize("change", [{"Rows": 0}, {"BitsAllocated": 12}, {"PixelRepresentation": 9}])
def test_impossible_image_elements_are_refused(change: dict[str, Any]) -> None:
    assert code_of(dicom(**change)) == "dicom-broken"


def test_an_absurd_size_is_refused_before_it_is_decoded() -> None:
    assert code_of(dicom(Rows=65535, Columns=65535)) == "too-large"


@given(st.integers(132, HEADER_ONLY - 1), st.integers(0, 255))
def test_a_damaged_byte_gives_a_file_error_or_a_slice(at: int, value: int) -> None:
    data = WHOLE[:at] + bytes([value]) + WHOLE[at + 1 :]
    with suppress(FileError):
        header, pixels = read(data)
        assert pixels.shape == (header.rows, header.cols)


def test_a_sequence_before_the_pixels_does_no_harm() -> None:
    slice_ = dataset()
    slice_.ReferencedImageSequence = Sequence([dataset(PixelData=None)])
    slice_["ReferencedImageSequence"].is_undefined_length = True
    np.testing.assert_array_equal(read(encoded(slice_))[1], PIXELS)


@pytest.mark.skipif(not REAL.exists(), reason="no real data beside the checkout")
@pytest.mark.parametrize("folder", ["original", "derived"])
def test_real_files_read_as_pydicom_reads_them(folder: str) -> None:
    for path in sorted((REAL / folder).rglob("*.dcm"))[::40]:
        data = path.read_bytes()
        header, pixels = read(data)
        np.testing.assert_array_equal(pixels, pydicom.dcmread(BytesIO(data)).pixel_array)
        assert header == read_header(data)
