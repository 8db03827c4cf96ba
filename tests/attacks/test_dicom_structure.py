"""DICOM files that are wrong in their structure, in every transfer syntax that can be written here.

Whatever is done to a file, its pixels are pydicom's, a frame read alone is that of all, and the
headers are the same with and without the pixels; or it is one error.
"""

import copy
import warnings
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from chaosprep.errors import ChaosprepError
from chaosprep.formats.dicom.reading import read, read_frames, read_headers
from tests import memory
from tests.attacks.dicom_damage import EDITS
from tests.attacks.dicom_tree import Tree, tree, written
from tests.attacks.grammars import batches, draws, scratched, tried
from tests.formats.samples import PIXELS, dataset, lut
from tests.formats.test_frames import enhanced
from tests.formats.test_transfer import GREY, HTJ2K, jpeg, jpeg_2000, rle

FEW = 400
LOW = PIXELS // 16
DEEP = GREY.astype(np.uint16) * 15
MANY = {"NumberOfFrames": 3}


def jpeg_ls(error: int) -> list[bytes]:
    encode = pytest.importorskip("jpeg_ls").encode_buffer
    stack = (DEEP, DEEP + 1, DEEP + 2)
    return [bytes(encode(one.tobytes(), 16, 16, 1, 12, lossy_error=error)) for one in stack]


def seeds() -> list[Tree]:
    """Sound files, one or more of each transfer syntax."""
    plain = dataset(RescaleSlope=2, RescaleIntercept=-1024, PixelPaddingValue=0)
    odd = dataset(np.arange(9, dtype=np.uint8).reshape(3, 3), PixelData=bytes(range(9)) + b"\0")
    tables = dataset(VOILUTSequence=lut([0, 128, 255], bits=8), ModalityLUTSequence=lut([1, 2, 3]))
    low = dataset(LOW, BitsStored=12, HighBit=11)
    floats = dataset(PixelData=None, FloatPixelData=bytes(48), BitsAllocated=32)
    native = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
    native += [DeflatedExplicitVRLittleEndian]
    made = [tree(one, how) for how in native for one in (plain, odd, tables, low, enhanced())]
    made += [tree(floats, how) for how in native[:3]]
    grey, stack = dataset(GREY), (PIXELS, PIXELS + 1, PIXELS + 2)
    deep = [dataset(DEEP, BitsStored=12, HighBit=11, **MANY)]
    packed: list[tuple[Dataset, UID, list[bytes]]] = [
        (plain, RLELossless, [rle(PIXELS)]),
        (dataset(PIXELS, **MANY), RLELossless, [rle(one) for one in stack]),
        (enhanced(), RLELossless, [rle(one) for one in stack]),
        (grey, JPEGBaseline8Bit, [jpeg(GREY)]),
        (dataset(GREY, **MANY), JPEGBaseline8Bit, [jpeg(one) for one in (GREY, 255 - GREY, GREY)]),
        (grey, JPEGExtended12Bit, [jpeg(GREY)]),
        (grey, JPEGLosslessSV1, [jpeg(GREY)]),
        *((one, JPEGLSLossless, jpeg_ls(0)) for one in deep),
        *((one, JPEGLSNearLossless, jpeg_ls(3)) for one in deep),
        (plain, JPEG2000Lossless, [jpeg_2000(PIXELS)]),
        (dataset(PIXELS, **MANY), JPEG2000Lossless, [jpeg_2000(one) for one in stack]),
        (grey, JPEG2000, [jpeg_2000(GREY, jp2=True)]),
        (plain, HTJ2KLossless, [HTJ2K]),
    ]
    return made + [tree(*one) for one in packed]


SEEDS = seeds()


def test_every_seed_is_sound() -> None:
    left = [seed.syntax for seed in SEEDS if not reads(written(seed))]
    assert left == [JPEGLosslessSV1]  # no decoder of it is installed with the tests


def reads(data: bytes) -> bool:
    """Check what is promised of any file; tell whether its pixels were read."""
    alone = tried(lambda: read_headers(data))
    whole = tried(lambda: read_frames(data))
    if isinstance(whole, ChaosprepError):
        return False
    headers, pixels = whole
    assert not isinstance(alone, ChaosprepError), alone
    assert repr(alone) == repr(headers)
    assert [one.evidence for one in alone] == [one.evidence for one in headers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected: Any = dcmread(BytesIO(data)).pixel_array
    np.testing.assert_array_equal(pixels, expected.reshape(pixels.shape))
    for frame in range(min(len(headers), 4)):
        header, found = read(data, frame)
        assert repr(header) == repr(headers[frame])
        np.testing.assert_array_equal(found, pixels[frame])
    return True


def damaged(draw: Any) -> bytes:  # noqa: ANN401
    """A sound file with one to four edits, and at times with some bytes scratched."""
    file = copy.deepcopy(draw.choice(SEEDS))
    for _ in range(draw.choice([1, 1, 1, 2, 2, 3, 4])):
        draw.choice(EDITS)(file, draw)
    data = written(file)
    return scratched(data, draw, 132) if draw.random() < 0.1 else data


@pytest.mark.parametrize("batch", batches(FEW))
def test_a_file_of_damaged_structure_means_one_thing_or_is_one_error(
    batch: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before = memory.begin()
    for draw in draws("dicom", batch, FEW):
        reads(damaged(draw))
    assert capfd.readouterr() == ("", "")
    assert memory.peak() - before < 2**20


def test_enough_damaged_files_are_read() -> None:
    read_ = sum(reads(damaged(draw)) for batch in range(2) for draw in draws("dicom", batch, 100))
    assert 10 < read_ < 90
