"""Transfer syntaxes: what decodes each, and what is refused before a decoder sees it."""

import base64
import importlib.util
import resource
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    MPEG2MPML,
    UID,
    DeflatedExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read, read_frames, read_header
from tests.formats.samples import PIXELS, dataset, dicom, encapsulated, encoded

CODECS = importlib.util.find_spec("openjpeg") is not None
needs_codecs = pytest.mark.skipif(not CODECS, reason="needs the extra [codecs]")
# PIXELS, encoded by OpenJPH 0.26.3: no library that is installed here writes HTJ2K.
HTJ2K = base64.b64decode(
    "/0//UQApQAAAAAAEAAAAAwAAAAAAAAAAAAAABAAAAAMAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB"
    "/1wAEyCIkJCQkJCQkJCQkJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAADkAAf+TwAAmzfcEB3QA"
    "AAAAwAATQAATAOLXBId0AH44BYd0AMAAKgAOx+H8BAJ0AP/Z"
)
BAD = {"dicom-broken", "dicom-truncated"}
GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)


def jpeg(pixels: NDArray[np.uint8], mode: str = "L") -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def jpeg_2000(pixels: NDArray[np.integer], jp2: bool = False) -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG2000", no_jp2=not jp2)
    return stream.getvalue()


def rle(pixels: NDArray[np.integer]) -> bytes:
    """Encode an RLE frame as PS3.5 Annex G has it: literal runs, most significant byte first."""
    planes = pixels.astype(pixels.dtype.newbyteorder(">")).view(np.uint8)
    segments = []
    for byte in range(pixels.itemsize):
        plane = planes.reshape(-1, pixels.itemsize)[:, byte].tobytes()
        runs = (plane[at : at + 128] for at in range(0, len(plane), 128))
        segment = b"".join(bytes([len(run) - 1]) + run for run in runs)
        segments.append(segment + bytes(len(segment) % 2))
    return rle_frame(segments)


def rle_frame(segments: list[bytes]) -> bytes:
    starts = [64 + sum(map(len, segments[:index])) for index in range(len(segments))]
    offsets = starts + [0] * (15 - len(starts))
    return struct.pack("<16I", len(segments), *offsets) + b"".join(segments)


