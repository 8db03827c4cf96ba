"""Where compressed frames begin: a frame read alone is that of all, or the file is refused."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read, read_frames
from tests.formats.samples import PIXELS, dataset, encapsulated, encoded
from tests.formats.test_transfer import GREY, jpeg, jpeg_2000, rle

FRAMES = [rle(PIXELS + frame) for frame in range(3)]
STARTS = [0, *(8 + len(FRAMES[0]), 16 + len(FRAMES[0]) + len(FRAMES[1]))]
END = STARTS[2] + 8 + len(FRAMES[2])
LENGTHS = [len(frame) for frame in FRAMES]


def items(*parts: bytes) -> bytes:
    """The items of compressed pixel data, the first of which is the Basic Offset Table."""
    head = b"\xfe\xff\x00\xe0"
    body = b"".join(head + struct.pack("<I", len(part)) + part for part in parts)
    return body + b"\xfe\xff\xdd\xe0\0\0\0\0"


def rle_file(basic: list[int], fragments: list[bytes] = FRAMES, **changes: object) -> bytes:
    table = struct.pack(f"<{len(basic)}I", *basic)
    values = {"NumberOfFrames": 3, "PixelData": items(table, *fragments), **changes}
    slice_ = dataset(**values)
    slice_["PixelData"].is_undefined_length = True
    return encoded(slice_, RLELossless)


def extended(offsets: list[int], lengths: list[int]) -> dict[str, Any]:
    pack = [struct.pack(f"<{len(table)}Q", *table) for table in (offsets, lengths)]
    return {"ExtendedOffsetTable": pack[0], "ExtendedOffsetTableLengths": pack[1]}


def jpegs(fragments: list[bytes], frames: int, **changes: object) -> bytes:
    slice_ = dataset(GREY, PixelData=items(b"", *fragments), NumberOfFrames=frames, **changes)
    slice_["PixelData"].is_undefined_length = True
    return encoded(slice_, JPEGBaseline8Bit)


BASIC, EXTENDED = "its Basic Offset Table", "its Extended Offset Table"
BEGINNING = "points elsewhere than at the beginning of a fragment"
REFUSED = {
    "a table that falls": (rle_file([0, STARTS[2], STARTS[1]]), f"{BASIC} is not ascending"),
    "a frame twice": (rle_file([0, STARTS[1], STARTS[1]]), f"{BASIC} is not ascending"),
    "a frame of the wrong beginning": (rle_file(STARTS[1:]), f"{BASIC} does not begin"),
    "between fragments": (rle_file([0, STARTS[1] + 2, STARTS[2]]), f"{BASIC} {BEGINNING}"),
    "beyond the data": (rle_file([0, STARTS[1], 2**31]), f"{BASIC} {BEGINNING}"),
    "at the end of the data": (rle_file([0, STARTS[1], END]), f"{BASIC} {BEGINNING}"),
    "a short table": (rle_file(STARTS[:2]), f"{BASIC} gives the places of 2 of 3 frames"),
    "a longer table": (
        rle_file([*STARTS, END], [*FRAMES, FRAMES[0]]),
        "the pixel data hold 4 frames, the header announces 3",
    ),
    "an odd table": (
        encapsulated([FRAMES[0]], RLELossless).replace(items(bytes(4))[:12], items(bytes(6))[:14]),
        "the length of its Basic Offset Table is not a multiple of 4",
    ),
    "an extended table that falls": (
        rle_file([], **extended([0, STARTS[2], STARTS[1]], LENGTHS)),
        f"{EXTENDED} is not ascending",
    ),
    "an extended table between fragments": (
        rle_file([], **extended([0, STARTS[1] - 2, STARTS[2]], LENGTHS)),
        f"{EXTENDED} {BEGINNING}",
    ),
    "an extended table beyond all data": (
        rle_file([], **extended([0, STARTS[1], 2**63], LENGTHS)),
        f"{EXTENDED} {BEGINNING}",
    ),
    "extended lengths of other frames": (
        rle_file([], **extended(STARTS, [LENGTHS[0], LENGTHS[1] - 2, LENGTHS[2]])),
        f"{EXTENDED} Lengths are not those of the fragments",
    ),
    "extended lengths alone": (
        rle_file([], ExtendedOffsetTableLengths=struct.pack("<3Q", *LENGTHS)),
        f"{EXTENDED} is not complete",
    ),
    "tables of different length": (
        rle_file([], **extended(STARTS, LENGTHS[:2])),
        f"{EXTENDED} and the table of lengths",
    ),
    "an extended table for half the frames": (
        rle_file([], **extended(STARTS[:2], LENGTHS[:2])),
        f"{EXTENDED} gives the places of 2 of 3 frames",
    ),
    "two tables that disagree": (
        rle_file(
            [0, STARTS[2], END],
            [*FRAMES, FRAMES[0]],
            **extended([0, STARTS[1], STARTS[2], END], [*LENGTHS, LENGTHS[0]]),
        ),
        "its Basic Offset Table and Extended Offset Table disagree",
    ),
    "RLE frames of several fragments, and no table": (
        rle_file([], [*FRAMES, FRAMES[0]]),
        "the pixel data hold 4 frames, the header announces 3",
    ),
    "too few fragments": (rle_file([], FRAMES[:2]), "the pixel data hold 2 of 3 frames"),
    "JPEG fragments that nothing tells apart": (
        jpegs([jpeg(GREY), jpeg(GREY)[:50], jpeg(GREY)[50:], b"\0\0"], 2),
        "its fragments cannot be assigned to frames",
    ),
    "JPEG data that end within a fragment": (
        jpegs([jpeg(GREY)], 1).replace(b"\xff\xd9\xfe\xff\xdd\xe0", b""),
        "",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_frames_that_a_file_does_not_tell_clearly_are_refused_however_they_are_read(
    name: str,
) -> None:
    data, reason = REFUSED[name]
    for frame in (None, 0):
        with pytest.raises(FileError) as caught:
            read_frames(data) if frame is None else read(data, frame)
        assert caught.value.code in ("dicom-broken", "dicom-truncated")
        assert caught.value.reason.startswith(reason)


CUT = [part for frame in FRAMES for part in (frame[:40], frame[40:])]
SECOND = [0, *(16 + len(FRAMES[0]), 32 + len(FRAMES[0]) + len(FRAMES[1]))]
SOUND = {
    "without a table": rle_file([]),
    "with a basic table": rle_file(STARTS),
    "with an extended table": rle_file([], **extended(STARTS, LENGTHS)),
    "with an extended table of odd lengths": rle_file(
        [], **extended(STARTS, [LENGTHS[0] - 1, *LENGTHS[1:]])
    ),
    "with both tables": rle_file(STARTS, **extended(STARTS, LENGTHS)),
    "of several fragments each": rle_file(SECOND, CUT),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_frame_alone_is_that_of_all(name: str) -> None:
    data = SOUND[name]
    pixels = read_frames(data)[1]
    np.testing.assert_array_equal(pixels, [PIXELS, PIXELS + 1, PIXELS + 2])
    for frame in range(3):
        np.testing.assert_array_equal(read(data, frame)[1], pixels[frame])


def test_jpeg_frames_of_several_fragments_need_no_table() -> None:
    first, second = jpeg(GREY), jpeg(GREY[::-1])
    data = jpegs([first[:100], first[100:], second[:200], second[200:]], 2)
    whole = read_frames(data)[1]
    np.testing.assert_array_equal(whole, read_frames(jpegs([first, second], 2))[1])
    np.testing.assert_array_equal(read(data, 1)[1], whole[1])


def jpeg_ls(pixels: NDArray[np.integer[Any]]) -> bytes:
    rows, cols = pixels.shape
    encode = pytest.importorskip("jpeg_ls").encode_buffer
    made = encode(pixels.tobytes(), rows, cols, 1, 8 * pixels.itemsize)
    return bytes(made) + bytes(len(made) % 2)


Writer = Callable[[NDArray[np.integer[Any]]], bytes]
WRITERS: list[tuple[Writer, UID]] = [(jpeg_2000, JPEG2000Lossless), (jpeg_ls, JPEGLSLossless)]


@pytest.mark.parametrize(("write", "syntax"), WRITERS)
def test_bits_of_a_codestream_above_bits_stored_are_refused_where_they_are_in_use(
    write: Writer, syntax: UID
) -> None:
    deep, low = GREY.astype(np.uint16) * 257, GREY.astype(np.uint16)
    data = encapsulated([write(deep)], syntax, deep, BitsStored=12, HighBit=11)
    with pytest.raises(FileError, match="BitsStored is 12, and the bits above are in use"):
        read(data)
    fits = encapsulated([write(low)], syntax, low, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(read(fits)[1], low)


@pytest.mark.parametrize(("write", "syntax"), WRITERS)
def test_a_codestream_of_more_bits_than_are_allocated_is_refused(
    write: Writer, syntax: UID
) -> None:
    deep = GREY.astype(np.uint16) * 257
    with pytest.raises(FileError, match="image has 16 bits, BitsAllocated is 8"):
        read(encapsulated([write(deep)], syntax, GREY))


@pytest.mark.parametrize(("write", "syntax"), WRITERS)
def test_frames_that_differ_in_bits_are_refused(write: Writer, syntax: UID) -> None:
    frames = [write(GREY), write(GREY.astype(np.uint16))]
    deep = GREY.astype(np.uint16)
    with pytest.raises(FileError, match="its compressed frames differ in bits or sign"):
        read_frames(encapsulated(frames, syntax, deep, NumberOfFrames=2))


def test_fragments_of_odd_length_may_be_padded_at_the_end_of_all() -> None:
    odd = rle(PIXELS)[:-1]
    assert len(odd) % 2
    whole = items(b"", odd)
    slice_ = dataset(PixelData=whole[:-8] + b"\0" + whole[-8:])
    slice_["PixelData"].is_undefined_length = True
    np.testing.assert_array_equal(read(encoded(slice_, RLELossless))[1], PIXELS)


def test_a_compressed_image_whose_sign_bit_is_not_that_of_the_header_is_refused() -> None:
    positive, deep = GREY.astype(np.uint16) * 16, {"BitsStored": 12, "HighBit": 11}
    assert positive.max() >= 2**11
    signed = {**deep, "PixelRepresentation": 1}
    data = encapsulated([jpeg_2000(positive)], JPEG2000Lossless, positive, **signed)
    with pytest.raises(FileError, match="BitsStored is 12, and the compressed image has another"):
        read(data)
    unsigned = encapsulated([jpeg_2000(positive)], JPEG2000Lossless, positive, **deep)
    np.testing.assert_array_equal(read(unsigned)[1], positive)
