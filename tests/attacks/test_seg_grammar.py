"""DICOM SEGs that are wrong in frames, segments or groups: the labels of pydicom, or one error."""

import random
import warnings
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from chaosprep.formats.masks import Stack
from tests import memory
from tests.attacks.grammars import NUMBERS, batches, draws, scratched, tried
from tests.formats.test_segmentations import PATHS, cut, seg

FEW = 100
SEEDS = [seg(), seg(kind="LABELMAP")]
GROUPS = [
    *("SegmentIdentificationSequence", "DerivationImageSequence", "PlanePositionSequence"),
    *("PlaneOrientationSequence", "PixelMeasuresSequence", "FrameContentSequence"),
]
ROOT = [
    *("SegmentSequence", "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"),
    *("ReferencedSeriesSequence", "DimensionIndexSequence", "DimensionOrganizationSequence"),
    *("NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelData"),
    *("SegmentationType", "SOPClassUID", "FrameOfReferenceUID", "PixelPaddingValue"),
    *("SamplesPerPixel", "PhotometricInterpretation", "PixelRepresentation", "Modality"),
    *("SegmentsOverlap", "MaximumFractionalValue", "SegmentationFractionalType", "ContentDate"),
]
VALUES: dict[str, list[Any]] = {
    "US": [*NUMBERS[:-1], None],
    "UL": [0, 1, 2**31, None],
    "IS": ["0", "1", "3", "99", "100000", "", "-1"],
    "DS": ["0", "1", "-1", "1e30", "1e-320", "", "nan"],
    "CS": ["BINARY", "LABELMAP", "FRACTIONAL", "RGB", "MONOCHROME1", "YES", "", "A\\B"],
    "UI": ["1.2.3", "", "1.2.840.10008.1.2", "1.2.840.10008.5.1.4.1.1.66.4"],
}


def frames(made: Dataset, draw: random.Random) -> None:
    """Groups of frames lost, doubled, turned around, or without one of their sequences."""
    groups = made.PerFrameFunctionalGroupsSequence
    at = draw.randrange(len(groups)) if groups else 0
    match draw.randrange(5):
        case 0:
            del groups[at]
        case 1:
            groups.append(draw.choice(list(groups)))
        case 2:
            made.PerFrameFunctionalGroupsSequence = groups[::-1]
        case 3:
            made.PerFrameFunctionalGroupsSequence = []
        case _:
            keyword = draw.choice(GROUPS)
            if keyword in groups[at]:
                del groups[at][keyword]


def inside(made: Dataset, draw: random.Random) -> None:
    """Another value, or none, somewhere in the sequences."""
    found: list[tuple[Dataset, DataElement]] = []

    def gather(item: Dataset, element: DataElement) -> None:
        found.append((item, element))

    made.walk(gather)
    item, element = draw.choice(found)
    changed(item, element, draw)


def changed(item: Dataset, element: DataElement, draw: random.Random) -> None:
    if element.VR == "SQ":
        items = list(element.value)
        element.value = draw.choice([[], items * 2, [Dataset()], [*items, Dataset()]])
    elif draw.random() < 0.3:
        del item[element.tag]
    elif element.VR in VALUES:
        element.value = draw.choice(VALUES[element.VR])


def outside(made: Dataset, draw: random.Random) -> None:
    """Another value, or none, of the root."""
    keyword = draw.choice(ROOT)
    if keyword in made:
        changed(made, made[keyword], draw)


def pixels(made: Dataset, draw: random.Random) -> None:
    """More or fewer pixels than the frames have."""
    data = made.PixelData
    made.PixelData = draw.choice(
        [data[:-2], data[: len(data) // 2], data + data, data + bytes(2), b""]
    )


def segments(made: Dataset, draw: random.Random) -> None:
    """Segments with numbers that are odd, twice or 0, or none."""
    for segment in made.SegmentSequence:
        segment.SegmentNumber = draw.choice([0, 1, 2, 3, 2**16 - 1, segment.SegmentNumber])
    if draw.random() < 0.3:
        made.SegmentSequence = made.SegmentSequence[:1]


EDITS: list[Callable[[Dataset, random.Random], None]] = [
    *(frames, inside, inside, outside, outside, pixels, segments)
]


def damaged(draw: random.Random) -> bytes:
    data = draw.choice(SEEDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = dcmread(BytesIO(data))
        for _ in range(draw.choice([0, 1, 1, 1, 2, 3])):
            try:
                draw.choice(EDITS)(made, draw)
            except (AttributeError, IndexError):
                continue  # what it would edit is gone
        try:
            syntax = draw.choice([None, None, None, ImplicitVRLittleEndian, RLELossless])
            if draw.random() < 0.2:
                syntax = DeflatedExplicitVRLittleEndian
            if syntax == RLELossless:
                made.compress(RLELossless, generate_instance_uid=False)
            elif syntax is not None:
                made.file_meta.TransferSyntaxUID = syntax
            stream = BytesIO()
            made.save_as(stream, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
            data = stream.getvalue()
        except Exception:  # noqa: BLE001  # what nobody can write nobody has to read
            pass
    return scratched(data, draw, 132) if draw.random() < 0.3 else data


def painted(data: bytes) -> NDArray[Any]:
    """All labels of a SEG as pydicom has them, each frame where it says that it lies."""
    made = dcmread(BytesIO(data))
    stack = made.pixel_array.reshape(-1, made.Rows, made.Columns)
    return np.unique(stack[stack > 0])


def reads(data: bytes) -> int:
    """Check that masks are whole or missing with a reason; tell how many there are."""
    stack = tried(lambda: cut(data))
    assert isinstance(stack, Stack)  # a mask of a series is never an exception
    for _, error in stack.errors:
        assert error.code
        assert error.reason
    if len(stack.labels) == len(PATHS) and not stack.errors:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shown = painted(data)
        assert any(plane.any() for plane in stack.labels.values()) == bool(shown.size)
    assert stack.labels or stack.errors
    return len(stack.labels)


@pytest.mark.parametrize("batch", batches(FEW))
def test_a_damaged_segmentation_is_read_or_is_told_in_one_error(
    batch: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws("seg", batch, FEW):
        reads(damaged(draw))
    assert capfd.readouterr() == ("", "")
    assert memory.peak() - before < 2**19


def test_enough_of_them_are_read() -> None:
    found = sum(reads(damaged(draw)) > 0 for draw in draws("seg", 0, 50))
    assert 5 < found < 48
