"""DICOM SEG, written by highdicom: frames find their images by reference or by place."""

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.uid import UID, generate_uid

from chaosprep.formats.dicom.reading import read_header
from chaosprep.formats.masks import Stack, cut_mask
from chaosprep.imaging.header import Header
from tests.layouts.trees import COLS, ROWS, STEP, slice_at

hd = pytest.importorskip("highdicom")

COUNT = 4
PATHS = [f"i/{place}.dcm" for place in range(COUNT)]
STUDY, SERIES, FRAME = (generate_uid(entropy_srcs=[name]) for name in ("study", "series", "frame"))
IMAGES = {
    path: slice_at(
        place,
        SOPInstanceUID=generate_uid(entropy_srcs=[path]),
        StudyInstanceUID=STUDY,
        SeriesInstanceUID=SERIES,
        FrameOfReferenceUID=FRAME,
        PatientID="A-17",
        PatientBirthDate="",
        PatientSex="",
        AccessionNumber="",
        StudyID="",
        StudyDate="",
        StudyTime="",
        ReferringPhysicianName="",
        SeriesNumber=1,
    )
    for place, path in enumerate(PATHS)
}
LABELS = np.zeros((COUNT, ROWS, COLS), np.uint8)
LABELS[1, 0] = 1
LABELS[2, :, 1] = 2
LABELS[2, 0, 3] = 1
Edit = Callable[[Dataset], None]


def segments(count: int) -> list[Any]:
    code = hd.sr.CodedConcept("10200004", "SCT", "Liver")
    return [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=f"segment {number}",
            segmented_property_category=code,
            segmented_property_type=code,
            algorithm_type="MANUAL",
        )
        for number in range(1, count + 1)
    ]


def seg(
    labels: NDArray[Any] = LABELS,
    *,
    images: list[str] = PATHS,
    kind: str = "BINARY",
    edit: Edit | None = None,
    **more: Any,
) -> bytes:
    """A SEG on some of the images; `edit` changes it before it is written."""
    sources = [dcmread(BytesIO(IMAGES[path])) for path in images]
    return seg_of(sources, labels, kind, edit, **more)


def seg_of(
    sources: Sequence[Dataset],
    labels: NDArray[Any],
    kind: str = "BINARY",
    edit: Edit | None = None,
    **more: Any,
) -> bytes:
    """A SEG on these images, or on the frames of one; `more` goes to highdicom."""
    made = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=labels,
        segmentation_type=kind,
        segment_descriptions=segments(labels.shape[3] if labels.ndim == 4 else int(labels.max())),
        series_instance_uid=generate_uid(),
        series_number=2,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="0",
        device_serial_number="0",
        **more,
    )
    if edit is not None:
        edit(made)
    stream = BytesIO()
    made.save_as(stream)
    return stream.getvalue()


def cut(
    data: bytes,
    paths: list[str] = PATHS,
    may_say: Callable[[str], bool] = lambda text: False,
    takes: Callable[[str], bool] = lambda name: True,
    threshold: float | None = None,
) -> Stack:
    headers: dict[str, Header] = {path: read_header(IMAGES[path]) for path in paths}
    return cut_mask(Path(), "m.dcm", data, headers, len(paths), may_say, takes, threshold)


def codes(stack: Stack) -> dict[str, str]:
    return {path: error.code for path, error in stack.errors}


def assert_labels(stack: Stack, expected: NDArray[Any] = LABELS) -> None:
    assert stack.errors == []
    assert np.array_equal(np.stack([stack.labels[path] for path in PATHS]), expected)


def numbered(*numbers: int) -> Edit:
    """Gives the two segments of the list other numbers."""

    def edit(made: Dataset) -> None:
        for segment, number in zip(made.SegmentSequence, numbers, strict=True):
            segment.SegmentNumber = number

    return edit


def referring(number: int) -> Edit:
    """All frames are of one segment."""

    def edit(made: Dataset) -> None:
        for group in made.PerFrameFunctionalGroupsSequence:
            group.SegmentIdentificationSequence[0].ReferencedSegmentNumber = number

    return edit


@pytest.mark.parametrize("edit", [numbered(1, 1), numbered(1, 3), referring(0), referring(9)])
def test_frames_of_a_segment_that_is_not_described_once_are_refused(edit: Edit) -> None:
    stack = cut(seg(edit=edit))
    assert codes(stack) == {"m.dcm": "mask-unreadable"}
    assert "list of segments do not match" in stack.errors[0][1].reason


