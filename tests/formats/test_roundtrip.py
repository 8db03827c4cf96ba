"""Whatever a DICOM file holds, its stored values come back exactly."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read, read_frames, read_header
from tests.formats.samples import dataset, dicom, encoded

SYNTAXES = [
    *(ImplicitVRLittleEndian, ExplicitVRLittleEndian),
    *(ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian),
]


@st.composite
def stored(draw: st.DrawFn) -> tuple[NDArray[Any], int]:
    """Draw (frames, rows, cols) of stored values, and how many of their bits are used."""
    kind, allocated = draw(st.sampled_from("iu")), draw(st.sampled_from([8, 16, 32]))
    bits = draw(st.integers(1, allocated))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if kind == "i" else (0, 2**bits - 1)
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)))
    values = arrays.arrays(f"{kind}{allocated // 8}", shape, elements=st.integers(low, high))
    return draw(values), bits


def written(stack: NDArray[Any], syntax: UID, dirt: int = 0, **changes: object) -> bytes:
    """Write a stack; ``dirt`` goes into the bits above BitsStored."""
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    bits = int(str(changes.get("BitsStored", stack.itemsize * 8)))
    unsigned = stack.view(f"u{stack.itemsize}")
    mask = unsigned.dtype.type((1 << bits) - 1)
    raw = (unsigned & mask) | (unsigned.dtype.type(dirt % 2 ** (8 * stack.itemsize)) & ~mask)
    data = raw.astype(f"{order}u{stack.itemsize}").tobytes()
    shape = {"Rows": stack.shape[1], "Columns": stack.shape[2], "NumberOfFrames": len(stack)}
    slice_ = dataset(stack, **{**shape, "PixelData": data + bytes(len(data) % 2), **changes})
    slice_["PixelData"].VR = "OB" if stack.itemsize == 1 else "OW"
    return encoded(slice_, syntax)


@given(
    stored(),
    st.sampled_from(SYNTAXES),
    st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    st.floats(-1000, 1000).filter(lambda slope: abs(slope) > 1e-3),
    st.floats(-5000, 5000),
    st.integers(0, 2**32 - 1),
)
def test_a_written_stack_comes_back_exactly(
    values: tuple[NDArray[Any], int],
    syntax: UID,
    photometric: str,
    slope: float,
    intercept: float,
    dirt: int,
) -> None:
    stack, bits = values
    texts = f"{slope:.8g}", f"{intercept:.8g}"
    data = written(
        stack,
        syntax,
        dirt,
        BitsStored=bits,
        HighBit=bits - 1,
        PhotometricInterpretation=photometric,
        RescaleSlope=texts[0],
        RescaleIntercept=texts[1],
    )
    headers, found = read_frames(data)
    assert found.dtype == stack.dtype
    np.testing.assert_array_equal(found, stack)
    for header in headers:
        assert (header.bits_stored, header.frames) == (bits, len(stack))
        assert header.inverted is (photometric == "MONOCHROME1")
        assert (header.rescale_slope, header.rescale_intercept) == tuple(map(float, texts))
    np.testing.assert_array_equal(read(data, len(stack) - 1)[1], stack[-1])


@given(
    arrays.arrays(
        st.sampled_from(["float32", "float64"]),
        st.tuples(st.integers(1, 4), st.integers(1, 4)),
        elements=st.floats(-(2.0**99), 2.0**99, width=32),
    )
)
def test_float_pixels_come_back_exactly(pixels: NDArray[Any]) -> None:
    header, found = read(floats(pixels))
    assert header.dtype == found.dtype.name == pixels.dtype.name
    np.testing.assert_array_equal(found, pixels)
    assert read_header(floats(pixels)) == header


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_float_pixels_that_are_no_numbers_are_refused(dtype: str, value: float) -> None:
    with pytest.raises(FileError, match="its float pixels hold NaN or infinity") as caught:
        read(floats(np.array([[1, value]], dtype)))
    assert caught.value.code == "not-finite"


def floats(pixels: NDArray[Any]) -> bytes:
    """Write float pixels, which have neither BitsStored nor sign."""
    keyword = "FloatPixelData" if pixels.itemsize == 4 else "DoubleFloatPixelData"
    absent = dict.fromkeys(("PixelData", "BitsStored", "HighBit", "PixelRepresentation"))
    return dicom(pixels, **{**absent, keyword: pixels.tobytes()})
