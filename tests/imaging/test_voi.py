"""What the header asks an image to be shown like."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from chaosprep.formats.dicom.reading import read
from chaosprep.imaging.display import windowed
from chaosprep.imaging.voi import make_voi, stored_window
from chaosprep.imaging.windows import apply_window
from tests.formats.samples import dataset, dicom, encoded, header, item, lut

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
SIGNED = RAMP.astype(np.int16) - 2048
CURVE = [int(65535 * (index / 255) ** 2) for index in range(256)]


def shown(data: bytes) -> NDArray[np.uint8]:
    found = windowed(*read(data))
    assert found is not None
    return found


def pydicom_shows(data: bytes, low: float, high: float) -> NDArray[np.float64]:
    """Give pydicom's result, whose range is low..high, as 0..255."""
    slice_ = dcmread(BytesIO(data))
    grey = apply_voi_lut(apply_modality_lut(slice_.pixel_array, slice_), slice_)
    return np.asarray((grey.astype(np.float64) - low) * 255 / (high - low))


def assert_rounded(found: NDArray[np.uint8], exact: NDArray[np.float64]) -> None:
    """Check for rounding to the nearest; next to a tie either neighbour may do."""
    assert np.abs(found - exact).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID", None])
@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (2, -1000), (-1, 4095)])
def test_windows_are_shown_as_pydicom_shows_them(
    function: str | None, slope: int, intercept: int
) -> None:
    data = dicom(
        RAMP,
        BitsStored=12,
        HighBit=11,
        WindowCenter=1200,
        WindowWidth=700,
        VOILUTFunction=function,
        RescaleSlope=slope,
        RescaleIntercept=intercept,
    )
    # pydicom gives a window the range that the stored values have after the rescale.
    assert_rounded(shown(data), pydicom_shows(data, intercept, 4095 * slope + intercept))


def test_a_falling_rescale_shows_low_values_bright() -> None:
    found = shown(
        dicom(RAMP, RescaleSlope=-1, RescaleIntercept=4095, WindowCenter=2048.5, WindowWidth=4096)
    )
    assert found[0, 0] == 255
    assert found[-1, -1] == 0


def test_a_plain_window_is_the_one_in_the_header() -> None:
    found, pixels = read(dicom(SIGNED, WindowCenter=40, WindowWidth=400))
    assert found.linear
    assert found.window is not None
    np.testing.assert_array_equal(
        shown(dicom(SIGNED, WindowCenter=40, WindowWidth=400)), apply_window(pixels, *found.window)
    )


def test_halves_are_rounded_to_even() -> None:
    pixels = np.array([[0, 1, 2, 3]], np.uint8)
    # LINEAR_EXACT from 0 to 510: 0, 0.5, 1, 1.5 of 255.
    data = dicom(pixels, WindowCenter=255, WindowWidth=510, VOILUTFunction="LINEAR_EXACT")
    np.testing.assert_array_equal(shown(data), [[0, 0, 1, 2]])


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian]
)
def test_luts_are_read_in_every_encoding(syntax: UID) -> None:
    slice_ = dataset(np.array([[0, 1, 2, 9]], np.uint8), VOILUTSequence=lut([0, 128, 255], bits=8))
    slice_["PixelData"].VR = "OB"
    data = encoded(slice_, syntax)
    np.testing.assert_array_equal(shown(data), [[0, 128, 255, 255]])


@pytest.mark.parametrize("pixels", [RAMP, SIGNED])
def test_a_voi_lut_is_shown_as_pydicom_shows_it(pixels: NDArray[np.integer]) -> None:
    data = dicom(pixels, VOILUTSequence=lut(CURVE, first=100))
    assert_rounded(shown(data), pydicom_shows(data, 0, 65535))


def test_a_voi_lut_comes_before_a_window() -> None:
    data = dicom(np.array([[0, 1]], np.uint8), VOILUTSequence=lut([255, 0], bits=8))
    np.testing.assert_array_equal(shown(data), [[255, 0]])


def test_a_modality_lut_comes_before_the_window_and_replaces_the_rescale() -> None:
    data = dicom(
        RAMP,
        ModalityLUTSequence=lut(CURVE, first=100),
        WindowCenter=30000,
        WindowWidth=20000,
        RescaleSlope=None,
    )
    assert_rounded(shown(data), pydicom_shows(data, 0, 65535))
    found, _ = read(data)
    assert found.window is None
    assert not found.linear