def test_segments_may_have_any_numbers() -> None:
    def renumber(made: Dataset) -> None:
        numbered(7, 300)(made)
        for group in made.PerFrameFunctionalGroupsSequence:
            segment = group.SegmentIdentificationSequence[0]
            segment.ReferencedSegmentNumber = {1: 7, 2: 300}[segment.ReferencedSegmentNumber]

    stack = cut(seg(edit=renumber))
    assert_labels(stack, np.choose(LABELS, [0, 7, 300]))
    assert stack.names == {7: "segment 1", 300: "segment 2"}


def without_references(made: Dataset) -> None:
    del made.ReferencedSeriesSequence
    for group in made.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_frames_find_their_images_and_empty_ones_may_be_left_out(kind: str) -> None:
    data = seg(kind=kind)
    assert int(dcmread(BytesIO(data)).NumberOfFrames) < 2 * COUNT
    assert_labels(cut(data))


def padded(background: int | None, zero: str = "", *, holes: int = 0) -> bytes:
    """A label map whose background is not 0; so many pixels are 0 and described by that name."""

    def pad(made: Dataset) -> None:
        frames = made.pixel_array.copy()
        if background is None:
            del made.PixelPaddingValue
        else:
            made.PixelPaddingValue, frames[frames == 0] = background, background
        frames.ravel()[:holes] = 0
        made.PixelData = frames.tobytes()
        (first,) = (segment for segment in made.SegmentSequence if segment.SegmentNumber == 0)
        first.SegmentLabel = zero
        if zero:
            first.SegmentedPropertyTypeCodeSequence = made.SegmentSequence[
                1
            ].SegmentedPropertyTypeCodeSequence

    return seg(kind="LABELMAP", edit=pad)


@pytest.mark.parametrize("background", [255, 3])
def test_a_label_map_says_what_its_background_is(background: int) -> None:
    assert_labels(cut(padded(background)))


@pytest.mark.parametrize("name", ["", "Background", " BACKGROUND"])
def test_0_may_be_another_background(name: str) -> None:
    """dcmqi gives a padding value that no pixel has, and describes 0 as the background."""
    expected = LABELS.copy()
    expected[2] = 0  # its frame is the first
    assert_labels(cut(padded(255, name, holes=ROWS * COLS)), expected)


@pytest.mark.parametrize("background", [255, None])
def test_a_segment_of_number_0_would_be_lost_and_is_refused(background: int | None) -> None:
    stack = cut(padded(background, "Spleen", holes=2))
    assert codes(stack) == {"m.dcm": "mask-values"}
    assert stack.labels == {}


def test_what_is_padding_is_no_segment_whatever_it_is_called() -> None:
    assert_labels(cut(padded(0, "Spleen")))


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_without_references_the_place_decides(kind: str) -> None:
    assert_labels(cut(seg(kind=kind, edit=without_references)))


def test_a_frame_that_is_stored_upside_down_is_turned_back() -> None:
    """Rows from below: the direction of the columns and the position of the first row change."""

    def flip(made: Dataset) -> None:
        frames = made.pixel_array
        made.PixelData = np.packbits(frames[:, ::-1].ravel(), bitorder="little").tobytes()
        shared = made.SharedFunctionalGroupsSequence[0]
        shared.PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, -1, 0]
        for group in made.PerFrameFunctionalGroupsSequence:
            group.PlanePositionSequence[0].ImagePositionPatient[1] = -20 + 1.25 * (ROWS - 1)

    assert_labels(cut(seg(edit=flip)))


def test_labels_are_the_segment_numbers() -> None:
    values = cut(seg()).labels[PATHS[2]]
    assert set(np.unique(values).tolist()) == {0, 1, 2}
    assert values.dtype == np.uint8


def test_a_frame_of_no_image_is_an_error() -> None:
    assert codes(cut(seg(), PATHS[:2])) == {"m.dcm": "mask-surplus"}


def test_a_segmentation_of_another_series_fits_nothing() -> None:
    def away(made: Dataset) -> None:
        without_references(made)
        for group in made.PerFrameFunctionalGroupsSequence:
            place = group.PlanePositionSequence[0]
            place.ImagePositionPatient[2] = STEP * 1000

    assert codes(cut(seg(edit=away))) == {"m.dcm": "mask-surplus"}


def test_frames_on_another_grid_are_errors_of_their_images() -> None:
    def shift(made: Dataset) -> None:
        for group in made.PerFrameFunctionalGroupsSequence:
            group.PlanePositionSequence[0].ImagePositionPatient[0] = -9.3

    stack = cut(seg(edit=shift))
    assert codes(stack) == {"m.dcm": "mask-grid"}
    assert "(2 images)" in stack.errors[0][1].reason


def moved_up(millimetres: float) -> Edit:
    def edit(made: Dataset) -> None:
        groups = made.PerFrameFunctionalGroupsSequence
        for place in {id(group.PlanePositionSequence[0]): group for group in groups}.values():
            position = place.PlanePositionSequence[0].ImagePositionPatient
            position[2] = float(position[2]) + millimetres

    return edit


