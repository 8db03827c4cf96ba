"""Grids of slices in one picture: the slices are frames, each at its own place."""

import gzip
import random
import time
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read, read_frames, read_header, read_headers
from tests.formats.mosaics import (
    ACROSS,
    COLS,
    ROWS,
    SPACING,
    TURNED,
    Stack,
    csa,
    siemens,
    united_imaging,
)
from tests.formats.samples import encapsulated, encoded
from tests.formats.test_transfer import rle

Maker = Callable[[Stack], Dataset]
MAKERS: dict[str, Maker] = {"Siemens": siemens, "United Imaging": united_imaging}


@pytest.fixture(params=MAKERS)
def maker(request: pytest.FixtureRequest) -> Maker:
    return MAKERS[str(request.param)]


def places(data: bytes) -> NDArray[np.float64]:
    return np.array([header.image_position_patient for header in read_headers(data)])


@pytest.mark.parametrize("count", [2, 4, 5, 7, 9, 20])
def test_the_slices_are_frames_in_their_order(maker: Maker, count: int) -> None:
    stack = Stack(count)
    headers, pixels = read_frames(encoded(maker(stack)))
    np.testing.assert_array_equal(pixels, stack.voxels)
    assert headers == read_headers(encoded(maker(stack)))
    assert {(h.rows, h.cols, h.frames, h.pixel_spacing) for h in headers} == {
        (ROWS, COLS, count, SPACING)
    }
    assert [h.frame_number for h in headers] == list(range(1, count + 1))
    assert not any(h.notes for h in headers)


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
@pytest.mark.parametrize("count", [2, 7, 20])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_each_slice_lies_where_it_was_taken(
    maker: Maker, side: float, count: int, syntax: UID
) -> None:
    stack = Stack(count, side=side)
    if syntax == ExplicitVRBigEndian:
        made = maker(Stack(count, side=side, changes={"PixelData": b""}))
        made.PixelData = maker(stack).pixel_array.astype(">u2").tobytes()
        data = encoded(made, syntax)
    else:
        data = encoded(maker(stack), syntax)
    np.testing.assert_allclose(places(data), stack.positions, atol=1e-6)
    np.testing.assert_allclose(
        stack.positions[1] - stack.positions[0], side * 5.5 * np.array(ACROSS)
    )


def test_one_slice_is_read_as_all_are(maker: Maker) -> None:
    data = encoded(maker(Stack(7)))
    headers, pixels = read_frames(data)
    for frame in (0, 6, 3):
        header, array = read(data, frame)
        assert header == headers[frame]
        np.testing.assert_array_equal(array, pixels[frame])


def test_a_slice_that_is_not_there_is_an_error(maker: Maker) -> None:
    data = encoded(maker(Stack(7)))
    with pytest.raises(FileError, match=r"no frame 7: they are 0 to 6") as missing:
        read(data, 7)
    assert missing.value.code == "frame-missing"
    for reader in (read_header, read):
        with pytest.raises(FileError, match=r"7 frames in one file") as several:
            reader(data)
        assert several.value.code == "multi-frame"


def test_a_compressed_mosaic_is_cut_as_well() -> None:
    stack = Stack(7)
    made = siemens(stack)
    data = encapsulated([rle(made.pixel_array)], RLELossless, made.pixel_array)
    whole = dcmread(BytesIO(data))
    made.file_meta.TransferSyntaxUID = RLELossless
    made.PixelData = whole.PixelData
    made["PixelData"].is_undefined_length = True
    np.testing.assert_array_equal(read_frames(encoded(made, RLELossless))[1], stack.voxels)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_nibabel_gives_the_same_mosaic(side: float) -> None:
    compare(encoded(siemens(Stack(7, side=side))))


@pytest.mark.parametrize("b_value", [0, 1000])
def test_a_mosaic_of_a_scanner_is_read_as_nibabel_does(b_value: int) -> None:
    folder = Path(nibabel.__file__).parent / "nicom" / "tests" / "data"
    data = gzip.decompress((folder / f"siemens_dwi_{b_value}.dcm.gz").read_bytes())
    compare(data)
    assert float(read_headers(data)[0].evidence["DiffusionBValue"]) == b_value