def refused(data: bytes, reader: Callable[[bytes], object] = read) -> FileError:
    with pytest.raises(FileError) as caught:
        reader(data)
    return caught.value


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32"])
def test_rle_is_read_out_of_the_box(dtype: str) -> None:
    info = np.iinfo(dtype)
    pixels = np.array([[info.min, info.max, 0], [1, 2, info.max // 3]], dtype)
    np.testing.assert_array_equal(read(encapsulated([rle(pixels)], RLELossless, pixels))[1], pixels)


def test_frames_of_rle_are_read_one_by_one_or_together() -> None:
    frames = [rle(PIXELS), rle(PIXELS + 1)]
    data = encapsulated(frames, RLELossless, NumberOfFrames=2)
    np.testing.assert_array_equal(read_frames(data)[1], [PIXELS, PIXELS + 1])
    np.testing.assert_array_equal(read(data, 1)[1], PIXELS + 1)


@needs_codecs
def test_high_throughput_jpeg_2000_is_read_with_the_extra() -> None:
    np.testing.assert_array_equal(read(encapsulated([HTJ2K], HTJ2KLossless))[1], PIXELS)


@pytest.mark.parametrize("jp2", [False, True])
@pytest.mark.parametrize("pixels", [GREY, GREY.astype(np.uint16) * 257])
def test_jpeg_2000_is_read(pixels: NDArray[np.integer], jp2: bool) -> None:
    data = encapsulated([jpeg_2000(pixels, jp2)], JPEG2000Lossless, pixels)
    np.testing.assert_array_equal(read(data)[1], pixels)


def test_jpeg_baseline_is_read() -> None:
    frame = jpeg(GREY)
    expected = np.asarray(Image.open(BytesIO(frame)))
    np.testing.assert_array_equal(read(encapsulated([frame], JPEGBaseline8Bit, GREY))[1], expected)


@pytest.mark.parametrize(
    ("syntax", "name", "remedy"),
    [
        (JPEGLosslessSV1, "JPEG Lossless, Non-Hierarchical, First-Order", "[codecs-gpl]"),
        (JPEGLSLossless, "JPEG-LS Lossless Image Compression", "[codecs-gpl]"),
        (JPEGExtended12Bit, "JPEG Extended (Process 2 and 4)", "[codecs-gpl]"),
        (HTJ2KLossless, "High-Throughput JPEG 2000 Image", "[codecs]"),
        (MPEG2MPML, "MPEG2 Main Profile / Main Level", "gdcmconv --raw"),
    ],
)
def test_a_missing_decoder_is_named_with_the_extra_that_has_it(
    syntax: UID, name: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if syntax != MPEG2MPML:
        decoder = get_decoder(syntax)
        pillow = {name: found for name, found in decoder._available.items() if name == "pillow"}
        monkeypatch.setattr(decoder, "_available", pillow)
    data = encapsulated([b"\xff\xd8\xff\xd9"], syntax)
    error = refused(data)
    assert error.code == "transfer-syntax"
    assert error.reason.startswith(f"no decoder for {name}")
    assert remedy in error.remedy
    read_header(data)


def test_a_private_transfer_syntax_is_not_quoted() -> None:
    known = MPEG2MPML.encode()
    data = encapsulated([b"\0\0"], MPEG2MPML).replace(known, b"1.2.3.4".ljust(len(known), b"\0"))
    error = refused(data)
    assert error.code == "transfer-syntax"
    assert error.reason == "no decoder for a private transfer syntax is installed"


WRONG_SIZE = [
    (jpeg(GREY), JPEGBaseline8Bit, "16 x 16 of 1"),
    (jpeg(GREY, "RGB"), JPEGBaseline8Bit, "16 x 16 of 3"),
    (jpeg_2000(GREY), JPEG2000Lossless, "16 x 16 of 1"),
    (jpeg_2000(GREY, jp2=True), JPEG2000Lossless, "16 x 16 of 1"),
]


@pytest.mark.parametrize(("frame", "syntax", "size"), WRONG_SIZE)
def test_a_frame_of_another_size_is_refused(frame: bytes, syntax: UID, size: str) -> None:
    error = refused(encapsulated([frame], syntax, GREY[:3, :4]))
    assert error.code == "dicom-broken"
    assert error.reason == (
        f"the compressed image is {size} samples, the header announces 3 x 4 of 1"
    )


@pytest.mark.parametrize("frame", [b"\0\0", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xe0\0\0"])
@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000Lossless])
def test_a_frame_without_header_is_refused(frame: bytes, syntax: UID) -> None:
    assert refused(encapsulated([frame], syntax, GREY)).code in BAD


def test_too_few_frames_are_truncated_and_too_many_broken() -> None:
    frames = [rle(PIXELS)] * 2
    few = refused(encapsulated(frames, RLELossless, NumberOfFrames=3), read_frames)
    assert few.code in BAD
    many = [jpeg(GREY)] * 3
    error = refused(encapsulated(many, JPEGBaseline8Bit, GREY, NumberOfFrames=2), read_frames)
    assert (error.code, error.reason) == (
        "dicom-broken",
        "the pixel data hold 3 frames, the header announces 2",
    )


@pytest.mark.parametrize("table", [b"\xff\xff\xff\x7f", b"\x01\0", b"\x08\0\0\0" * 3])
def test_a_broken_offset_table_is_one_error(table: bytes) -> None:
    frame = rle(PIXELS)
    items = [b"\xfe\xff\x00\xe0" + struct.pack("<I", len(part)) + part for part in (table, frame)]
    slice_ = dataset(PixelData=b"".join(items) + b"\xfe\xff\xdd\xe0\0\0\0\0", NumberOfFrames=2)
    slice_["PixelData"].is_undefined_length = True
    assert refused(encoded(slice_, RLELossless), read_frames).code in BAD


def test_compressed_data_under_an_uncompressed_syntax_are_refused() -> None:
    data = encapsulated([rle(PIXELS)], RLELossless).replace(
        b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.1\0"
    )
    assert refused(data).reason == "the pixel data are compressed, the transfer syntax is not"


def deflated(*body: bytes) -> bytes:
    """Put a body behind the file meta information of a deflated file."""
    whole = encoded(dataset(), DeflatedExplicitVRLittleEndian)
    length = int.from_bytes(whole[140:144], "little")
    deflater = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    parts = [deflater.compress(part) for part in body]
    return b"".join([whole[: 144 + length], *parts, deflater.flush()])


def test_a_deflated_file_cut_short_is_truncated() -> None:
    data = encoded(dataset(), DeflatedExplicitVRLittleEndian)
    assert refused(data[:-3]).code == refused(data[:-3], read_header).code == "dicom-truncated"


def test_a_deflated_file_is_inflated_up_to_the_limit() -> None:
    body = dicom()[len(dicom()) - 24 - 12 :]  # the pixels alone
    assert refused(deflated(body)).code == "dicom-broken"
    with pytest.raises(FileError, match="it inflates to more than 1 MiB") as caught:
        read(deflated(bytes(2**21)), max_pixels=2**10)
    assert caught.value.code == "too-large"


def test_the_name_of_the_deflated_syntax_elsewhere_does_no_harm() -> None:
    data = dicom(StudyDescription="1.2.840.10008.1.2.1.99")
    np.testing.assert_array_equal(read(data)[1], PIXELS)


def test_rle_that_grows_far_beyond_the_image_is_refused() -> None:
    for segment in (b"\x81\0" * 2**20, b"\x80" * 2**21):
        error = refused(encapsulated([rle_frame([segment] * 2)], RLELossless))
        assert (error.code, error.reason) == (
            "dicom-broken",
            "its RLE data grow far beyond the image",
        )


def test_large_rle_segments_that_fit_are_read() -> None:
    pixels = (np.arange(1024 * 600) % 251).astype(np.uint8).reshape(1024, 600)
    segment = b"".join(b"\0" + bytes([value]) for value in pixels.ravel())  # runs of one
    data = encapsulated([rle_frame([segment])], RLELossless, pixels)
    np.testing.assert_array_equal(read(data)[1], pixels)


def test_the_limit_on_pixels_counts_all_frames() -> None:
    stack = np.zeros((3, 4, 5), np.uint8)
    data = dicom(stack, Rows=4, Columns=5, NumberOfFrames=3)
    read_frames(data, max_pixels=60)
    with pytest.raises(FileError, match="3 frames of 4 x 5 pixels are above the limit") as caught:
        read_frames(data, max_pixels=59)
    assert caught.value.code == "too-large"


BOMBS = """
import struct
from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read_frames
from tests import memory
from tests.formats.samples import dicom
from tests.formats.test_transfer import deflated, encapsulated, rle_frame, RLELossless
plain = dicom()
start = 144 + int.from_bytes(plain[140:144], "little")
element = struct.Struct("<HH2sH")
elements = b"".join(element.pack(9 + 2 * (n >> 16), n & 0xFFFF, b"LO", 0) for n in range(2**17))
sequence = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
empty = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
nested = sequence + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
for bomb in (
    deflated(*[bytes(2**22)] * 70),
    deflated(elements),
    plain[:start] + elements,
    plain[:start] + sequence + empty * 2**17,
    plain[:start] + nested * 10**5,
    encapsulated([rle_frame([b"\\x81\\0" * 2**23] * 2)], RLELossless),
):
    try:
        read_frames(bomb)
    except FileError as error:
        print(error.code)
print(memory.peak() // 1024)
"""


def test_bombs_stay_below_a_gigabyte_and_end_soon() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", BOMBS], check=True, capture_output=True, text=True, timeout=60
    )
    *codes, peak = done.stdout.split()
    assert codes == [*["too-large"] * 4, "dicom-broken", "dicom-broken"]
    assert int(peak) < 1024
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < 15
    assert done.stderr == ""
