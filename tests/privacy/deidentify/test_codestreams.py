"""What codestreams say beside their pixels: blanked, and no pixel is another one."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from chaosprep.errors import FileError
from chaosprep.privacy.deidentify.file import deidentified
from chaosprep.privacy.deidentify.left import left
from tests.formats.samples import dataset, encapsulated, encoded
from tests.privacy.deidentify.planting import KEY, PATIENT

WORD = b"DULCINEA"
GREY = (np.arange(64 * 48).reshape(64, 48) ** 2 % 251).astype(np.uint8)


def segment(marker: int, body: bytes) -> bytes:
    """A marker segment."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body


COMMENT, EXIF = segment(0xFE, WORD), segment(0xE1, b"Exif\0\0" + WORD)
THUMBNAIL = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\2\4" + WORD * 3)
NOTE = segment(0x64, b"\0\1" + WORD)


def jpeg(**options: object) -> bytes:
    """A JPEG image."""
    stream = BytesIO()
    Image.fromarray(GREY).save(stream, "JPEG", **options)
    return stream.getvalue()


def jpeg_ls() -> bytes:
    """A JPEG-LS image."""
    jpeg_ls = pytest.importorskip("jpeg_ls")
    return bytes(jpeg_ls.encode_array(GREY))


def jpeg_2000(**options: object) -> bytes:
    """A JPEG 2000 image."""
    stream = BytesIO()
    Image.fromarray(GREY).save(stream, "JPEG2000", **options)
    return stream.getvalue()


def before(stream: bytes, mark: bytes, more: bytes) -> bytes:
    """A stream with something put before the first of its marks."""
    at = stream.index(mark)
    return stream[:at] + more + stream[at:]


def in_tile(length: int) -> bytes:
    """A JPEG 2000 image with a note in the header of its tile, whose length is announced or 0."""
    stream = jpeg_2000(no_jp2=True)
    at = stream.index(b"\xff\x90")
    announced = length and int.from_bytes(stream[at + 6 : at + 10]) + length
    return b"".join(
        (
            stream[: at + 6],
            announced.to_bytes(4),
            stream[at + 10 : at + 12],
            NOTE,
            stream[at + 12 :],
        )
    )


def boxed() -> bytes:
    """A JP2 file with a box of text, and text behind its last box."""
    stream = jpeg_2000()
    box = (len(WORD) + 8).to_bytes(4) + b"xml " + WORD
    at = stream.index(b"jp2h") - 4
    return stream[:at] + box + stream[at:] + WORD


STREAMS: dict[str, tuple[UID, Callable[[], bytes]]] = {
    "a comment": (JPEGBaseline8Bit, lambda: jpeg(comment=WORD)),
    "behind scans": (JPEGBaseline8Bit, lambda: jpeg(progressive=True)[:-2] + COMMENT + b"\xff\xd9"),
    "EXIF": (JPEGBaseline8Bit, lambda: b"\xff\xd8" + EXIF + jpeg()[2:]),
    "a small picture": (JPEGBaseline8Bit, lambda: b"\xff\xd8" + THUMBNAIL + jpeg()[2:]),
    "behind the end": (JPEGBaseline8Bit, lambda: jpeg() + WORD),
    "behind restarts": (
        JPEGBaseline8Bit,
        lambda: jpeg(restart_marker_blocks=4)[:-2] + COMMENT + b"\xff\xd9",
    ),
    "JPEG-LS": (JPEGLSLossless, lambda: b"\xff\xd8" + COMMENT + jpeg_ls()[2:] + WORD),
    "JPEG 2000": (
        JPEG2000Lossless,
        lambda: before(jpeg_2000(no_jp2=True), b"\xff\x52", NOTE) + WORD,
    ),
    "in a tile": (JPEG2000, lambda: in_tile(len(NOTE))),
    "in a tile to the end": (JPEG2000, lambda: in_tile(0)),
    "JP2": (JPEG2000, boxed),
}


def shown(data: bytes) -> NDArray[np.uint8]:
    """The pixels of a file, or of the pictures that Pillow reads."""
    fragments = dcmread(BytesIO(data)).PixelData
    image = fragments[fragments.index(b"\xfe\xff\x00\xe0", 8) + 8 :]
    if image.startswith(b"\xff\xd8") and b"\xff\xf7" in image:
        jpeg_ls = pytest.importorskip("jpeg_ls")
        return np.asarray(jpeg_ls.decode(np.frombuffer(image, np.uint8)))
    return np.asarray(Image.open(BytesIO(image[: image.rindex(b"\xff\xd9") + 2])))


@pytest.mark.parametrize("name", STREAMS)
def test_words_go_and_pixels_stay(name: str) -> None:
    syntax, make = STREAMS[name]
    data = encapsulated([make()], syntax, GREY)
    made = deidentified(data, PATIENT, KEY)
    assert WORD in data
    assert WORD not in made
    assert np.array_equal(shown(made), shown(data))
    assert "PixelData" in left(data, PATIENT)
    assert left(made, PATIENT) == ()


@pytest.mark.parametrize("name", ["a comment", "JPEG 2000"])
def test_a_frame_in_many_fragments_is_read_as_one(name: str) -> None:
    syntax, make = STREAMS[name]
    data = encapsulated([], syntax, GREY, PixelData=encapsulate([make()], fragments_per_frame=40))
    made = deidentified(data, PATIENT, KEY)
    assert WORD not in made
    assert len(dcmread(BytesIO(made)).PixelData) == len(dcmread(BytesIO(data)).PixelData)


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000Lossless])
def test_streams_that_say_nothing_stay_bit_for_bit(syntax: UID) -> None:
    stream = jpeg() if syntax == JPEGBaseline8Bit else jpeg_2000(no_jp2=True)
    frames = encapsulate([stream, stream])
    data = encapsulated([], syntax, GREY, PixelData=frames, NumberOfFrames=2)
    made = dcmread(BytesIO(deidentified(data, PATIENT, KEY)))
    assert made.PixelData.rstrip(b"\0") == dcmread(BytesIO(data)).PixelData.rstrip(b"\0")


@pytest.mark.parametrize("stream", [WORD, b"\xff\xd8" + WORD, b"\xff\x4f\xff\x51\xff\xff"])
def test_what_is_no_codestream_is_refused(stream: bytes) -> None:
    with pytest.raises(FileError) as caught:
        deidentified(encapsulated([stream], JPEGBaseline8Bit, GREY), PATIENT, KEY)
    assert caught.value.code == "dicom-broken"


def test_an_offset_table_of_something_else_is_refused() -> None:
    table = b"\xfe\xff\x00\xe0" + len(WORD).to_bytes(4, "little") + WORD
    frames = table + encapsulate([b"1234"], has_bot=False)[8:]
    slice_ = dataset(PixelData=frames)
    slice_["PixelData"].is_undefined_length = True
    with pytest.raises(FileError) as caught:
        deidentified(encoded(slice_, RLELossless), PATIENT, KEY)
    assert caught.value.code == "dicom-broken"
