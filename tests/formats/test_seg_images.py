"""Which images a DICOM SEG was made on: listed ones, and unlisted ones of its series or stack."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from chaosprep.formats.dicom.reading import read_header, read_headers
from chaosprep.formats.masks import Stack, cut_mask
from tests.formats.samples import encoded, item
from tests.formats.test_frames import enhanced, frame_group, group
from tests.formats.test_segmentations import (
    COUNT,
    FRAME,
    IMAGES,
    LABELS,
    PATHS,
    Edit,
    codes,
    seg,
    seg_of,
)
from tests.layouts.trees import COLS, ROWS, STEP

hd = pytest.importorskip("highdicom")

LISTED = [PATHS[1], PATHS[2]]  # dcmqi lists the images of the frames that it writes
Changes = dict[int, dict[str, object]]
OTHER = generate_uid(entropy_srcs=["other"])


def image(place: int, **changes: object) -> bytes:
    made = dcmread(BytesIO(IMAGES[PATHS[place]]))
    for keyword, value in changes.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return encoded(made)


def sparse(edit: Edit | None = None) -> bytes:
    """A SEG as dcmqi writes it, on two of the four images."""
    return seg(LABELS[1:3], images=LISTED, edit=edit)


def cut(changed: Changes, data: bytes | None = None) -> Stack:
    """Lay the sparse SEG on the series, some of whose images differ."""
    headers = {
        path: read_header(image(place, **changed.get(place, {})))
        for place, path in enumerate(PATHS)
    }
    return cut_mask(Path(), "m.dcm", data or sparse(), headers, COUNT)


def everywhere(**changes: object) -> Changes:
    return {place: dict(changes) for place in range(COUNT)}


def own_series() -> Changes:
    """A SeriesInstanceUID for each slice, as some anonymisers make it."""
    return {n: {"SeriesInstanceUID": generate_uid(entropy_srcs=[str(n)])} for n in range(COUNT)}


def assert_all(stack: Stack) -> None:
    assert stack.errors == []
    assert np.array_equal(np.stack([stack.labels[path] for path in PATHS]), LABELS)


def assert_foreign(stack: Stack, *places: int) -> None:
    """These images have no mask, all others theirs."""
    path = PATHS[places[0]] if len(places) == 1 else "m.dcm"
    assert codes(stack) == {path: "mask-missing"}
    others = [path for place, path in enumerate(PATHS) if place not in places]
    assert list(stack.labels) == others


def test_unlisted_images_of_the_referenced_series_are_empty_and_it_is_said() -> None:
    stack = cut({})
    assert_all(stack)
    assert stack.note is not None
    assert "does not list 2 of 4 images" in stack.note


def test_nothing_is_said_where_all_are_listed() -> None:
    assert cut({}, seg()).note is None


def test_a_series_without_any_listed_image_is_empty_too() -> None:
    """All the organ lies elsewhere: the series alone tells that the SEG is its own."""
    headers = {PATHS[0]: read_header(image(0)), PATHS[3]: read_header(image(3))}
    stack = cut_mask(Path(), "m.dcm", sparse(), headers, 2)
    assert codes(stack) == {"m.dcm": "mask-surplus"}
    assert not any(plane.any() for plane in stack.labels.values())


def test_one_series_for_each_slice_is_one_stack() -> None:
    assert_all(cut(own_series()))


def test_images_without_a_series_are_told_by_the_stack() -> None:
    assert_all(cut(everywhere(SeriesInstanceUID=None)))


def test_images_of_another_series_are_foreign() -> None:
    assert_foreign(cut({3: {"SeriesInstanceUID": OTHER}}), 3)
    assert_foreign(cut({0: {"SeriesInstanceUID": OTHER}, 3: {"SeriesInstanceUID": OTHER}}), 0, 3)


def test_a_whole_series_that_only_lies_at_the_same_place_is_foreign() -> None:
    """An out-phase beside the in-phase that was segmented."""
    new: Changes = {
        n: {"SeriesInstanceUID": OTHER, "SOPInstanceUID": generate_uid(entropy_srcs=[f"o{n}"])}
        for n in range(COUNT)
    }
    stack = cut(new)
    assert "mask-missing" in {error.code for _, error in stack.errors}
    assert stack.labels == {}


def test_an_image_in_another_frame_of_reference_is_foreign() -> None:
    assert_foreign(cut({3: {"FrameOfReferenceUID": OTHER}}), 3)
    assert_foreign(cut(own_series() | {0: {"FrameOfReferenceUID": OTHER}}), 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"PixelSpacing": [1.25, 1.6]},
        {"ImagePositionPatient": [-9.0, -20, STEP * 3]},
        {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]},
        {"Rows": ROWS - 1, "PixelData": bytes(2 * (ROWS - 1) * COLS)},
    ],
)
def test_an_image_on_another_grid_is_foreign(changes: dict[str, object]) -> None:
    assert_foreign(cut({3: changes}), 3)


TILTED = [1, 0, 0, 0, 0.970295726276, -0.2419218955997]  # the table still moves along z


@pytest.mark.parametrize("frames", [slice(1, 2), slice(1, 3)])
def test_a_tilted_series_is_one_stack_too(frames: slice) -> None:
    def tilt(made: Dataset) -> None:
        shared = made.SharedFunctionalGroupsSequence[0]
        shared.PlaneOrientationSequence[0].ImageOrientationPatient = TILTED

    data = seg(LABELS[frames], images=PATHS[frames], edit=tilt)
    stack = cut(everywhere(ImageOrientationPatient=TILTED), data)
    assert stack.errors == []
    assert list(stack.labels) == PATHS
    assert np.array_equal(stack.labels[PATHS[1]], LABELS[1])


def test_of_unknown_series_an_image_between_the_planes_is_foreign() -> None:
    """Half a step off: another series, interleaved."""
    changed = everywhere(SeriesInstanceUID=None)
    changed[3]["ImagePositionPatient"] = [-10, -20, STEP * 3.5]
    assert_foreign(cut(changed), 3)


def test_of_unknown_series_and_frame_of_reference_nothing_is_empty_unless_some_are_listed() -> None:
    bare = everywhere(SeriesInstanceUID=None, FrameOfReferenceUID=None)
    assert_all(cut(bare))
    headers = {
        PATHS[0]: read_header(image(0, **bare[0])),
        PATHS[3]: read_header(image(3, **bare[3])),
    }
    stack = cut_mask(Path(), "m.dcm", sparse(), headers, 2)
    assert stack.labels == {}


def test_without_any_list_another_frame_of_reference_is_foreign() -> None:
    def bare(made: Dataset) -> None:
        del made.ReferencedSeriesSequence
        for frame in made.PerFrameFunctionalGroupsSequence:
            del frame.DerivationImageSequence

    assert_all(cut({}, seg(edit=bare)))
    stack = cut(everywhere(FrameOfReferenceUID=OTHER), seg(edit=bare))
    assert "mask-missing" in {error.code for _, error in stack.errors}
    assert stack.labels == {}


def multi_frame() -> Dataset:
    """One file of three frames, the highest first, all at one echo time."""
    frames = [frame_group(n) for n in (2, 1, 0)]
    for frame in frames:
        del frame.MREchoSequence
    made = enhanced(
        PerFrameFunctionalGroupsSequence=Sequence(frames),
        SharedFunctionalGroupsSequence=Sequence(
            [
                group(
                    PixelMeasuresSequence=item(PixelSpacing=[1.25, 1.5], SliceThickness=5),
                    PlaneOrientationSequence=item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
                )
            ]
        ),
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1",
        StudyInstanceUID=generate_uid(entropy_srcs=["study"]),
        SeriesInstanceUID=generate_uid(entropy_srcs=["series"]),
        FrameOfReferenceUID=FRAME,
        PatientID="A-17",
        **dict.fromkeys(("PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID"), ""),
        **dict.fromkeys(("StudyDate", "StudyTime", "ReferringPhysicianName"), ""),
        SeriesNumber=1,
    )
    return dcmread(BytesIO(encoded(made)))


FRAMES = np.zeros((3, ROWS, COLS), np.uint8)  # as the frames stand in the file
FRAMES[0, 0] = 1
FRAMES[1, :, 1] = 2


def multi_frame_seg(edit: Edit | None = None) -> bytes:
    """A SEG of the multi-frame image."""
    return seg_of([multi_frame()], FRAMES, edit=edit)


def cut_frames(edit: Edit | None = None, *, places: bool = True) -> Stack:
    """Lay the SEG on the frames, in anatomical order."""
    source = multi_frame() if places else strip(multi_frame())
    headers = read_headers(encoded(source))
    images = {f"i/a.dcm#{n}": headers[n] for n in (2, 1, 0)}
    return cut_mask(Path(), "m.dcm", multi_frame_seg(edit), images, 3)


def strip(source: Dataset) -> Dataset:
    for frame in source.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence
    return source


def assert_frames(stack: Stack) -> None:
    assert stack.errors == []
    found = [stack.labels[f"i/a.dcm#{n}"] for n in range(3)]
    assert np.array_equal(np.stack(found), FRAMES)


def frame_numbers(made: Dataset) -> list[Dataset]:
    return [
        frame.DerivationImageSequence[0].SourceImageSequence[0]
        for frame in made.PerFrameFunctionalGroupsSequence
    ]


def test_a_seg_of_a_multi_frame_image_goes_by_its_frame_numbers() -> None:
    assert_frames(cut_frames())
    assert_frames(cut_frames(places=False))


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_segments_of_a_multi_frame_image_may_overlap(kind: str) -> None:
    planes = np.stack([FRAMES > 0, FRAMES == 2], axis=3)
    data = seg_of(
        [multi_frame()], planes.astype(np.float32 if kind == "FRACTIONAL" else np.uint8), kind
    )
    headers = read_headers(encoded(multi_frame()))
    images = {f"i/a.dcm#{n}": headers[n] for n in (2, 1, 0)}
    stack = cut_mask(Path(), "m.dcm", data, images, 3, threshold=0.5)
    assert stack.errors == []
    assert stack.overlaps == {3: (1, 2)}
    found = np.stack([stack.labels[f"i/a.dcm#{n}"] for n in range(3)])
    assert np.array_equal(found, np.choose(FRAMES, [0, 1, 3]))


def test_without_frame_numbers_it_goes_by_place() -> None:
    def bare(made: Dataset) -> None:
        for source in frame_numbers(made):
            del source.ReferencedFrameNumber

    assert_frames(cut_frames(bare))


def test_without_any_reference_it_goes_by_place_too() -> None:
    def bare(made: Dataset) -> None:
        del made.ReferencedSeriesSequence
        for frame in made.PerFrameFunctionalGroupsSequence:
            del frame.DerivationImageSequence

    assert_frames(cut_frames(bare))


def test_a_frame_number_that_its_place_belies_is_refused() -> None:
    def turn(made: Dataset) -> None:
        for source in frame_numbers(made):
            source.ReferencedFrameNumber = 3 - int(source.ReferencedFrameNumber)

    assert codes(cut_frames(turn)) == {"m.dcm": "mask-grid"}


def test_a_frame_made_of_several_lies_where_it_says() -> None:
    def all_of_them(made: Dataset) -> None:
        for source in frame_numbers(made):
            source.ReferencedFrameNumber = [1, 2, 3]

    assert_frames(cut_frames(all_of_them))
