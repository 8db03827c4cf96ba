"""Files of several frames: one header each, from the functional groups."""

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read, read_frames, read_header, read_headers
from chaosprep.imaging.space.geometry import order_series
from tests.formats.samples import PIXELS, dataset, dicom, encoded, item

STACK = np.stack([PIXELS, PIXELS + 1, PIXELS + 2])
ROOT: dict[str, Any] = {
    "NumberOfFrames": 3,
    "Rows": 3,
    "Columns": 4,
    "EchoTime": None,
    **dict.fromkeys(("PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient")),
    **dict.fromkeys(("SpacingBetweenSlices", "SliceThickness", "WindowCenter", "WindowWidth")),
}


def group(**sequences: object) -> Dataset:
    """Make one item of a functional groups sequence."""
    made: Dataset = item(**sequences)[0]
    return made


def frame_group(index: int) -> Dataset:
    return group(
        PlanePositionSequence=item(ImagePositionPatient=[0, 0, 5.5 * index]),
        PixelValueTransformationSequence=item(RescaleSlope=index + 1, RescaleIntercept=-index),
        FrameVOILUTSequence=item(WindowCenter=100.5 + index, WindowWidth=201),
        MREchoSequence=item(EffectiveEchoTime=2.25 + index),
    )


SHARED = group(
    PixelMeasuresSequence=item(PixelSpacing=[1.25, 1.5], SliceThickness=5),
    PlaneOrientationSequence=item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1]),
    PlanePositionSequence=item(ImagePositionPatient=[9, 9, 9]),  # each frame has its own
)


def enhanced(**changes: object) -> Dataset:
    groups = [frame_group(index) for index in range(3)]
    values = {
        "PerFrameFunctionalGroupsSequence": Sequence(groups),
        "SharedFunctionalGroupsSequence": Sequence([SHARED]),
    }
    return dataset(STACK, **{**ROOT, **values, **changes})


SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_each_frame_of_an_enhanced_file_has_its_own_values(syntax: UID) -> None:
    headers, pixels = read_frames(encoded(enhanced(), syntax))
    np.testing.assert_array_equal(pixels, STACK)
    assert [header.image_position_patient for header in headers] == [
        (0.0, 0.0, 0.0),
        (0.0, 0.0, 5.5),
        (0.0, 0.0, 11.0),
    ]
    assert [header.rescale_slope for header in headers] == [1.0, 2.0, 3.0]
    assert [header.rescale_intercept for header in headers] == [0.0, -1.0, -2.0]
    assert [header.echo_time for header in headers] == [2.25, 3.25, 4.25]
    # 100.5 - 0.5 -+ 100 = 0..200 in modality units, undone through each frame's rescale.
    assert [header.window for header in headers] == [(0, 200), (1, 101), (4 / 3, 68)]


def test_what_frames_share_counts_for_each() -> None:
    for header in read_headers(encoded(enhanced())):
        assert header.pixel_spacing == (1.25, 1.5)
        assert header.slice_thickness == 5.0
        assert header.image_orientation_patient == (0, 1, 0, 0, 0, -1)
        assert header.frames == 3


def test_the_root_counts_where_no_group_speaks() -> None:
    per_frame = Sequence([group(PlanePositionSequence=item()) for _ in range(3)])
    data = encoded(
        enhanced(
            PerFrameFunctionalGroupsSequence=per_frame,
            SharedFunctionalGroupsSequence=None,
            EchoTime="4.6",
            RescaleSlope=2,
            PixelSpacing=[3, 4],
        )
    )
    for header in read_headers(data):
        assert (header.echo_time, header.rescale_slope) == (4.6, 2.0)
        assert header.pixel_spacing == (3.0, 4.0)


