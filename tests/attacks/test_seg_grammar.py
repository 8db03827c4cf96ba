"""DICOM SEGs that are wrong in frames, segments or groups: the labels of pydicom, or one error."""

import random
import warnings
from collections.abc import Callable
from io import BytesIO
from typing import Any

import msgspec
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from chaosprep.errors import ChaosprepError
from chaosprep.facts import Legend
from chaosprep.formats.masks import Stack
from chaosprep.formats.seg import SEG
from tests import memory
from tests.attacks.grammars import NUMBERS, batches, draws, scratched, tried
from tests.formats.test_segmentations import LABELS, PATHS, cut, seg

hd = pytest.importorskip("highdicom")

FEW = 100
THRESHOLD = 0.5
OVERLAPPING = np.random.default_rng(0).random((*LABELS.shape, 3)).astype(np.float32)
LUT = hd.PaletteColorLUTTransformation.from_colors(["black", "red", "green"], first_mapped_value=0)
SEEDS = [
    *(seg(), seg(kind="LABELMAP"), seg(OVERLAPPING.round().astype(np.uint8))),
    *(
        seg(OVERLAPPING, kind="FRACTIONAL"),
        seg(OVERLAPPING[:2], images=PATHS[:2], kind="FRACTIONAL"),
    ),
    seg(kind="LABELMAP", palette_color_lut_transformation=LUT),
]
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
    *("SegmentsOverlap", "MaximumFractionalValue", "MaximumFractionalValue", "ContentDate"),
    *("SegmentationFractionalType", "SpecificCharacterSet", "RedPaletteColorLookupTableDescriptor"),
]
VALUES: dict[str, list[Any]] = {
    "US": [*NUMBERS[:-1], None],
    "UL": [0, 1, 2**31, None],
    "IS": ["0", "1", "3", "99", "100000", "", "-1"],
    "DS": ["0", "1", "-1", "1e30", "1e-320", "", "nan"],
    "CS": ["BINARY", "LABELMAP", "FRACTIONAL", "RGB", "MONOCHROME1", "YES", "", "A\\B"],
    "LO": ["", "segment 1", "Background", "a\\b", "x" * 300, " \n\x1b[2J "],
    "SH": ["", "SCT", "99CHAOSPREP", "x" * 300],
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
    """Segments with numbers, names or tracking ids that are odd, twice, 0 or none."""
    for segment in made.SegmentSequence:
        segment.SegmentNumber = draw.choice([0, 1, 2, 3, 2**16 - 1, segment.SegmentNumber])
        if draw.random() < 0.3:
            segment.SegmentLabel = draw.choice(VALUES["LO"])
            segment.TrackingID = draw.choice(VALUES["LO"])
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


def shown_labels(data: bytes) -> set[int]:
    """The labels that a SEG shows anywhere, as pydicom has its frames and groups."""
    made = dcmread(BytesIO(data))
    stack = made.pixel_array.reshape(-1, made.Rows, made.Columns)
    if made.SegmentationType == "LABELMAP":
        return {*np.unique(stack).tolist()} - {0, made.get("PixelPaddingValue")}
    if made.SegmentationType == "FRACTIONAL":
        stack = stack / int(made.MaximumFractionalValue) >= THRESHOLD
    shared = [*(made.get("SharedFunctionalGroupsSequence") or ())][:1]
    found = set()
    for own, frame in zip(made.PerFrameFunctionalGroupsSequence, stack, strict=False):
        groups = (one.get("SegmentIdentificationSequence") for one in (own, *shared))
        if frame.any():
            found.add(int(next(filter(None, groups))[0].ReferencedSegmentNumber))
    return found


def painted(stack: Stack) -> set[int]:
    """The labels of a stack; every value is one, or stands for several."""
    values = {int(value) for plane in stack.labels.values() for value in np.unique(plane)} - {0}
    for value, labels in stack.overlaps.items():
        assert len({*labels}) == len(labels) > 1
        assert value not in labels
    return {label for value in values for label in stack.overlaps.get(value, (value,))}


def reads(data: bytes) -> int:
    """Check that masks are whole or missing with a reason; tell how many there are."""
    stack = tried(lambda: cut(data, threshold=THRESHOLD))
    assert isinstance(stack, Stack)  # a mask of a series is never an exception
    for _, error in stack.errors:
        assert error.code
        assert error.reason
    if len(stack.labels) == len(PATHS) and not stack.errors:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert painted(stack) == shown_labels(data)
    assert stack.labels or stack.errors
    nothing = tried(lambda: cut(data, takes=lambda name: False))
    assert isinstance(nothing, Stack)
    assert not painted(nothing)
    legend_of(data)
    return len(stack.labels)


def legend_of(data: bytes) -> None:
    """Check that a legend is such as a descriptor holds, or one error."""
    assert SEG.legend is not None
    found = tried(lambda: SEG.legend and SEG.legend(data))
    if not isinstance(found, ChaosprepError):
        encoded = msgspec.json.encode(found)
        assert msgspec.json.decode(encoded, type=Legend) == found


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
