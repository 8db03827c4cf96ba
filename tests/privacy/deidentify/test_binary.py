"""Binary numbers keep their values, and no text that stands in their place."""

from io import BytesIO

import pytest
from pydicom import dcmread

from chaosprep.privacy.deidentify.file import deidentified
from tests.formats.samples import dataset
from tests.privacy.deidentify.planting import KEY, PATIENT, put, written

ROWS, B_VALUE, SIZES, PALETTE = 0x00280010, 0x00189087, 0x00189306, 0x00281201
FRAMES_AT = 0x7FE00001


@pytest.mark.parametrize("vr", ["FD", "UN", "OB"])
@pytest.mark.parametrize("tag", [B_VALUE, PALETTE, FRAMES_AT])
def test_a_text_in_place_of_numbers_goes(tag: int, vr: str) -> None:
    slice_ = dataset()
    put(slice_, tag, vr, b"Dulcinea^Quixote")
    assert b"Dulcinea" not in deidentified(written(slice_), PATIENT, KEY)


def test_what_stands_behind_a_number_goes() -> None:
    slice_ = dataset()
    put(slice_, ROWS, "US", b"\3\0Dulcinea")
    made = deidentified(written(slice_), PATIENT, KEY, accept_burned_in=True)
    assert b"Dulcinea" not in made
    assert dcmread(BytesIO(made)).Rows == 3


def test_numbers_of_all_sizes_stay() -> None:
    slice_ = dataset(DiffusionBValue=4.2e6, RedPaletteColorLookupTableData=bytes(range(256)))
    slice_.PixelAspectRatio = [1, 1]
    slice_.DimensionIndexValues = [0x41424344, 7]
    found = dcmread(BytesIO(deidentified(written(slice_), PATIENT, KEY)))
    for keyword in ("DiffusionBValue", "RedPaletteColorLookupTableData", "DimensionIndexValues"):
        assert found[keyword].value == slice_[keyword].value


@pytest.mark.parametrize("text", ["12.04.1963", "1963-04-12", "1.5.6"])
def test_a_date_is_no_decimal(text: str) -> None:
    slice_ = dataset()
    put(slice_, 0x00180050, "DS", text.encode())
    assert text.encode() not in deidentified(written(slice_), PATIENT, KEY)