@pytest.mark.parametrize("away", [STEP, 0.3])
def test_frames_that_lie_elsewhere_than_the_images_they_refer_to_are_refused(away: float) -> None:
    """The reference says one plane, the place another: neither is believed, for any image."""

    stack = cut(seg(edit=moved_up(away)))
    assert codes(stack) == {"m.dcm": "mask-grid"}
    assert f"3 of them, up to {away:.3g} mm" in stack.errors[0][1].reason
    assert stack.labels == {}


def test_places_that_were_rounded_do_not_contradict_the_references() -> None:
    assert_labels(cut(seg(edit=moved_up(0.04))))


def test_dicom_that_is_no_segmentation_is_an_error() -> None:
    state = slice_at(0, SOPClassUID="1.2.840.10008.5.1.4.1.1.11.1")
    assert codes(cut(state)) == {"m.dcm": "mask-kind"}


def without(keyword: str) -> Edit:
    def edit(made: Dataset) -> None:
        delattr(made, keyword)

    return edit


@pytest.mark.parametrize(
    "data",
    [
        seg(edit=without("PerFrameFunctionalGroupsSequence")),
        seg(edit=without("SegmentSequence")),
        seg(edit=without("PixelData")),
        seg(edit=without("Rows")),
        seg()[:400],
        seg()[:138] + b"\x2e" + seg()[139:],  # an integer of 46 bytes
    ],
)
def test_a_damaged_segmentation_is_an_error_and_nothing_is_logged(
    data: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    assert set(codes(cut(data)).values()) <= {"mask-unreadable", "mask-values", "mask-kind"}
    assert codes(cut(data))
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def fewer_groups(made: Dataset) -> None:
    del made.PerFrameFunctionalGroupsSequence[-1]


def more_groups(made: Dataset) -> None:
    made.PerFrameFunctionalGroupsSequence.append(made.PerFrameFunctionalGroupsSequence[0])


@pytest.mark.parametrize("edit", [fewer_groups, more_groups])
def test_a_frame_that_nothing_describes_is_not_left_out(edit: Edit) -> None:
    stack = cut(seg(edit=edit))
    assert codes(stack) == {"m.dcm": "mask-unreadable"}
    assert "more or fewer frames" in stack.errors[0][1].reason


def without_positions(made: Dataset) -> None:
    for group in made.PerFrameFunctionalGroupsSequence:
        del group.PlanePositionSequence


def without_labels(made: Dataset) -> None:
    for segment in made.SegmentSequence:
        del segment.SegmentLabel


@pytest.mark.parametrize(
    ("edit", "missing"),
    [
        (without("SharedFunctionalGroupsSequence"), "SharedFunctionalGroupsSequence"),
        (without_positions, "PlanePositionSequence"),
        (without_labels, "SegmentLabel"),
    ],
)
def test_what_a_segmentation_lacks_is_named(edit: Edit, missing: str) -> None:
    assert cut(seg(edit=edit)).errors[0][1].reason == f"it has no {missing}"


def test_a_segmentation_of_a_whole_slide_is_refused_as_such() -> None:
    def tile(made: Dataset) -> None:
        made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns = 2 * ROWS, 2 * COLS

    stack = cut(seg(edit=tile))
    assert codes(stack) == {"m.dcm": "mask-kind"}
    assert "whole slide" in stack.errors[0][1].reason


@pytest.mark.parametrize(("kind", "code"), [("BINARY", None), ("LABELMAP", "too-large")])
def test_pixels_of_one_bit_count_as_that(
    kind: str, code: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty structures on 300 slices of 512 x 512 have 188 MiB."""
    for module in ("imaging.limits", "formats.seg_file"):
        monkeypatch.setattr(f"chaosprep.{module}.MAX_BYTES", ROWS * COLS)
    assert codes(cut(seg(kind=kind))).get("m.dcm") == code


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    def grow(made: Dataset) -> None:
        made.Rows = made.Columns = 8000
        made.NumberOfFrames = 10**6

    assert codes(cut(seg(edit=grow))) == {"m.dcm": "too-large"}


def test_without_highdicom_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    data = seg()
    monkeypatch.setitem(sys.modules, "highdicom.seg", None)
    ((_, error),) = cut(data).errors
    assert error.code == "extra"
    assert "chaosprep[seg]" in error.remedy


def test_a_label_map_has_its_own_class() -> None:
    header = dcmread(BytesIO(seg(kind="LABELMAP")), stop_before_pixels=True)
    assert header.SOPClassUID == UID("1.2.840.10008.5.1.4.1.1.66.7")
