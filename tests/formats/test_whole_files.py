"""A file that is not whole is one error, whatever a decoder would fill up; a whole one is read."""

import gzip
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from chaosprep.errors import FileError
from chaosprep.formats.nifti import read_nifti
from chaosprep.formats.npy import decode_npy, read_npy
from chaosprep.formats.pictures import read_mask, read_picture
from chaosprep.formats.png import decode_png
from tests.formats.samples import chunk, png

LINES = [bytes([1, 2, 3, 4]), bytes([5, 6, 7, 8])]
SIGNATURE, HEAD = b"\x89PNG\r\n\x1a\n", struct.pack(">IIBBBBB", 4, 2, 8, 0, 0, 0, 0)
IDAT = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line for line in LINES)))
START, END = SIGNATURE + chunk(b"IHDR", HEAD), chunk(b"IEND", b"")
PALETTE = chunk(b"IHDR", HEAD[:9] + b"\3" + HEAD[10:])
ORDER = "the PNG has chunks that are missing or out of order"
PNGS = {
    "no IDAT": (START + END, ORDER),
    "IHDR twice": (START + START[8:] + IDAT + END, ORDER),
    "IDAT in two places": (START + IDAT + chunk(b"PLTE", bytes(3)) + IDAT + END, ORDER),
    "a palette without PLTE": (SIGNATURE + PALETTE + IDAT + END, ORDER),
    "a chunk that nobody knows": (
        START + chunk(b"ABCD", b"") + IDAT + END,
        "the PNG has unknown chunks",
    ),
    "no IEND": (START + IDAT, "the PNG is cut short or damaged"),
    "hardly any data for its size": (
        SIGNATURE + chunk(b"IHDR", struct.pack(">II", 8000, 8000) + HEAD[8:]) + IDAT + END,
        "the PNG is cut short or damaged",
    ),
    "several images": (
        START + chunk(b"acTL", struct.pack(">II", 2, 0)) + IDAT + END,
        "the file holds several images",
    ),
    "another method of compression": (
        SIGNATURE + chunk(b"IHDR", HEAD[:10] + b"\1" + HEAD[11:]) + IDAT + END,
        "the PNG header is damaged",
    ),
}


@pytest.mark.parametrize("reader", [read_mask, read_picture])
@pytest.mark.parametrize("name", PNGS)
def test_a_png_that_is_not_whole_is_refused_and_nothing_is_printed(
    name: str, reader: Callable[[bytes], object], capfd: pytest.CaptureFixture[str]
) -> None:
    data, reason = PNGS[name]
    with pytest.raises(FileError) as caught:
        reader(data)
    assert caught.value.reason == reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "data",
    [
        START + chunk(b"IDAT", b"") + END,
        START + chunk(b"IDAT", zlib.compress(b"\0\1\2\3\4")) + END,
        START + chunk(b"IDAT", zlib.compress(b"\7\1\2\3\4" * 2)) + END,
        START + chunk(b"IDAT", zlib.compress(b"\0\1\2\3\4" * 2)[:-6]) + END,
    ],
)
def test_rows_that_are_not_whole_are_refused_and_nothing_is_printed(
    data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FileError, match="cannot be decoded"):
        decode_png(data)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"acTL", struct.pack(">II", 1, 0)),
        chunk(b"tRNS", b"\0\1"),
        chunk(b"PLTE", bytes(3)),
        chunk(b"iCCP", b"a\0\0broken"),
        chunk(b"zTXt", b""),
    ],
)
def test_what_does_not_touch_the_pixels_of_a_png_does_no_harm(extra: bytes) -> None:
    expected = np.frombuffer(b"".join(LINES), np.uint8).reshape(2, 4)
    np.testing.assert_array_equal(decode_png(png(LINES, 4, extra=extra)), expected)


def npy(shape: str, version: int = 1, order: str = "False") -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': {order}, 'shape': {shape}}}\n".encode()
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + bytes(range(12))


