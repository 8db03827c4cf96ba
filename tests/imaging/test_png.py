"""Our PNG files are everybody's PNG files, and what is read fast is read right."""

import shutil
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from PIL import Image

from chaosprep.errors import FileError
from chaosprep.formats.png import decode_png, encode_png
from chaosprep.imaging.png import codec as png
from chaosprep.imaging.png.chunks import SIGNATURE
from chaosprep.imaging.png.codec import Compression, decode_grey

COMPRESSIONS: tuple[Compression, ...] = get_args(Compression)
pixels = st.sampled_from([np.uint8, np.uint16]).flatmap(
    lambda kind: arrays(kind, array_shapes(min_dims=2, max_dims=2, max_side=40))
)


def picture(kind: type[np.generic] = np.uint8) -> NDArray[np.uint8]:
    rows, cols = np.indices((48, 56))
    return np.asarray((rows * cols) % 251, kind)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def handmade(lines: bytes, rows: int, cols: int, interlace: int = 0, depth: int = 8) -> bytes:
    """A grey PNG of these filtered lines, by the specification."""
    header = struct.pack(">IIBBBBB", cols, rows, depth, 0, 0, 0, interlace)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return SIGNATURE + body


@pytest.mark.parametrize("compression", COMPRESSIONS)
@given(array=pixels)
def test_every_reader_finds_the_pixels(compression: Compression, array: NDArray[np.uint8]) -> None:
    data = encode_png(array, compression)
    by_opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert by_opencv is not None
    by_pillow = np.asarray(Image.open(BytesIO(data)))
    for found in (by_opencv, by_pillow, decode_png(data)):
        assert found.shape == array.shape
        assert (found == array).all()
    assert decode_png(data).dtype == array.dtype


@pytest.mark.parametrize("compression", ["fast", "none"])
@given(array=pixels)
def test_what_was_written_fast_is_read_fast(
    compression: Compression, array: NDArray[np.uint8]
) -> None:
    rows, cols = array.shape
    found = decode_grey(encode_png(array, compression), rows, cols, 8 * array.dtype.itemsize)
    assert found is not None
    assert (found[0] == array).all()


@pytest.mark.skipif(not shutil.which("pngcheck"), reason="pngcheck is not installed")
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_pngcheck_finds_no_fault(
    tmp_path: Path, compression: Compression, kind: type[np.generic]
) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(picture(kind), compression))
    done = subprocess.run(
        ["pngcheck", "-v", tmp_path / "a.png"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "No errors detected" in done.stdout


def test_small_is_smallest_and_none_is_largest() -> None:
    waves = np.sin(np.indices((256, 256)) / 9).sum(axis=0) * 60 + 128
    noise = np.random.default_rng(0).normal(0, 2, waves.shape)
    slice_like = np.clip(waves + noise, 0, 255).astype(np.uint8)
    sizes = {name: len(encode_png(slice_like, name)) for name in COMPRESSIONS}
    assert sizes["small"] < sizes["fast"] < sizes["none"]
    assert sizes["none"] >= slice_like.size


MANY = """
import hashlib
import numpy as np
from chaosprep.imaging.png.codec import encode_grey
digest = hashlib.sha256()
for seed in range(20000):
    row = np.random.default_rng(seed).integers(0, 256, (1, 96), np.uint8)
    row[0, 60:64] = row[0, 1:5]
    digest.update(encode_grey(row))
print(digest.hexdigest())
"""


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_empty_pictures_keep_their_shape_and_type(compression: Compression) -> None:
    for shape, kind in [((3, 5), np.uint8), ((5, 3), np.uint8), ((3, 5), np.uint16)]:
        found = decode_png(encode_png(np.zeros(shape, kind), compression))
        assert found.shape == shape
        assert found.dtype == kind
        assert not found.any()


def test_every_process_writes_the_same_bytes() -> None:
    """ISA-L alone differs in one of some 8,000 of these: where the third byte's hash is chance."""
    processes = [
        subprocess.Popen([sys.executable, "-c", MANY], stdout=subprocess.PIPE) for _ in range(3)
    ]
    assert len({process.communicate()[0] for process in processes}) == 1


def test_without_isa_l_the_pixels_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "isal_zlib", zlib)
    monkeypatch.setattr(png, "IsalError", zlib.error)
    data = encode_png(picture())
    assert (decode_png(data) == picture()).all()
    monkeypatch.undo()
    assert (decode_png(data) == picture()).all()


@given(st.binary(min_size=42, max_size=42), st.lists(st.integers(0, 4), min_size=6, max_size=6))
def test_every_filter_gives_opencvs_pixels(values: bytes, filters: list[int]) -> None:
    lines = b"".join(bytes([kind]) + values[7 * i : 7 * i + 7] for i, kind in enumerate(filters))
    data = handmade(lines, 6, 7)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert expected is not None
    assert (decode_png(data) == expected).all()


@given(
    st.lists(st.tuples(st.integers(0, 4), st.binary(min_size=2, max_size=2)), min_size=1),
    st.integers(9, 16),
)
def test_one_bit_pixels_are_opencvs(lines: list[tuple[int, bytes]], cols: int) -> None:
    stored = b"".join(bytes([kind]) + values for kind, values in lines)
    data = handmade(stored, len(lines), cols, depth=1)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert expected is not None
    found = decode_grey(data, len(lines), cols, 1)
    assert found is not None
    assert np.array_equal(found[0], expected // 255)


def test_a_filter_of_no_known_number_is_left_to_a_library() -> None:
    assert decode_grey(handmade(b"\2\1\1\5\2\3", 2, 2), 2, 2, 8) is None
    assert decode_grey(handmade(b"\2\1\1\4\2\3", 2, 2), 2, 2, 8) is not None


def test_16_bit_pixels_by_other_filters_than_up_are_left_to_a_library() -> None:
    assert decode_grey(handmade(b"\2\1\1\1\2\3", 2, 1, depth=16), 2, 1, 16) is None
    assert decode_grey(handmade(b"\2\1\1\2\2\3", 2, 1, depth=16), 2, 1, 16) is not None


def test_a_stream_that_may_refer_back_too_far_is_left_to_a_library() -> None:
    """OpenCV refuses such a file; ISA-L does not look."""
    rows = np.random.default_rng(0).bytes(401)
    lines = b"\0" + rows[1:] + b"\0" + rows[1:]
    whole = handmade(lines, 2, 400)
    assert decode_grey(whole, 2, 400, 8) is not None
    at = whole.index(b"IDAT") + 4
    stream = b"\x08\x1d" + whole[at + 2 : -16]  # a window of 256 bytes
    lying = whole[: at - 8] + chunk(b"IDAT", stream) + chunk(b"IEND", b"")
    assert decode_grey(lying, 2, 400, 8) is None
    with pytest.raises(FileError, match="cannot be decoded"):
        decode_png(lying)


@pytest.mark.parametrize("lines", [b"\2\1\1\2\2", b"\2\1\1\2\2\3\2", b""])
def test_too_few_or_too_many_bytes_are_left_to_a_library(lines: bytes) -> None:
    assert decode_grey(handmade(lines, 2, 2), 2, 2, 8) is None


def test_damaged_pixels_are_left_to_a_library() -> None:
    whole = handmade(b"\2\1\1\2\2\3", 2, 2)
    for at in range(41, len(whole) - 16):
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        assert decode_grey(bytes(damaged), 2, 2, 8) is None


def test_an_interlaced_picture_is_left_to_a_library() -> None:
    assert decode_grey(handmade(b"\2\1\1\2\2\3", 2, 2, interlace=1), 2, 2, 8) is None