def test_big_endian_groups_are_read_as_well() -> None:
    slice_ = enhanced(PixelData=STACK.astype(">u2").tobytes())
    slice_["PixelData"].VR = "OW"
    headers, pixels = read_frames(encoded(slice_, ExplicitVRBigEndian))
    np.testing.assert_array_equal(pixels, STACK)
    assert [header.echo_time for header in headers] == [2.25, 3.25, 4.25]


def test_one_frame_can_be_read_alone() -> None:
    data = encoded(enhanced())
    headers, pixels = read_frames(data)
    for index in range(3):
        header, found = read(data, index)
        assert header == headers[index]
        np.testing.assert_array_equal(found, pixels[index])


@pytest.mark.parametrize("index", [-1, 3])
def test_a_frame_that_is_not_there_is_named(index: int) -> None:
    with pytest.raises(FileError, match=f"no frame {index}: they are 0 to 2") as caught:
        read(encoded(enhanced()), index)
    assert caught.value.code == "frame-missing"


def test_one_slice_is_read_as_a_stack_of_one() -> None:
    headers, pixels = read_frames(dicom())
    assert headers == (read_header(dicom()),)
    np.testing.assert_array_equal(pixels, PIXELS[np.newaxis])


def test_a_single_enhanced_frame_is_a_slice() -> None:
    groups = Sequence([frame_group(1)])
    changes = {**ROOT, "NumberOfFrames": 1, "PerFrameFunctionalGroupsSequence": groups}
    header = read_header(dicom(PIXELS, **changes))
    assert (header.image_position_patient, header.echo_time) == ((0, 0, 5.5), 3.25)


def test_legacy_converted_files_keep_the_classic_values() -> None:
    groups = [
        group(
            UnassignedPerFrameConvertedAttributesSequence=item(
                EchoTime="4.6", InstanceNumber=30 - index
            )
        )
        for index in range(3)
    ]
    headers = read_headers(encoded(enhanced(PerFrameFunctionalGroupsSequence=Sequence(groups))))
    assert [header.echo_time for header in headers] == [4.6] * 3
    assert [header.instance_number for header in headers] == [30, 29, 28]


def test_frames_without_groups_have_no_position_but_a_number() -> None:
    headers = read_headers(dicom(STACK, **{**ROOT, "ImagePositionPatient": [0, 0, 7]}))
    assert [header.image_position_patient for header in headers] == [None] * 3
    assert [header.instance_number for header in headers] == [1, 2, 3]
    assert order_series(headers).indices == (0, 1, 2)


def test_groups_of_another_number_of_frames_are_left_out_and_said() -> None:
    data = encoded(
        enhanced(PerFrameFunctionalGroupsSequence=Sequence([frame_group(0), frame_group(1)]))
    )
    for header in read_headers(data):
        assert header.notes == ("per-frame values of 2 frames are left out: the file has 3",)
        assert header.rescale_slope == 1.0
        assert header.pixel_spacing == (1.25, 1.5)


def test_single_bits_are_unpacked_frame_by_frame() -> None:
    # 3 frames of 3 x 3 bits, least significant first, frames not padded (PS3.5 8.1.1).
    bits = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 1]], np.uint8)
    stack = np.stack([bits, 1 - bits, bits])
    packed = np.packbits(stack.ravel(), bitorder="little").tobytes()
    changes: dict[str, Any] = {
        **ROOT,
        **{"Rows": 3, "Columns": 3, "BitsAllocated": 1, "BitsStored": 1, "HighBit": 0},
        "PixelData": packed,
    }
    data = dicom(STACK, **changes)
    headers, pixels = read_frames(data)
    assert (headers[0].dtype, headers[0].bits_stored) == ("uint8", 1)
    np.testing.assert_array_equal(pixels, stack)
    np.testing.assert_array_equal(read(data, 1)[1], stack[1])


@pytest.mark.parametrize(("value", "frames"), [("", 1), ("0", 1), ("1", 1), ("+1", 1)])
def test_no_number_of_frames_is_one(value: str, frames: int) -> None:
    assert read_header(dicom(NumberOfFrames=value)).frames == frames
