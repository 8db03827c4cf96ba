"""Pixels that may show text: doubted where something speaks for it, and nowhere else."""

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.uid import (
    CTImageStorage,
    MRImageStorage,
    NuclearMedicineImageStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
    UltrasoundImageStorage,
    VLWholeSlideMicroscopyImageStorage,
)

from chaosprep.privacy.deidentify.burned_in import doubt
from tests.formats.samples import dataset, encoded

PIXELS = np.arange(24, dtype=np.uint16).reshape(4, 6)


def stored(pixels: NDArray[np.generic] = PIXELS, /, **values: object) -> Dataset:
    """A slice as it is read from a file."""
    return dcmread(BytesIO(encoded(dataset(pixels, **values))))


@pytest.mark.parametrize(
    "values",
    [
        {"SOPClassUID": MRImageStorage, "Modality": "MR", "ImageType": ["ORIGINAL", "PRIMARY"]},
        {"SOPClassUID": MRImageStorage, "ImageType": ["DERIVED", "SECONDARY", "MPR"]},
        {"SOPClassUID": MRImageStorage, "ImageType": ["DERIVED", "SECONDARY", "PROJECTION IMAGE"]},
        {"SOPClassUID": CTImageStorage, "Modality": "CT", "ImageType": ["ORIGINAL", "LOCALIZER"]},
        {"SOPClassUID": NuclearMedicineImageStorage, "Modality": "NM"},
        {"SOPClassUID": SegmentationStorage, "Modality": "SEG"},
        {"SOPClassUID": SecondaryCaptureImageStorage, "BurnedInAnnotation": "NO"},
        {"BitsStored": 12, "HighBit": 11},
        {"SOPClassUID": CTImageStorage, "ConversionType": "WSD"},
    ],
)
def test_plain_slices_and_masks_are_not_doubted(values: dict[str, object]) -> None:
    assert doubt(stored(**values)) is None


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"BurnedInAnnotation": "YES"}, "BurnedInAnnotation is YES"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "a secondary capture"),
        ({"SOPClassUID": f"{SecondaryCaptureImageStorage}.2"}, "a secondary capture"),
        ({"SOPClassUID": UltrasoundImageStorage}, "an ultrasound picture"),
        ({"Modality": "US"}, "an ultrasound picture"),
        ({"Modality": "XC"}, "a picture of a camera"),
        ({"Modality": "OT"}, "some other kind"),
        ({"ConversionType": "DF"}, "from video, film or paper"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "a screenshot"),
        ({"ImageType": ["DERIVED", "SCREEN SAVE"], "BurnedInAnnotation": "NO"}, "a screenshot"),
        ({"ImageType": ["DERIVED", "SECONDARY", "OTHER", "DOSE_INFO"]}, "a report"),
        ({"SOPClassUID": MRImageStorage, "PhotometricInterpretation": "RGB"}, "in colour"),
        (
            {
                "SOPClassUID": VLWholeSlideMicroscopyImageStorage,
                "ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"],
            },
            "a label",
        ),
    ],
)
def test_what_often_shows_text_is_doubted(values: dict[str, object], why: str) -> None:
    assert why in str(doubt(stored(**values)))


def test_an_overlay_within_the_bits_of_pixels_is_doubted_whatever_the_header_says() -> None:
    made = dataset(PIXELS, BitsStored=12, HighBit=11, BurnedInAnnotation="NO")
    made.add_new(0x60000010, "US", 4)
    made.add_new(0x60000102, "US", 12)
    assert doubt(dcmread(BytesIO(encoded(made)))) == "an overlay lies in the bits of its pixels"


@pytest.mark.parametrize("signed", [0, 1])
def test_bits_above_those_of_the_pixels_are_doubted(signed: int) -> None:
    pixels = PIXELS.copy()
    pixels[1, 2:5] |= 1 << 13
    one = stored(pixels, BitsStored=12, HighBit=11, PixelRepresentation=signed)
    assert doubt(one) == "bits of its pixels that are not theirs are in use"


def test_bits_below_those_of_the_pixels_are_doubted() -> None:
    pixels = PIXELS << 4
    assert doubt(stored(pixels, BitsStored=12, HighBit=15)) is None
    pixels[0, 0] |= 1
    assert doubt(stored(pixels, BitsStored=12, HighBit=15)) is not None


def test_a_sign_and_padding_are_no_use_of_bits() -> None:
    signed = (PIXELS.astype(np.int16) - 10).view(np.uint16)
    assert doubt(stored(signed, BitsStored=12, HighBit=11, PixelRepresentation=1)) is None
    padded = PIXELS.copy()
    padded[0] = 8192
    assert doubt(stored(padded, BitsStored=12, HighBit=11, PixelPaddingValue=8192)) is None


def test_bytes_behind_the_pixels_are_doubted_but_for_padding() -> None:
    data = PIXELS.tobytes()
    assert doubt(stored(PixelData=data + bytes(6))) is None
    odd = stored(PIXELS[:1, :3].astype(np.uint8), PixelData=b"abc ")
    assert doubt(odd) is None
    more = "more bytes than those of its pixels are in use"
    assert doubt(stored(PixelData=data + b"Dulcinea")) == more
    assert doubt(stored(PixelData=data + b"Dulcinea", BurnedInAnnotation="NO")) == more
