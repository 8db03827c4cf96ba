"""PNG and npy, exactly as stored."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import RLELossless

from chaosprep.errors import FileError
from chaosprep.formats.codecs import encode
from chaosprep.formats.images import open_image, read_head
from chaosprep.formats.npy import decode_npy, encode_npy
from chaosprep.formats.pictures import mask_size, read_mask
from chaosprep.formats.png import decode_png, encode_png
from tests.formats.samples import REAL, chunk, dataset, dicom, encoded, png

LEVELS = [bytes([0, 63, 126, 252]), bytes([1, 2, 254, 255])]
GREY = png(LEVELS, cols=4)
# TIFF block with one tag: orientation 6, a quarter turn.
EXIF = chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0")
sides = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)


def pillow(image: Image.Image, format: str = "PNG") -> bytes:
    stream = BytesIO()
    image.save(stream, format)
    return stream.getvalue()


def refusal(data: bytes, *, lenient: bool = False) -> FileError:
    with pytest.raises(FileError) as caught:
        read_mask(data, lenient=lenient)
    return caught.value


def image_code(data: bytes, extension: str) -> str:
    with pytest.raises(FileError) as caught:
        open_image(f"a{extension}", data).read()
    return caught.value.code


# Masks


def test_a_grey_mask_is_read_as_stored() -> None:
    mask = read_mask(GREY)
    assert mask.pixels.dtype == np.uint8
    assert mask.pixels.tolist() == [[0, 63, 126, 252], [1, 2, 254, 255]]
    assert (mask.binary, mask.note) == (False, None)


def test_sixteen_bits_are_kept() -> None:
    mask = read_mask(png([struct.pack(">3H", 0, 63, 60000)], cols=3, depth=16))
    assert mask.pixels.dtype == np.uint16
    assert mask.pixels.tolist() == [[0, 63, 60000]]


def test_a_one_bit_mask_is_binary() -> None:
    mask = read_mask(png([bytes([0b01100000])], cols=4, depth=1))
    assert mask.binary
    assert mask.pixels.dtype == np.uint8
    assert mask.pixels.tolist() == [[0, 1, 1, 0]]


@pytest.mark.parametrize(
    ("depth", "packed", "levels"),
    [(2, b"\x1b", [0, 1, 2, 3]), (4, b"\x01\xf7", [0, 1, 15, 7])],
)
def test_levels_of_few_bits_are_not_spread(depth: int, packed: bytes, levels: list[int]) -> None:
    mask = read_mask(png([packed], cols=4, depth=depth))
    assert mask.pixels.tolist() == [levels]
    assert not mask.binary


@pytest.mark.parametrize(
    "extra",
    [
        EXIF,
        chunk(b"gAMA", struct.pack(">I", 100000)),
        chunk(b"tRNS", b"\0\x3f"),
        chunk(b"sBIT", b"\4"),
    ],
    ids=["orientation", "gamma", "transparency", "significant bits"],
)
def test_no_chunk_changes_the_levels(extra: bytes) -> None:
    np.testing.assert_array_equal(
        read_mask(png(LEVELS, cols=4, extra=extra)).pixels, read_mask(GREY).pixels
    )


GREY_AS = np.array([[0, 0, 0, 63], [63, 63, 126, 0]], dtype=np.uint8)
COLOUR = {
    "an RGB PNG": pillow(Image.fromarray(GREY_AS).convert("RGB")),
    "an RGBA PNG": pillow(Image.fromarray(GREY_AS).convert("RGBA")),
    "a palette PNG": pillow(Image.fromarray(GREY_AS).convert("P")),
    "a grey PNG with an alpha channel": pillow(Image.fromarray(GREY_AS).convert("LA")),
    "a BMP file named as a mask": pillow(Image.fromarray(GREY_AS), "BMP"),
    "a TIFF file named as a mask": pillow(Image.fromarray(GREY_AS), "TIFF"),
}


@pytest.mark.parametrize("what", COLOUR)
def test_a_mask_that_is_not_grey_is_named_and_shows_its_levels(what: str) -> None:
    error = refusal(COLOUR[what])
    assert error.code == "mask-not-grey"
    assert error.reason == (f"{what}, not a grey PNG; its levels as grey are 0: 4, 63: 3, 126: 1")
    assert "--lenient-masks" in error.remedy


@pytest.mark.parametrize("what", COLOUR)
def test_lenience_converts_and_says_so(what: str) -> None:
    mask = read_mask(COLOUR[what], lenient=True)
    np.testing.assert_array_equal(mask.pixels, GREY_AS)
    assert mask.note == f"{what}, converted to grey"
    assert not mask.binary


def test_a_jpeg_in_disguise_is_named() -> None:
    data = pillow(Image.new("L", (16, 8), 63), "JPEG")
    assert refusal(data).reason.startswith("a JPEG file named as a mask")
    assert read_mask(data, lenient=True).pixels.shape == (8, 16)


@pytest.mark.parametrize("lenient", [False, True])
def test_colours_are_no_grey_levels(lenient: bool) -> None:
    """As luma, 60 of them would lie among the levels of a liver."""
    data = png([bytes([200, 0, 0, 0, 200, 0, 0, 0, 200])], cols=3, colour=2)
    error = refusal(data, lenient=lenient)
    assert error.code == "mask-not-grey"
    assert "#c80000: 1 pixel" in error.reason
    assert "--labels" in error.remedy


GREEN = Image.new("RGB", (16, 16), (0, 110, 0))  # 65 as luma, a level of the liver


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "half transparent"])
def test_colours_that_are_not_exact_are_no_grey_levels_either(form: str) -> None:
    half = GREEN.copy()
    half.putalpha(128)
    data = pillow(half) if form == "half transparent" else pillow(GREEN, form)
    error = refusal(data, lenient=True)
    assert (error.code, error.remedy) == ("mask-not-grey", "Use the original mask.")


def test_a_grey_jpeg_that_is_stored_in_colour_is_grey() -> None:
    data = pillow(Image.new("RGB", (16, 16), (63, 63, 63)), "JPEG")
    assert (read_mask(data, lenient=True).pixels == 63).all()


def test_grey_masks_need_no_lenience() -> None:
    assert read_mask(GREY, lenient=True).note is None


def test_deep_pixels_in_another_format_are_not_squeezed_into_eight_bits() -> None:
    deep = pillow(Image.fromarray(np.array([[0, 60000]], dtype=np.uint16)), "TIFF")
    assert refusal(deep, lenient=True).code == "mask-unreadable"


@given(st.integers(0, len(GREY) - 1), st.booleans())
def test_a_mask_cut_anywhere_is_unreadable(end: int, lenient: bool) -> None:
    assert refusal(GREY[:end], lenient=lenient).code == "mask-unreadable"


@given(st.integers(0, len(GREY) - 1), st.integers(1, 255))
def test_a_damaged_byte_never_passes_unseen(at: int, flip: int) -> None:
    damaged = GREY[:at] + bytes([GREY[at] ^ flip]) + GREY[at + 1 :]
    assert refusal(damaged, lenient=True).code in {"mask-unreadable", "too-large"}


@pytest.mark.parametrize("what", COLOUR)
def test_other_images_cut_short_are_unreadable(what: str) -> None:
    data = COLOUR[what]
    assert refusal(data[: len(data) // 2], lenient=True).code == "mask-unreadable"


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    bomb = b"\x89PNG\r\n\x1a\n" + head + body
    assert refusal(bomb).code == "too-large"
    assert image_code(bomb, ".png") == "too-large"
    colour = head[:17] + b"\2" + head[18:]
    colour = chunk(b"IHDR", colour[8:21])
    assert refusal(b"\x89PNG\r\n\x1a\n" + colour + body).code == "too-large"


def test_the_limit_on_a_masks_pixels_can_be_set() -> None:
    mask = png([b"\0\1\2", b"\3\4\5"], 3)
    read_mask(mask, max_pixels=6)
    with pytest.raises(FileError, match="2 x 3 pixels are above the limit") as caught:
        read_mask(mask, max_pixels=5)
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("side", [8200, 10000, 30000])
def test_a_bomb_in_another_format_is_refused_too(side: int) -> None:
    small = pillow(Image.new("L", (4, 4)), "BMP")
    bomb = small[:18] + struct.pack("<ii", side, side) + small[26:]
    assert refusal(bomb, lenient=True).code == "too-large"


# Sizes


def test_a_masks_size_is_rows_and_columns() -> None:
    assert mask_size(GREY) == (2, 4)
    assert mask_size(pillow(Image.new("L", (16, 8)), "JPEG")) == (8, 16)


def test_the_size_needs_the_header_alone() -> None:
    assert mask_size(GREY[:33]) == (2, 4)


@pytest.mark.parametrize("data", [b"", b"no image", GREY[:20], png([], cols=4)])
def test_a_size_needs_an_image(data: bytes) -> None:
    with pytest.raises(FileError) as caught:
        mask_size(data)
    assert caught.value.code == "mask-unreadable"


# PNG


@given(hnp.arrays(st.sampled_from([np.uint8, np.uint16]), sides))
def test_png_brings_back_the_same_pixels(array: NDArray[Any]) -> None:
    data = encode_png(array)
    back = decode_png(data)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    assert encode_png(array.copy()) == data


@given(hnp.arrays(st.sampled_from([np.uint8, np.uint16]), sides))
def test_other_readers_see_the_same_png(array: NDArray[Any]) -> None:
    data = encode_png(array)
    with Image.open(BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(image), array)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(np.asarray(read), array)


def test_a_machine_without_isal_writes_the_same_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    monkeypatch.setattr("chaosprep.imaging.png.codec.isal_zlib", zlib)
    np.testing.assert_array_equal(decode_png(encode_png(array)), array)


def test_views_and_byte_orders_are_encoded_by_value() -> None:
    array = np.arange(24, dtype=np.uint16).reshape(4, 6) * 1000
    assert encode_png(array.astype(">u2")) == encode_png(array)
    assert encode_png(array[:, ::2]) == encode_png(array[:, ::2].copy())
    assert encode_npy(array.astype(">u2")) == encode_npy(array)


@pytest.mark.parametrize("dtype", [np.bool_, np.int16, np.float32, np.uint32])
def test_png_takes_no_other_dtype(dtype: type[np.generic]) -> None:
    with pytest.raises(TypeError, match=np.dtype(dtype).name):
        encode_png(np.zeros((2, 2), dtype=dtype))


@pytest.mark.parametrize("shape", [(4,), (2, 2, 3), (0, 4)])
@pytest.mark.parametrize("extension", [".png", ".npy"])
def test_a_slice_has_two_axes(shape: tuple[int, ...], extension: str) -> None:
    with pytest.raises(ValueError, match="rows, cols"):
        encode(np.zeros(shape, dtype=np.uint8), extension)


@pytest.mark.parametrize("data", [b"", b"x", GREY[:-1], *COLOUR.values()])
def test_an_image_that_is_no_grey_png_is_refused(data: bytes) -> None:
    assert image_code(data, ".png") == "image-unreadable"


# npy

numbers = st.sampled_from(["u1", "i1", "<u2", "<i2", "<u4", "<i4", "<f4", "<f8"])


@given(numbers.flatmap(lambda dtype: hnp.arrays(dtype, sides)))
def test_npy_brings_back_the_same_values(array: NDArray[Any]) -> None:
    back = decode_npy(encode_npy(array))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    np.testing.assert_array_equal(np.load(BytesIO(encode_npy(array)), allow_pickle=False), array)


def saved(array: NDArray[Any], *, allow_pickle: bool = False) -> bytes:
    stream = BytesIO()
    np.save(stream, array, allow_pickle=allow_pickle)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", [">u2", "<u2"])
def test_numpys_own_files_are_read_in_any_order(dtype: str) -> None:
    array = np.arange(12, dtype=dtype).reshape(3, 4)
    for data in (saved(array), saved(np.asfortranarray(array))):
        back = decode_npy(data)
        assert back.dtype.isnative
        assert back.flags.c_contiguous
        assert back.flags.writeable
        np.testing.assert_array_equal(back, array)


def test_nothing_is_unpickled() -> None:
    data = saved(np.array([[{"a": 1}]], dtype=object), allow_pickle=True)
    assert image_code(data, ".npy") == "image-unreadable"


@pytest.mark.parametrize(
    "array", [np.zeros(4), np.zeros((2, 2, 2)), np.zeros((0, 2)), np.array([["a"]])]
)
def test_an_npy_that_is_no_slice_is_refused(array: NDArray[Any]) -> None:
    assert image_code(saved(array), ".npy") == "image-unreadable"


@pytest.mark.parametrize("shape", [b"(3, 5)", b"(2, 4)", b"(-3,-4)", b"(9000, 1000)"])
def test_a_forged_shape_is_refused(shape: bytes) -> None:
    data = saved(np.zeros((3, 4), dtype=np.uint16))
    padded = data.replace(b"(3, 4)" + b", }" + b" " * len(shape), shape + b", }" + b" " * 6)
    assert padded != data
    assert len(padded) == len(data)
    assert image_code(padded, ".npy") == "image-unreadable"


@given(st.integers(0, 151))
def test_an_npy_cut_anywhere_is_refused(end: int) -> None:
    data = saved(np.zeros((3, 4), dtype=np.uint16))
    assert len(data) == 152
    assert image_code(data[:end], ".npy") == "image-unreadable"


def test_a_damaged_npy_header_is_refused() -> None:
    data = saved(np.zeros((3, 4), dtype=np.uint16))
    for old, new in ((b"}", b"("), (b"(3, 4)", b"(3L,4)"), (b"'<u2'", b"'<q9'")):
        assert image_code(data.replace(old, new), ".npy") == "image-unreadable"


FORGED = [
    b"{'descr': '<u2', 'fortran_order': False, 'shape': (9999999999, 9999999999), }",
    b"{'descr': '<u2', 'fortran_order': False, 'shape': (-3, -4), }",
    b"{'descr': '|O', 'fortran_order': False, 'shape': (3, 4), }",
    b"{'descr': '<U999999999', 'fortran_order': False, 'shape': (3, 4), }",
    b"{'descr': '|a2', 'fortran_order': False, 'shape': (3, 4), }",  # numpy warns of the name
    b"{'descr': '<u2', 'fortran_order': False, 'shape': (3L, 4), }",  # Python 2, numpy warns
    b"(" * 5000,
    b"-" * 8000 + b"1",
]


@pytest.mark.parametrize("text", FORGED)
def test_a_forged_npy_header_is_refused(text: bytes) -> None:
    data = b"\x93NUMPY\x01\0" + (len(text) + 1).to_bytes(2, "little") + text + b"\n" + bytes(24)
    assert image_code(data, ".npy") in {"image-unreadable", "too-large"}


def test_npy_takes_no_booleans() -> None:
    with pytest.raises(TypeError, match="bool"):
        encode_npy(np.zeros((2, 2), dtype=np.bool_))


def test_an_extension_chooses_the_format() -> None:
    array = np.array([[1, 2]], dtype=np.uint16)
    assert encode(array, ".png") == encode_png(array)
    assert encode(array, ".npy") == encode_npy(array)
    for extension in (".png", ".npy"):
        data = encode(array, extension)
        np.testing.assert_array_equal(open_image(f"a{extension}", data).read()[1], array)
    assert image_code(b"", ".jpg") == "image-unreadable"


@pytest.mark.skipif(not REAL.exists(), reason="no real data beside the checkout")
def test_real_masks_are_read_as_pillow_reads_them() -> None:
    for path in sorted(REAL.rglob("*.png"))[::30]:
        mask = read_mask(path.read_bytes())
        with Image.open(path) as image:
            np.testing.assert_array_equal(mask.pixels, np.asarray(image).astype(np.uint8))
            assert mask.binary == (image.mode == "1")
        assert mask_size(path.read_bytes()) == mask.pixels.shape


# The beginning of a file


LARGE = np.arange(256 * 256, dtype=np.uint16).reshape(256, 256)


def test_of_a_plain_slice_the_header_is_read_and_says_all(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(data := dicom(LARGE))
    head = read_head(tmp_path / "a.dcm")
    assert data.startswith(head)
    assert len(head) < len(data) / 2
    assert open_image("a.dcm", head).headers() == open_image("a.dcm", data).headers()


def compressed() -> bytes:
    made = dataset(np.random.default_rng(0).integers(0, 2**16, LARGE.shape, np.uint16))
    made.compress(RLELossless)
    return encoded(made, RLELossless)


@pytest.mark.parametrize("data", [compressed(), dicom(LARGE, TextValue="x" * 2**16), b"x" * 2**17])
def test_of_any_other_file_all_is_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    assert read_head(tmp_path / "a") == data
