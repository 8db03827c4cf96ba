"""Damaged files: pydicom's pixels or one `FileError`, soon, and in little memory.

CHAOSPREP_MUTATIONS sets how many (2,000 unless told).
"""

import os
import random
import time
import warnings
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import read_frames, read_headers
from chaosprep.imaging.display import windowed
from tests import memory
from tests.formats.samples import PIXELS, dataset, dicom, encapsulated, encoded, lut
from tests.formats.test_frames import enhanced
from tests.formats.test_roundtrip import floats, written
from tests.formats.test_transfer import GREY, jpeg, jpeg_2000, rle

COUNT = int(os.environ.get("CHAOSPREP_MUTATIONS", "2000"))
BATCH = 100
SEEDS = [
    dicom(),
    dicom(VOILUTSequence=lut([0, 128, 255], bits=8), ModalityLUTSequence=lut([1, 2, 3])),
    encoded(dataset(), ImplicitVRLittleEndian),
    encoded(dataset(), DeflatedExplicitVRLittleEndian),
    written(PIXELS[np.newaxis], ExplicitVRBigEndian),
    encoded(enhanced()),
    encoded(enhanced(), ImplicitVRLittleEndian),
    floats(np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)),
    encapsulated([rle(PIXELS), rle(PIXELS + 1)], RLELossless, NumberOfFrames=2),
    encapsulated([jpeg(GREY)], JPEGBaseline8Bit, GREY),
    encapsulated([jpeg_2000(GREY)], JPEG2000Lossless, GREY),
]


def mutations(batch: int) -> Iterator[bytes]:
    """Cut, flip, overwrite and splice; the same batch always gives the same files."""
    draw = random.Random(batch)
    for _ in range(min(BATCH, COUNT - batch * BATCH)):
        data = bytearray(draw.choice(SEEDS))
        for _ in range(draw.choice([1, 1, 2, 5])):
            at = draw.randrange(132, len(data))
            match draw.randrange(5):
                case 0:
                    del data[at:]
                case 1:
                    data[at] ^= 1 << draw.randrange(8)
                case 2:
                    data[at : at + 4] = draw.choice([b"\xff" * 4, bytes(4), b"\xff\xff\xff\x7f"])
                case 3:
                    del data[at : at + draw.randrange(1, 64)]
                case 4:
                    other = draw.choice(SEEDS)
                    start = draw.randrange(132, len(other))
                    data[at:at] = other[start : start + draw.randrange(1, 256)]
            if len(data) <= 133:
                break
        yield bytes(data)


@pytest.mark.parametrize("batch", range((COUNT + BATCH - 1) // BATCH))
def test_a_damaged_file_gives_pydicoms_pixels_or_a_file_error(
    batch: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for data in mutations(batch):
        begin = time.process_time()
        try:
            read_headers(data)
            headers, pixels = read_frames(data)
            for header, frame in zip(headers, pixels, strict=True):
                windowed(header, frame)
        except FileError:
            continue
        finally:
            assert time.process_time() - begin < 2
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = dcmread(BytesIO(data)).pixel_array
        np.testing.assert_array_equal(pixels, expected.reshape(pixels.shape))
    assert capfd.readouterr() == ("", "")
    assert memory.peak() - before < 2**20


def test_enough_mutations_survive_to_compare_pixels() -> None:
    def survives(data: bytes) -> bool:
        try:
            read_frames(data)
        except FileError:
            return False
        return True

    survived = sum(map(survives, mutations(0)))
    assert 10 < survived < 90
