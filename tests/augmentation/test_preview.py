from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from chaosprep.augmentation.preview import (
    DARK,
    GAP,
    captioned,
    display_ends,
    encode_sheet,
    outlined,
    sheet,
)
from chaosprep.dataset.outlines import PALETTE


def test_an_image_is_shown_from_black_to_white_at_twice_its_size() -> None:
    image = np.array([[0, 500], [1000, 2000]], np.uint16)
    shown = outlined(image, None, (0.0, 1000.0))
    assert shown.shape == (4, 4, 3)
    assert shown[::2, ::2, 0].tolist() == [[0, 128], [255, 255]]


def test_each_label_has_an_outline_of_its_own_colour_inside_its_area() -> None:
    mask = np.zeros((12, 12), np.uint8)
    mask[1:6, 1:6], mask[7:11, 7:11] = 63, 252
    shown = outlined(np.zeros((12, 12), np.uint8), mask, (0.0, 1.0), (63, 126, 252))
    assert tuple(shown[2, 2]) == PALETTE[0]
    assert tuple(shown[14, 14]) == PALETTE[2]
    for place in ((1, 1), (6, 6), (17, 17), (12, 12)):
        assert tuple(shown[place]) == (0, 0, 0)


def test_a_window_leaves_out_the_brightest_pixels() -> None:
    image = np.full((100, 100), 500, np.uint16)
    image[0, :3], image[5] = 60000, 0
    assert display_ends(image) == (0.0, 500.0)


@pytest.mark.parametrize("side", [24, 160, 512])
def test_a_caption_stays_below_its_picture_and_is_cut_nowhere(side: int) -> None:
    picture = np.full((side, side, 3), 9, np.uint8)
    found = captioned(
        picture, ["MR001_t1-in_s005, copy 1", "rotation -4.51, gamma 1.21, stretch 1.03"]
    )
    times = found.shape[1] // side
    assert (found[: times * side] == 9).all()
    band = found[times * side :]
    assert (band > DARK).any(axis=2).sum() > 100
    assert (band[:, -2:] == DARK).all()
    assert (band[-2:] == DARK).all()


def test_a_small_picture_is_enlarged_by_whole_pixels() -> None:
    picture = np.arange(30 * 48 * 3, dtype=np.uint32).astype(np.uint8).reshape(30, 48, 3)
    found = captioned(picture, ["original"])
    assert found.shape[1] == 4 * 48
    assert (found[: 4 * 30 : 4, ::4] == picture).all()


def test_letters_grow_with_the_picture() -> None:
    bands = [captioned(np.zeros((8, wide, 3), np.uint8), ["original"]) for wide in (200, 800)]
    tall = [int((band[8:] > 100).any(axis=(1, 2)).sum()) for band in bands]
    assert 3 * tall[0] < tall[1] < 6 * tall[0]


def test_a_sheet_lays_pictures_of_all_sizes_out_on_a_dark_ground() -> None:
    small, large = np.zeros((4, 6, 3), np.uint8), np.full((8, 8, 3), 9, np.uint8)
    found = sheet([[small, large], [large]])
    assert found.shape == (16 + GAP, 16 + GAP, 3)
    assert (found[:4, :6] == 0).all()
    assert (found[:8, 8 + GAP :] == 9).all()
    assert (found[4:8, :8] == DARK).all()
    assert (found[8 + GAP :, 8 + GAP :] == DARK).all()


def test_a_sheet_as_a_file_keeps_its_colours_and_most_of_its_greys() -> None:
    picture = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2).repeat(6, axis=1)
    picture[:6, 0] = PALETTE
    read = np.asarray(Image.open(BytesIO(encode_sheet(picture))).convert("RGB"))
    assert [tuple(colour) for colour in read[:6, 0]] == list(PALETTE)
    assert np.abs(read[6:].astype(int) - picture[6:]).max() < 8
    assert read[0, 1, 0] == 0
    assert read[255, 1, 0] == 255
