"""DICOM slices as masks that are wrong in header or pixels: pydicom's labels, or one error."""

import random
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read_header
from chaosprep.formats.dicom_masks import DICOM_IMAGE
from chaosprep.formats.masks import cut_mask, mask_format, slice_labels
from tests import memory
from tests.attacks.grammars import batches, draws, scratched, tried
from tests.attacks.test_seg_grammar import changed
from tests.layouts.trees import labels_at, slice_at
from tests.series.test_mask_slices import frames_at, mask_at

FEW = 100
SEEDS = [mask_at(1), mask_at(1, labels_at(1).astype(np.int16), RescaleSlope="2"), frames_at([1, 0])]
IMAGES = {f"{place}.dcm": read_header(slice_at(place)) for place in range(2)}
KEYWORDS = [
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "RescaleSlope"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SOPClassUID", "Modality"),
    *("PixelData", "RescaleIntercept", "PerFrameFunctionalGroupsSequence"),
]


def damaged(draw: random.Random) -> bytes:
    data = draw.choice(SEEDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = dcmread(BytesIO(data))
        for _ in range(draw.choice([0, 1, 1, 2])):
            keyword = draw.choice(KEYWORDS)
            if keyword in made:
                changed(made, made[keyword], draw)
        try:
            syntax = draw.choice([None, None, RLELossless, DeflatedExplicitVRLittleEndian])
            if syntax == RLELossless:
                made.compress(RLELossless, generate_instance_uid=False)
            elif syntax is not None:
                made.file_meta.TransferSyntaxUID = syntax
            stream = BytesIO()
            made.save_as(stream)
            data = stream.getvalue()
        except Exception:  # noqa: BLE001  # what nobody can write nobody has to read
            pass
    return scratched(data, draw, 132) if draw.random() < 0.5 else data


def reads(data: bytes) -> bool:
    """Check that labels are those of pydicom; tell whether there are any."""
    if mask_format("m.dcm", data) is not DICOM_IMAGE:
        return False
    stack = tried(lambda: cut_mask(Path(), "m.dcm", data, IMAGES, len(IMAGES)))
    assert stack.labels or stack.errors  # type: ignore[union-attr]
    labels = tried(lambda: slice_labels("m.dcm", data, IMAGES["1.dcm"]))
    if isinstance(labels, FileError):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = dcmread(BytesIO(data))
        stored = made.pixel_array
    slope, shift = (float(made.get(f"Rescale{what}") or 0) for what in ("Slope", "Intercept"))
    slope = slope if np.isfinite(slope) and slope else 1.0  # else left out, and said
    expected = stored * slope + (shift if np.isfinite(shift) else 0.0)
    assert np.allclose(np.asarray(labels), expected)
    return True


@pytest.mark.parametrize("batch", batches(FEW))
def test_a_damaged_mask_is_read_or_is_told_in_one_error(
    batch: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws("dicom mask", batch, FEW):
        reads(damaged(draw))
    assert capfd.readouterr() == ("", "")
    assert memory.peak() - before < 2**19


def test_enough_of_them_are_read() -> None:
    found = sum(reads(damaged(draw)) for draw in draws("dicom mask", 0, 50))
    assert 5 < found < 45
