"""Segments of a DICOM SEG that highdicom wrote: overlapping, unwanted, fractional, coloured."""

from collections.abc import Mapping
from copy import deepcopy
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from chaosprep.errors import FileError
from chaosprep.facts import Code, Label
from chaosprep.formats.legend import segment_labels
from chaosprep.formats.masks import Stack
from chaosprep.formats.seg import SEG
from chaosprep.terms import PRIVATE_SCHEME
from tests import memory
from tests.formats.test_segmentations import (
    COUNT,
    IMAGES,
    LABELS,
    PATHS,
    Edit,
    assert_labels,
    codes,
    cut,
    seg,
    without,
)
from tests.layouts.trees import COLS, ROWS

hd = pytest.importorskip("highdicom")

SHAPE = (COUNT, ROWS, COLS)


def drawn(count: int, seed: int = 0) -> NDArray[np.bool_]:
    """Which of several segments cover each voxel: (slices, rows, cols, segments), at random."""
    return np.random.default_rng(seed).random((*SHAPE, count)) < 0.4


def shown_sets(stack: Stack) -> list[set[int]]:
    """The labels of every voxel, as a stack tells them."""
    assert stack.errors == []
    values = np.stack([stack.labels[path] for path in PATHS]).ravel().tolist()
    return [set(stack.overlaps.get(value, (value,) if value else ())) for value in values]


def drawn_sets(planes: NDArray[Any], numbers: Mapping[int, int] | None = None) -> list[set[int]]:
    return [
        {int(at) + 1 if numbers is None else numbers[int(at)] for at in np.flatnonzero(voxel)}
        for voxel in planes.reshape(-1, planes.shape[-1])
    ]


def both(made: Dataset) -> None:
    made.SegmentSequence[1].SegmentLabel = made.SegmentSequence[0].SegmentLabel


def tracked(*ids: str) -> Edit:
    def edit(made: Dataset) -> None:
        both(made)
        for segment, id in zip(made.SegmentSequence, ids, strict=True):
            segment.TrackingID, segment.TrackingUID = id, "1.2.3"

    return edit


# Overlapping


def test_where_segments_overlap_each_voxel_tells_all_of_them() -> None:
    planes = drawn(4)
    assert shown_sets(cut(seg(planes.astype(np.uint8)))) == drawn_sets(planes)


def test_segments_that_do_not_overlap_have_no_values_but_their_numbers() -> None:
    stack = cut(seg())
    assert_labels(stack)
    assert not stack.overlaps


def test_the_last_number_that_a_segment_can_have_may_overlap() -> None:
    def renumber(made: Dataset) -> None:
        made.SegmentSequence[1].SegmentNumber = 65535
        for group in made.PerFrameFunctionalGroupsSequence:
            (segment,) = group.SegmentIdentificationSequence
            if segment.ReferencedSegmentNumber == 2:
                segment.ReferencedSegmentNumber = 65535

    planes = drawn(2)
    stack = cut(seg(planes.astype(np.uint8), edit=renumber))
    assert shown_sets(stack) == drawn_sets(planes, {0: 1, 1: 65535})
    assert stack.names == {1: "segment 1", 65535: "segment 2"}