@pytest.mark.parametrize("shape", ["(True, 12)", "(12, True)", "(-3, -4)", "[3, 4]", "(3.0, 4)"])
def test_a_shape_of_anything_but_whole_numbers_is_refused(shape: str) -> None:
    for reader in (decode_npy, lambda data: read_npy(data, 2)):
        with pytest.raises(FileError, match="the npy's shape is not a row of whole numbers"):
            reader(npy(shape))


@pytest.mark.parametrize(("version", "order"), [(1, "False"), (2, "False"), (1, "True")])
def test_sound_headers_of_npy_are_read(version: int, order: str) -> None:
    values = np.arange(12, dtype=np.uint8)
    expected = values.reshape(3, 4, order="F" if order == "True" else "C")
    np.testing.assert_array_equal(decode_npy(npy("(3, 4)", version, order)), expected)


def nifti(**fields: Any) -> bytes:
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(np.arange(60, dtype=np.uint8).reshape(3, 4, 5), np.eye(4))
    for name, value in fields.items():
        image.header[name] = value
    data: bytes = image.to_bytes()
    return data


FLIPPED = bytearray(gzip.compress(nifti()[:352] + bytes(60), 0))
FLIPPED[-40] ^= 1
NIFTIS = {
    "a flipped bit that only the checksum tells": bytes(FLIPPED),
    "no checksum": gzip.compress(nifti())[:-8],
    "more voxels than the header says": nifti() + bytes(20),
    "the same, compressed": gzip.compress(nifti() + bytes(20)),
    "an extension taken for voxels": nifti()[:352] + bytes(16) + nifti()[352:],
    "a second member that is damaged": gzip.compress(nifti()) + b"\x1f\x8brest",
}


@pytest.mark.parametrize("name", NIFTIS)
def test_a_nifti_that_is_not_what_it_says_is_refused(name: str) -> None:
    with pytest.raises(FileError) as caught:
        read_nifti(NIFTIS[name])
    assert caught.value.code == "mask-unreadable"


@pytest.mark.parametrize("rest", [b"", b"\0", bytes(8)])
def test_a_few_bytes_of_padding_behind_the_voxels_do_no_harm(rest: bytes) -> None:
    for data in (nifti() + rest, gzip.compress(nifti() + rest)):
        assert read_nifti(data).voxels.shape == (5, 4, 3)


def test_zeros_up_to_the_end_of_a_block_are_padding() -> None:
    fill = bytes(-len(nifti()) % 512)
    for rest in (fill, fill + bytes(3584)):
        for data in (nifti() + rest, gzip.compress(nifti() + rest)):
            assert read_nifti(data).voxels.shape == (5, 4, 3)
    for rest in (fill + bytes(2**16), fill + bytes(1), fill[1:] + b"\1", fill[:-20]):
        with pytest.raises(FileError, match="the NIfTI volume is cut short"):
            read_nifti(nifti() + rest)


def test_a_slope_without_an_intercept_is_refused_and_no_slope_at_all_is_none() -> None:
    with pytest.raises(FileError, match="its scl_slope is a number, but its scl_inter is not"):
        read_nifti(nifti()[:112] + struct.pack("<ff", 2, np.nan) + nifti()[120:])
    none = nifti()[:112] + struct.pack("<ff", np.nan, np.nan) + nifti()[120:]
    np.testing.assert_array_equal(read_nifti(none).voxels, read_nifti(nifti()).voxels)


def without(keyword: str) -> Callable[[Dataset], None]:
    return lambda made: made.__delattr__(keyword)


def test_a_segmentation_whose_pixels_do_not_fit_its_header_is_refused() -> None:
    from tests.formats.test_segmentations import cut, seg

    def longer(made: Dataset) -> None:
        made.PixelData += made.PixelData

    def deeper(made: Dataset) -> None:
        made.BitsStored = 7

    assert not cut(seg()).errors
    for edit in (longer, deeper, without("BitsStored")):
        ((_, error),) = cut(seg(edit=edit)).errors
        assert error.code == "mask-unreadable"
