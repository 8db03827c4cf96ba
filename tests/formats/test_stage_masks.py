"""Masks as stages write them, by their ending: grey PNG, and npy where a directory holds arrays."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.npy import layout_of
from chaosprep.formats.png import encode_png
from chaosprep.formats.stage_masks import as_array, read_stage_mask
from tests.formats.samples import png

LEVELS = np.array([[0, 63, 126], [189, 252, 255]], np.uint8)


def npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2"])
def test_an_array_is_read_as_the_picture_of_its_levels(dtype: str) -> None:
    array = LEVELS.astype(dtype)
    mask = read_stage_mask("a.npy", npy(array))
    picture = read_stage_mask("a.png", encode_png(array.astype(array.dtype.newbyteorder("="))))
    assert (mask.binary, mask.pixels.dtype) == (picture.binary, picture.pixels.dtype)
    np.testing.assert_array_equal(mask.pixels, picture.pixels)


def test_booleans_are_a_mask_of_one_bit() -> None:
    mask = read_stage_mask("a.npy", npy(np.array([[False, True]])))
    assert mask.binary
    assert (mask.pixels.dtype.name, mask.pixels.tolist()) == ("uint8", [[0, 1]])


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (LEVELS.astype("<i2"), "mask-kind"),
        (LEVELS.astype("<u4"), "mask-kind"),
        (LEVELS / 1.0, "mask-kind"),
        (LEVELS[None], "mask-kind"),
        (np.array([["text"]]), "mask-values"),
    ],
)
def test_other_arrays_are_no_masks(array: NDArray[Any], code: str) -> None:
    with pytest.raises(FileError) as caught:
        read_stage_mask("a.npy", npy(array))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("path", "levels", "bits", "wanted"),
    [
        ("train/masks/a.png", [[0, 1, 1, 0]], 1, np.bool_),
        ("train/images/a.png", [[0, 1, 1, 0]], 1, np.uint8),
        ("train/masks/a.png", [[0, 1, 15, 7]], 4, np.uint8),
    ],
)
def test_a_grey_png_becomes_the_npy_file_of_its_pixels(
    path: str, levels: list[list[int]], bits: int, wanted: type
) -> None:
    packed = {1: b"\x60", 4: b"\x01\xf7"}[bits]
    made, data = as_array(path, png([packed], cols=4, depth=bits))
    assert made == path.replace(".png", ".npy")
    array = np.load(io.BytesIO(data))
    assert (array.dtype, array.tolist()) == (wanted, levels)


@pytest.mark.parametrize("path", ["train/masks/a.png", "train/images/a.npy", "train/images/a.dcm"])
def test_what_is_no_grey_png_stays_as_it_is(path: str) -> None:
    assert as_array(path, b"other bytes") == (path, b"other bytes")


def test_where_the_pixels_of_an_npy_file_begin_is_told() -> None:
    data = npy(LEVELS)
    assert layout_of(data) == ((2, 3), LEVELS.dtype, len(data) - 6)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x93NUMPY", npy(LEVELS[None]), npy(LEVELS[:0]), npy(np.asfortranarray(LEVELS))],
)
def test_other_files_have_no_such_place(data: bytes) -> None:
    assert layout_of(data) is None