def test_two_label_maps_of_one_image_overlap() -> None:
    """The second frame of an image is laid over the first."""

    def on_one(made: Dataset) -> None:
        first, second = made.PerFrameFunctionalGroupsSequence
        second.PlanePositionSequence = first.PlanePositionSequence
        second.DerivationImageSequence = first.DerivationImageSequence

    stack = cut(seg(kind="LABELMAP", edit=on_one))
    expected = [
        {int(a), int(b)} - {0} for a, b in zip(LABELS[1].ravel(), LABELS[2].ravel(), strict=True)
    ]
    at = 2 * ROWS * COLS  # highdicom writes the frame of that image first
    assert shown_sets(stack) == [set()] * at + expected + [set()] * (at // 2)


# What is wanted


def test_an_unwanted_segment_is_left_out() -> None:
    planes = drawn(3)
    stack = cut(seg(planes.astype(np.uint8)), takes=lambda name: name != "segment 2")
    assert shown_sets(stack) == drawn_sets(planes[..., [0, 2]], {0: 1, 1: 3})
    assert stack.names == {1: "segment 1", 3: "segment 3"}


def test_an_unwanted_segment_of_a_label_map_is_left_out() -> None:
    stack = cut(seg(kind="LABELMAP"), takes=lambda name: name == "segment 2")
    assert_labels(stack, np.where(LABELS == 2, 2, 0))


def off_grid(made: Dataset) -> None:
    """The frames of segment 2 lie beside the pixels of the images."""
    for group in made.PerFrameFunctionalGroupsSequence:
        if group.SegmentIdentificationSequence[0].ReferencedSegmentNumber == 2:
            group.PlanePositionSequence = deepcopy(group.PlanePositionSequence)
            group.PlanePositionSequence[0].ImagePositionPatient[0] = -9.3


def test_what_is_wrong_with_an_unwanted_segment_is_no_error() -> None:
    data = seg(edit=off_grid)
    assert codes(cut(data)) == {PATHS[2]: "mask-grid"}
    assert_labels(cut(data, takes=lambda name: name == "segment 1"), np.where(LABELS == 1, 1, 0))


def test_a_segmentation_of_which_nothing_is_wanted_is_empty() -> None:
    for data in (seg(), seg(kind="LABELMAP"), fractional()):
        stack = cut(data, takes=lambda name: False)
        assert_labels(stack, np.zeros_like(LABELS))
        assert stack.names == {}


def test_a_segment_without_frames_keeps_its_name() -> None:
    planes = np.stack([LABELS == 1, LABELS == 9, LABELS == 2], axis=3).astype(np.uint8)
    stack = cut(seg(planes))
    assert_labels(stack, np.choose(LABELS, [0, 1, 3]))
    assert stack.names == {1: "segment 1", 2: "segment 2", 3: "segment 3"}


# Names


def test_two_segments_of_one_name_are_refused() -> None:
    stack = cut(seg(edit=both), may_say=lambda text: True)
    assert codes(stack) == {"m.dcm": "mask-names"}
    assert stack.errors[0][1].reason.endswith("have the same name: 'segment 1'")


def test_two_spellings_of_one_name_are_one_name() -> None:
    def spell(made: Dataset) -> None:
        made.SegmentSequence[1].SegmentLabel = "Segment_1"

    assert codes(cut(seg(edit=spell))) == {"m.dcm": "mask-names"}


def test_a_name_that_identifies_is_not_said() -> None:
    assert "segment 1" not in cut(seg(edit=both)).errors[0][1].text


def test_two_unwanted_segments_of_one_name_are_no_error() -> None:
    planes = np.stack([LABELS == 1, LABELS == 1, LABELS == 2], axis=3).astype(np.uint8)
    stack = cut(seg(planes, edit=both), takes=lambda name: name == "segment 3")
    assert_labels(stack, np.where(LABELS == 2, 3, 0))


def test_segments_of_one_name_are_told_apart_by_their_tracking_ids() -> None:
    stack = cut(seg(edit=tracked("a", "b")))
    assert_labels(stack)
    assert stack.names == {1: "segment 1 (a)", 2: "segment 1 (b)"}
    assert codes(cut(seg(edit=tracked("a", "a")))) == {"m.dcm": "mask-names"}


def test_a_tracking_id_of_a_name_of_its_own_changes_nothing() -> None:
    def edit(made: Dataset) -> None:
        made.SegmentSequence[0].TrackingID = "a"

    assert cut(seg(edit=edit)).names == {1: "segment 1", 2: "segment 2"}


# Fractional

PARTS = np.random.default_rng(1).random((*SHAPE, 2)).astype(np.float32)


def fractional(**more: Any) -> bytes:
    return seg(PARTS, kind="FRACTIONAL", **more)


@pytest.mark.parametrize("threshold", [0.01, 0.25, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("kind", ["PROBABILITY", "OCCUPANCY"])
@pytest.mark.parametrize("highest", [255, 100])
def test_a_fractional_segment_is_shown_from_the_threshold_on(
    threshold: float, kind: str, highest: int
) -> None:
    data = fractional(fractional_type=kind, max_fractional_value=highest)
    stored = np.around(PARTS * highest).astype(np.int64)  # as highdicom scales them
    shown = (stored * 1000 >= round(threshold * 1000) * highest) & (stored > 0)
    assert shown_sets(cut(data, threshold=threshold)) == drawn_sets(shown)


def test_a_part_that_is_the_threshold_is_shown() -> None:
    """51 of 255 is one fifth."""
    planes = np.full((*SHAPE, 1), 51 / 255, np.float32)
    assert_labels(cut(seg(planes, kind="FRACTIONAL"), threshold=0.2), np.ones_like(LABELS))
    assert_labels(cut(seg(planes, kind="FRACTIONAL"), threshold=0.2001), np.zeros_like(LABELS))


def test_a_compressed_fractional_segmentation_is_the_same() -> None:
    plain, packed = fractional(), fractional(transfer_syntax_uid=RLELossless)
    assert shown_sets(cut(packed, threshold=0.5)) == shown_sets(cut(plain, threshold=0.5))


def test_without_a_threshold_it_is_an_error_that_asks_for_one() -> None:
    stack = cut(fractional())
    assert codes(stack) == {"m.dcm": "mask-values"}
    assert "--threshold 0.5" in stack.errors[0][1].remedy


def test_a_threshold_changes_nothing_elsewhere() -> None:
    for kind in ("BINARY", "LABELMAP"):
        assert_labels(cut(seg(kind=kind), threshold=0.5))


@pytest.mark.parametrize(("highest", "reason"), [(100, "values above"), (0, "is 0")])
def test_parts_above_the_whole_are_refused(highest: int, reason: str) -> None:
    def edit(made: Dataset) -> None:
        made.MaximumFractionalValue = highest

    stack = cut(fractional(edit=edit), threshold=0.5)
    assert codes(stack) == {"m.dcm": "mask-unreadable"}
    assert reason in stack.errors[0][1].reason


def test_bits_that_are_not_stored_are_no_part_of_a_value() -> None:
    def edit(made: Dataset) -> None:
        made.BitsStored, made.HighBit, made.MaximumFractionalValue = 7, 6, 127

    data = fractional(edit=edit)
    made = dcmread(BytesIO(data))
    assert made.pixel_array.max() < 128 <= max(made.PixelData)
    shown = shown_sets(cut(data, threshold=0.5))
    expected = (np.around(PARTS * 255).astype(np.int64) & 127) * 2 >= 127
    assert shown == drawn_sets(expected)


# Label maps


def test_the_numbers_of_a_palette_are_the_labels() -> None:
    lut = hd.PaletteColorLUTTransformation.from_colors(
        ["black", "red", "green"], first_mapped_value=0
    )
    data = seg(kind="LABELMAP", palette_color_lut_transformation=lut)
    assert dcmread(BytesIO(data)).PhotometricInterpretation == "PALETTE COLOR"
    assert_labels(cut(data))


@pytest.mark.parametrize("missing", [{2}, {1, 2}])
def test_a_label_map_that_has_more_than_it_describes_is_refused(missing: set[int]) -> None:
    def edit(made: Dataset) -> None:
        every = made.SegmentSequence
        made.SegmentSequence = [one for one in every if one.SegmentNumber not in missing]

    stack = cut(seg(kind="LABELMAP", edit=edit))
    assert codes(stack) == {"m.dcm": "mask-unreadable"}
    assert "does not describe" in stack.errors[0][1].reason


def test_a_label_map_of_16_bits_keeps_its_numbers() -> None:
    labels = LABELS.astype(np.uint16) * 150

    def describe(made: Dataset) -> None:
        for segment in made.SegmentSequence[1:]:
            segment.SegmentLabel = f"segment {segment.SegmentNumber}"

    stack = cut(seg(labels, kind="LABELMAP", edit=describe))
    assert_labels(stack, labels)
    assert stack.names[300] == "segment 300"


# What the header says

LIVER = Label("segment 1", Code("SCT", "10200004", "Liver"))
LEGEND = {1: LIVER, 2: Label("segment 2", LIVER.code)}


def legend(data: bytes) -> dict[int, Label]:
    assert SEG.legend is not None
    return SEG.legend(data)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_the_header_alone_tells_names_and_codes(kind: str) -> None:
    data = seg(kind=kind)
    at = data.index(b"\xe0\x7f\x10\x00")
    assert legend(data) == legend(data[:at]) == LEGEND


def deflated(edit: Edit | None = None) -> bytes:
    made = dcmread(BytesIO(seg(edit=edit)))
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    stream = BytesIO()
    made.save_as(stream)
    return stream.getvalue()


def test_so_does_that_of_a_deflated_file() -> None:
    assert legend(deflated()) == LEGEND


def test_of_a_bomb_no_more_is_inflated_than_a_header_needs() -> None:
    def grow(made: Dataset) -> None:
        made.PixelData = bytes(2**27)

    data = deflated(grow)
    before = memory.begin()
    assert legend(data) == LEGEND
    assert (
        memory.peak() - before < 1.5 * 2**17
    )  # KiB: 64 MiB, and once more while it is put together


def test_a_fractional_segmentation_tells_its_names_without_a_threshold() -> None:
    assert legend(fractional()) == LEGEND


@pytest.mark.parametrize(
    "data", [IMAGES[PATHS[0]], seg()[:400], seg(edit=without("SegmentSequence"))]
)
def test_what_has_no_segments_tells_nothing(data: bytes) -> None:
    with pytest.raises(FileError) as caught:
        legend(data)
    assert caught.value.code in {"mask-kind", "mask-unreadable"}


def described(**changes: object) -> Label:
    """The label of a segment whose type has other values."""
    (segment,) = dcmread(BytesIO(seg(LABELS.clip(max=1)))).SegmentSequence
    for keyword, value in changes.items():
        at = segment if keyword.startswith("Segment") else None
        setattr(at or segment.SegmentedPropertyTypeCodeSequence[0], keyword, value)
    return segment_labels([segment])[1]


def test_a_code_that_only_repeats_a_name_is_none() -> None:
    assert described(CodingSchemeDesignator=PRIVATE_SCHEME).code is None
    assert described(CodingSchemeDesignator="").code is None
    assert described(CodingSchemeDesignator="99QIN").code == Code("99QIN", "10200004", "Liver")


def test_a_long_code_is_read_too() -> None:
    assert described(CodeValue=None, LongCodeValue="1" * 17).code == Code("SCT", "1" * 17, "Liver")


def test_a_name_is_one_line_of_text() -> None:
    assert described(SegmentLabel="  Left\n kidney\x00 ").name == "Left  kidney"


@pytest.mark.filterwarnings("ignore:The value length")
def test_a_name_has_an_end() -> None:
    assert len(described(SegmentLabel="x" * 10**5).name) == 200