def test_both_luts_follow_each_other() -> None:
    data = dicom(
        np.array([[0, 1, 2]], np.uint8),
        ModalityLUTSequence=lut([2, 1, 0]),
        VOILUTSequence=lut([10, 20, 30], bits=8),
    )
    np.testing.assert_array_equal(shown(data), [[30, 20, 10]])


def test_a_lut_may_begin_below_zero() -> None:
    pixels = np.array([[-3, -2, -1, 0, 5]], np.int16)
    data = dicom(pixels, VOILUTSequence=lut([10, 20, 30], first=-2, bits=8))
    np.testing.assert_array_equal(shown(data), [[10, 10, 20, 30, 30]])


def test_values_above_a_narrow_lut_take_its_last_entry() -> None:
    # pydicom 3.0.2 computes the index of an 8-bit LUT in 8 bits: 300 wraps around to 44.
    pixels = np.array([[0, 299, 300, 65535]], np.uint16)
    data = dicom(pixels, VOILUTSequence=lut([index // 2 for index in range(300)], bits=8))
    np.testing.assert_array_equal(shown(data), [[0, 149, 149, 149]])


@pytest.mark.parametrize(
    "broken",
    [
        item(LUTDescriptor=[4, 0, 16]),
        item(LUTDescriptor=[4, 0], LUTData=b"\0\0"),
        item(LUTDescriptor=[4, 0, 16], LUTData=b"\0\0"),
        item(LUTDescriptor=[4, 0, 99], LUTData=bytes(8)),
        item(),
    ],
)
def test_an_incomplete_lut_is_missing(broken: object) -> None:
    for made in broken:  # type: ignore[attr-defined]
        for element in made:
            element.VR = "US" if element.keyword == "LUTDescriptor" else "OW"
    assert read(dicom(VOILUTSequence=broken))[0].voi_lut is None


def test_packed_8_bit_entries_are_read() -> None:
    packed = item(LUTDescriptor=[3, 0, 8], LUTData=b"\x0a\x14\x1e\0")
    packed[0]["LUTDescriptor"].VR, packed[0]["LUTData"].VR = "US", "OW"
    data = dicom(np.array([[0, 1, 2]], np.uint8), VOILUTSequence=packed)
    np.testing.assert_array_equal(shown(data), [[10, 20, 30]])


def test_nothing_is_shown_where_nothing_is_asked() -> None:
    for changes in ({"WindowCenter": None}, {"WindowWidth": 0}, {"WindowWidth": ""}):
        assert windowed(*read(dicom(**changes))) is None


@pytest.mark.parametrize(
    ("function", "width", "usable"),
    [
        *(("LINEAR", 1, False), ("LINEAR", 1.5, True), ("anything", 1, False)),
        *(("LINEAR_EXACT", 0.5, True), ("LINEAR_EXACT", 0, False), ("SIGMOID", -1, False)),
    ],
)
def test_a_width_counts_where_it_leaves_grey(function: str, width: float, usable: bool) -> None:
    assert (make_voi(0, width, function) is not None) is usable


def test_exact_windows_end_half_a_width_from_the_centre() -> None:
    assert stored_window(100, 50, 1, 0, "LINEAR_EXACT") == (75, 125)
    assert stored_window(100, 50, 5, 50, "LINEAR_EXACT") == (5, 15)


@given(
    st.sampled_from(["uint8", "int8", "uint16", "int16", "int32", "float32"]),
    st.floats(-1e300, 1e300).filter(bool),
    st.floats(-1e300, 1e300),
    st.floats(-1e300, 1e300),
    st.floats(1e-300, 1e300),
    st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
)
def test_absurd_values_give_a_picture_or_none(
    dtype: str, slope: float, intercept: float, center: float, width: float, function: str
) -> None:
    found = windowed(
        header(
            dtype=dtype,
            rescale_slope=slope,
            rescale_intercept=intercept,
            voi=make_voi(center, width, function),
            window=stored_window(center, width, slope, intercept, function),
        ),
        np.array([[0, 1, 100]], dtype),
    )
    assert found is None or found.dtype == np.uint8