def compare(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nibabel calls its reader experimental
        from nibabel.nicom.dicomwrappers import wrapper_from_data

        peer: Any = wrapper_from_data(dcmread(BytesIO(data)))  # type: ignore[no-untyped-call]
    headers, pixels = read_frames(data)
    np.testing.assert_array_equal(pixels, np.moveaxis(peer.get_unscaled_data(), 2, 0))
    there = [(peer.affine @ [0, 0, number, 1])[:3] for number in range(len(headers))]
    np.testing.assert_allclose(places(data), there, atol=1e-3)


def test_the_number_may_stand_in_the_csa_header_alone() -> None:
    assert len(read_headers(encoded(siemens(Stack(7), count=None)))) == 7


def test_the_blocks_of_private_elements_may_be_any() -> None:
    made = siemens(Stack(7))
    header = made[0x0029, 0x1010].value
    del made[0x0029, 0x1010], made[0x0029, 0x0010]
    made.private_block(0x0029, "SOMEBODY ELSE", create=True).add_new(0x10, "OB", b"SV10")
    made.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", header)
    assert (0x0029, 0x1110) in made
    assert len(read_headers(encoded(made))) == 7


def test_a_mosaic_of_one_slice_is_a_plain_picture() -> None:
    stack = Stack(1)
    header, pixels = read(encoded(siemens(stack)))
    np.testing.assert_array_equal(pixels, stack.voxels[0])
    assert header.image_position_patient == pytest.approx(stack.first)


def test_the_sequence_may_be_written_as_of_unknown_kind() -> None:
    stack = Stack(7)
    made = united_imaging(stack)
    inner = Dataset()
    inner.add_new((0x0065, 0x1051), "SQ", made[0x0065, 0x1051].value)
    stream = BytesIO()
    inner.save_as(stream, implicit_vr=True, little_endian=True)
    del made[0x0065, 0x1051]
    made.add_new((0x0065, 0x1051), "UN", stream.getvalue()[8:])
    np.testing.assert_allclose(places(encoded(made)), stack.positions, atol=1e-6)


def test_the_frames_tell_which_volume_they_are_of() -> None:
    keywords = "AcquisitionNumber", "AcquisitionTime", "DiffusionBValue"
    found = {
        tuple(header.evidence.get(keyword) for keyword in keywords)
        for header in read_headers(encoded(siemens(Stack(7))))
    }
    assert found == {("3", "101112.5", "800")}
    earliest = {
        h.evidence["AcquisitionTime"] for h in read_headers(encoded(united_imaging(Stack(7))))
    }
    assert earliest == {"101153.5"}


def without(*keywords: str) -> Stack:
    return Stack(7, changes=dict.fromkeys(keywords))


UNTOLD = {
    "no CSA header": (
        siemens(Stack(7), header=b"damaged"),
        "7",
        "SliceNormalVector in the CSA header",
    ),
    "a CSA header without what counts": (
        siemens(Stack(7), count=None, header=csa({})),
        "several",
        "NumberOfImagesInMosaic, SliceNormalVector in the CSA header",
    ),
    "no direction": (
        siemens(Stack(7), tags={"SliceNormalVector": []}),
        "7",
        "SliceNormalVector in the CSA header",
    ),
    "a direction of no numbers": (
        siemens(Stack(7), tags={"SliceNormalVector": ["nan", 0, 1]}),
        "7",
        "SliceNormalVector in the CSA header",
    ),
    "no distance": (siemens(without("SpacingBetweenSlices")), "7", "SpacingBetweenSlices"),
    "no position": (siemens(without("ImagePositionPatient")), "7", "ImagePositionPatient"),
    "no orientation": (siemens(without("ImageOrientationPatient")), "7", "ImageOrientationPatient"),
    "no spacing": (siemens(without("PixelSpacing")), "7", "PixelSpacing"),
    "no number at United Imaging's": (
        united_imaging(Stack(7), count=None),
        "several",
        "how many there are",
    ),
    "no sequence": (
        united_imaging(Stack(7), items=0),
        "7",
        "ImagePositionPatient of each slice",
    ),
}


@pytest.mark.parametrize("name", UNTOLD)
def test_a_grid_that_does_not_tell_where_its_slices_lie_is_refused(name: str) -> None:
    made, held, missing = UNTOLD[name]
    with pytest.raises(FileError) as error:
        read_headers(encoded(made))
    assert error.value.code == "grid-of-slices"
    assert error.value.reason == (
        f"a grid of {held} slices in one picture (a mosaic): the header does not give {missing}"
    )


WHOLE = csa({"NumberOfImagesInMosaic": [7], "SliceNormalVector": ACROSS})
LATER = b"\xff\xff\xff\x7f"
CONTRADICTIONS = {
    "a grid that does not fit": (
        siemens(Stack(7), count=50, tags={"NumberOfImagesInMosaic": [50]}),
        "a grid of 8 x 8 slices does not fit a picture of 12 x 18 pixels",
    ),
    "two numbers": (
        siemens(Stack(7), count=8),
        "its NumberOfImagesInMosaic is 8, and 7 in the CSA header",
    ),
    "a number that is none": (
        siemens(Stack(7), count=None, tags={"NumberOfImagesInMosaic": ["-7"]}),
        "its CSA header has no usable NumberOfImagesInMosaic",
    ),
    "a direction in the plane": (
        siemens(Stack(7), tags={"SliceNormalVector": TURNED[:3]}),
        "its SliceNormalVector is not perpendicular to its slices",
    ),
    "a direction of zeros": (
        siemens(Stack(7), tags={"SliceNormalVector": [0, 0, 0]}),
        "its SliceNormalVector is not perpendicular to its slices",
    ),
    "more tags than there are": (
        siemens(Stack(7), header=WHOLE[:8] + LATER + WHOLE[12:]),
        "its CSA header is damaged",
    ),
    "more items than there are": (
        siemens(Stack(7), header=WHOLE[:92] + LATER + WHOLE[96:]),
        "its CSA header is damaged",
    ),
    "an item longer than the header": (
        siemens(Stack(7), header=WHOLE[:104] + LATER + WHOLE[108:]),
        "its CSA header is damaged",
    ),
    "a CSA header cut short": (siemens(Stack(7), header=WHOLE[:-30]), "its CSA header is damaged"),
    "a CSA header of nothing": (siemens(Stack(7), header=b"SV10"), "its CSA header is damaged"),
    "a CSA header without an end": (
        siemens(Stack(7), header=b"SV10" + bytes(4 * 2**20)),
        "its CSA header is above 4 MiB",
    ),
    "fewer places than slices": (
        united_imaging(Stack(7), items=6),
        "the header places 6 slices, of 7 in its picture",
    ),
    "a grid of United Imaging's that does not fit": (
        united_imaging(Stack(7), count=50),
        "the header places 7 slices, of 50 in its picture",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_grid_that_contradicts_itself_is_refused(name: str) -> None:
    made, reason = CONTRADICTIONS[name]
    with pytest.raises(FileError) as error:
        read_headers(encoded(made))
    assert (error.value.code, error.value.reason) == ("dicom-broken", reason)


def test_a_picture_with_more_slices_than_it_announces_is_refused() -> None:
    made = siemens(Stack(7), count=6, tags={"NumberOfImagesInMosaic": [6]})
    assert len(read_headers(encoded(made))) == 6
    for reader in (read_frames, lambda data: read(data, 2)):
        with pytest.raises(FileError, match="more than the 6 slices that it announces") as error:
            reader(encoded(made))
        assert error.value.code == "dicom-broken"


def test_a_grid_of_more_slices_than_a_series_has_is_too_large() -> None:
    made = siemens(Stack(7), count=60000, tags={"NumberOfImagesInMosaic": [60000]})
    with pytest.raises(FileError, match="60000 slices in a picture") as error:
        read_headers(encoded(made))
    assert error.value.code == "too-large"


def test_a_sequence_of_very_many_items_is_not_unpacked() -> None:
    made = united_imaging(Stack(7), items=0)
    made.add_new((0x0065, 0x1051), "UN", b"\xfe\xff\x00\xe0\0\0\0\0" * (2**18 // 8 + 1))
    with pytest.raises(FileError, match="above 256 KiB") as error:
        read_headers(encoded(made))
    assert error.value.code == "too-large"


def test_the_largest_headers_that_are_read_take_little_time() -> None:
    many = united_imaging(Stack(7), items=0)
    many.add_new((0x0065, 0x1051), "UN", b"\xfe\xff\x00\xe0\0\0\0\0" * (2**18 // 8))
    long = csa({"NumberOfImagesInMosaic": [7]})[:16] + bytes(4 * 2**20 - 16)
    long = long[:8] + b"\xff\xff\xff\x7f" + long[12:]
    items = long[:16] + bytes(76) + b"\xff\xff\xff\x7f" + long[96:]
    started = time.process_time()
    for made in (many, siemens(Stack(7), header=long), siemens(Stack(7), header=items)):
        with pytest.raises(FileError):
            read_headers(encoded(made))
    assert time.process_time() - started < 4  # seconds, for three files


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_csa_header_is_refused_or_says_the_same(seed: int) -> None:
    draw, started = random.Random(seed), time.process_time()
    told = places(encoded(siemens(Stack(7), header=WHOLE)))
    for _ in range(40):
        header = bytearray(WHOLE)
        for _ in range(draw.choice([1, 2, 8])):
            header[draw.randrange(len(header))] = draw.choice([0, 1, 0x7F, 0x80, 0xFF])
        try:
            found = places(encoded(siemens(Stack(7), header=bytes(header))))
        except FileError as error:
            assert error.code in ("dicom-broken", "grid-of-slices")  # noqa: PT017
        else:
            assert np.allclose(found, told) or np.allclose(found[0], told[0])
    assert time.process_time() - started < 20
