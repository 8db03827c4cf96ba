"""PNGs that are wrong in chunks or rows: Pillow's pixels, or one error, and nothing printed."""

import random
import struct
import warnings
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from chaosprep.errors import ChaosprepError
from chaosprep.formats.pictures import mask_size, read_mask, read_picture
from chaosprep.formats.png import decode_png
from tests import memory
from tests.attacks.grammars import batches, draws, scratched, tried
from tests.formats.samples import chunk

FEW = 600
SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
PASSES += [(0, 1, 1, 2)]
Chunks = list[tuple[bytes, bytes]]
NAMES = [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"iCCP", b"zTXt"]
NAMES += [b"eXIf", b"gAMA", b"sBIT", b"bKGD", b"ABCD", b"aBCD", b"\0\0\0\0", b"CgBI", b"pHYs"]


def rows(cols: int, lines: int, bits: int, interlace: int, draw: random.Random) -> bytes:
    """Rows of noise, each with a filter's number in front."""
    made = []
    for left, top, across, down in PASSES if interlace else [(0, 0, 1, 1)]:
        wide, high = -(-(cols - left) // across), -(-(lines - top) // down)
        for _ in range(high if wide > 0 else 0):
            filters = draw.choice([0, 1, 2, 3, 4])
            made.append(bytes([filters]) + draw.randbytes((wide * bits + 7) // 8))
    return b"".join(made)


def sound(draw: random.Random) -> Chunks:
    """The chunks of a PNG of any kind, of noise."""
    colour = draw.choice([0, 0, 0, 0, 2, 3, 3, 4, 6])
    depth, interlace = draw.choice(DEPTHS[colour]), int(draw.random() < 0.2)
    cols, lines = draw.choice([1, 4, 7, 33]), draw.choice([1, 3, 9])
    head = struct.pack(">IIBBBBB", cols, lines, depth, colour, 0, 0, interlace)
    data = rows(cols, lines, depth * CHANNELS[colour], interlace, draw)
    made = [(b"IHDR", head)]
    if colour == 3:
        made.append((b"PLTE", draw.randbytes(3 * 2**depth)))
        if draw.random() < 0.3:
            made.append((b"tRNS", draw.randbytes(draw.choice([1, 2**depth]))))
    elif draw.random() < 0.2:
        made.append((b"tRNS", draw.randbytes(draw.choice([2, 6]))))
    packed = zlib.compress(data, draw.choice([0, 6]))
    cut = draw.choice([0, 0, draw.randrange(len(packed))])
    made += [(b"IDAT", part) for part in (packed[:cut], packed[cut:]) if part]
    return [*made, (b"IEND", b"")]


def bomb(draw: random.Random) -> tuple[bytes, bytes]:
    """A chunk beside the pixels that unpacks to 64 MiB, or one that is wrong."""
    packed = zlib.compress(bytes(2**26), 9) if draw.random() < 0.02 else zlib.compress(bytes(99))
    name = draw.choice([b"iCCP", b"zTXt"])
    return name, draw.choice([b"icc\0\0" + packed, b"\0", b"x" * 99, packed[:-3]])


def animation(draw: random.Random) -> Chunks:
    size = struct.pack(">IIIII", 0, *(draw.choice([1, 4, 99]) for _ in range(2)), 0, 0)
    return [
        (b"acTL", struct.pack(">II", draw.choice([0, 1, 2, 2**31]), 0)),
        (b"fcTL", size + struct.pack(">HHBB", 1, 1, 0, 0)),
        (b"fdAT", struct.pack(">I", 1) + zlib.compress(bytes(60))),
    ]


def edited(chunks: Chunks, draw: random.Random) -> None:
    """One thing wrong with the chunks."""
    at = draw.randrange(len(chunks))
    name, body = chunks[at]
    head = chunks[0][1]
    match draw.randrange(11):
        case 0:
            del chunks[at]
        case 1:
            chunks.insert(draw.randrange(len(chunks) + 1), chunks[at])
        case 2:
            chunks.insert(draw.randrange(len(chunks)), chunks.pop(at))
        case 3:
            chunks[at] = name, scratched(body, draw)
        case 4:
            chunks[at] = draw.choice(NAMES), body
        case 5:
            chunks.insert(at, (draw.choice(NAMES), draw.choice([b"", draw.randbytes(9), body])))
        case 6 if len(head) == 13:  # IHDR lies
            spot = draw.randrange(13)
            new = bytes([draw.choice([0, 1, 2, 3, 4, 6, 8, 9, 16, 255])])
            chunks[0] = chunks[0][0], head[:spot] + new + head[spot + 1 :]
        case 7:
            chunks.insert(min(at, 1), bomb(draw))
        case 8:
            chunks[1:1] = animation(draw)
        case 9:  # a stream that is longer, shorter, or not closed
            data = zlib.compress(draw.randbytes(draw.choice([0, 1, 50, 5000])))
            chunks[at] = b"IDAT", data[: len(data) - draw.choice([0, 0, 3, 5])]
        case _:
            chunks[at] = name, body + draw.randbytes(draw.choice([1, 40]))


def joined(chunks: Chunks, draw: random.Random) -> bytes:
    parts = [chunk(name, body) for name, body in chunks]
    if draw.random() < 0.1:  # a checksum or a length
        at = draw.randrange(len(parts))
        spot = draw.choice([0, 3, len(parts[at]) - 1])
        parts[at] = parts[at][:spot] + bytes([draw.randrange(256)]) + parts[at][spot + 1 :]
    data = SIGNATURE + b"".join(parts)
    return scratched(data, draw, 8) if draw.random() < 0.05 else data


def critical(data: bytes) -> bytes:
    """A PNG without the chunks that do not count; Pillow refuses some of them."""
    kept, at = [SIGNATURE], 8
    while at < len(data) and b"IEND" not in kept[-1][4:8]:
        end = at + 12 + int.from_bytes(data[at : at + 4])
        if data[at + 4 : at + 5].isupper():
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def pillows(data: bytes) -> NDArray[Any]:
    """What Pillow reads: grey levels of fewer than 8 bits as they are stored."""
    data = critical(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(BytesIO(data), formats=["PNG"]) as image:
            image.load()
            found = np.asarray(image)
            depth, colour = data[24], data[25]
            if image.mode == "1":
                return found.astype(np.uint8)
            if image.mode == "I":
                return found.astype(np.uint16)
            if image.mode == "L" and colour == 0 and depth < 8:
                return found // np.uint8(255 // (2**depth - 1))
            return found


def reads(data: bytes) -> bool:
    """Check that what is read is what Pillow reads; tell whether anything was."""
    mask = tried(lambda: read_mask(data))
    image = tried(lambda: decode_png(data))
    lenient = tried(lambda: read_mask(data, lenient=True))
    picture = tried(lambda: read_picture(data))
    size = tried(lambda: mask_size(data))
    if not isinstance(mask, ChaosprepError):
        assert not isinstance(image, ChaosprepError)
        assert not isinstance(lenient, ChaosprepError)
        expected = pillows(data)
        for found in (mask.pixels, image, lenient.pixels):
            np.testing.assert_array_equal(found, expected)
        assert size == expected.shape
    if not isinstance(picture, ChaosprepError):
        stored = Image.open(BytesIO(critical(data)), formats=["PNG"])
        assert picture.pixels.shape[:2] == stored.size[::-1]
    return not isinstance(mask, ChaosprepError)


@pytest.mark.parametrize("batch", batches(FEW))
def test_a_damaged_png_is_read_as_pillow_reads_it_or_is_one_error(
    batch: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws("png", batch, FEW):
        chunks = sound(draw)
        for _ in range(draw.choice([0, 1, 1, 1, 2, 3])):
            edited(chunks, draw)
            if not chunks:
                break
        reads(joined(chunks, draw))
    assert capfd.readouterr() == ("", "")
    assert memory.peak() - before < 2**19


def test_a_sound_grey_png_of_noise_is_read() -> None:
    for draw in draws("sound", 0, 50):
        chunks = sound(draw)
        grey = chunks[0][1][9] == 0
        data = SIGNATURE + b"".join(chunk(name, body) for name, body in chunks)
        assert reads(data) == grey
