"""Masks by colour or grey level: pictures that Pillow wrote, against what was painted."""

from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from chaosprep.errors import FileError
from chaosprep.formats.label_table import parse_labels
from chaosprep.formats.pictures import read_mask
from chaosprep.formats.tabled import labels_by_value, picture_labels
from tests import memory
from tests.attacks.grammars import draws, scratched, tried

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
TABLE = parse_labels("#ff0000=liver,#00ff00=spleen,#ffffff=background")
LABELS = np.zeros((6, 7), np.uint8)
LABELS[1:3, 1:5] = 1
LABELS[4, 2:6] = 2


def painted(labels: NDArray[np.uint8] = LABELS, **colours: tuple[int, ...]) -> NDArray[np.uint8]:
    """(rows, cols, channels): black, red where a label is 1, green where it is 2."""
    given = {"none": (0, 0, 0), "one": RED, "two": GREEN} | colours
    return np.array([given["none"], given["one"], given["two"]], np.uint8)[labels]


def saved(pixels: NDArray[Any] | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def palette(labels: NDArray[np.uint8], colours: list[int]) -> Image.Image:
    image = Image.fromarray(labels, "P")
    image.putpalette(colours)
    return image


def alpha(labels: NDArray[np.uint8], value: int = 0) -> NDArray[np.uint8]:
    """RGBA: blue where nothing is, and that in this alpha."""
    return painted(labels, none=(*BLUE, value), one=(*RED, 255), two=(*GREEN, 255))


CLEAR = palette(LABELS, [*BLUE, *RED, *GREEN])
PICTURES = {
    "RGB PNG": saved(painted()),
    "BMP": saved(painted(), "BMP"),
    "GIF": saved(Image.fromarray(painted()).quantize(3), "GIF"),
    "TIFF": saved(painted(), "TIFF"),
    "TIFF, LZW": saved(painted(), "TIFF", compression="tiff_lzw"),
    "lossless WebP": saved(painted(), "WEBP", lossless=True),
    "palette": saved(palette(LABELS, [0, 0, 0, *RED, *GREEN])),
    "palette of 2 bits": saved(palette(LABELS, [0, 0, 0, *RED, *GREEN]), bits=2),
    "palette with red twice": saved(
        palette(np.where(LABELS * (np.arange(7) % 2), 3, LABELS).astype(np.uint8) * (LABELS == 1)
                + LABELS * (LABELS == 2), [0, 0, 0, *RED, *GREEN, *RED])
    ),
    "white background": saved(painted(none=WHITE)),
    "opaque RGBA": saved(painted(none=(0, 0, 0, 255), one=(*RED, 255), two=(*GREEN, 255))),
    "transparent RGBA": saved(alpha(LABELS)),
    "transparent palette": saved(CLEAR, transparency=0),
    "transparent palette by bytes": saved(CLEAR, transparency=b"\0\xff\xff"),
    "transparent colour": saved(painted(none=BLUE), transparency=BLUE),
    "transparent GIF": saved(CLEAR, "GIF", transparency=0),
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_colours_become_the_labels_of_the_table(name: str) -> None:
    labels = picture_labels(PICTURES[name], TABLE)
    assert labels is not None
    assert labels.dtype == np.uint8
    assert np.array_equal(labels, LABELS)


def test_labels_are_of_one_type_whatever_a_picture_shows() -> None:
    many = ",".join(f"#{n:06x}=s{n}" for n in range(1, 301))
    for labels in (LABELS, LABELS * 0):
        data = saved(painted(labels, one=(0, 0, 1), two=(0, 0, 2)))
        found = np.asarray(picture_labels(data, parse_labels(many)))
        assert found.dtype == np.uint16
        assert np.array_equal(found, labels)


def test_grey_is_a_colour_too() -> None:
    table = parse_labels("#ffffff=liver,#808080=spleen")
    grey = np.array([0, 255, 128], np.uint8)[LABELS]
    for data in (saved(grey), saved(np.dstack([grey] * 3)), saved(grey, "BMP")):
        assert np.array_equal(np.asarray(picture_labels(data, table)), LABELS)


def test_one_bit_is_black_and_white() -> None:
    one = LABELS == 1
    for kind in ("PNG", "TIFF", "BMP"):
        labels = picture_labels(saved(one, kind), parse_labels("#fff=liver"))
        assert np.array_equal(np.asarray(labels), one)


def failed(data: bytes, table: str = "#ff0000=liver,#00ff00=spleen") -> FileError:
    with pytest.raises(FileError) as caught:
        picture_labels(data, parse_labels(table))
    return caught.value


def test_a_colour_of_no_entry_is_one_error_with_counts() -> None:
    pixels = painted()
    pixels[0, :3] = (255, 1, 0)
    pixels[5, 0] = (0, 1, 2)
    error = failed(saved(pixels))
    assert error.code == "mask-colours"
    assert error.reason.endswith("#ff0100: 3 pixels, #000102: 1 pixel")
    assert "'#ff0100=NAME'" in error.remedy


def test_what_smoothed_edges_make_is_told() -> None:
    image = Image.fromarray(painted()).resize((40, 40), Image.Resampling.BICUBIC)
    error = failed(saved(image))
    assert "more colours" in error.reason
    assert "original" in error.remedy


DEEP = np.zeros((6, 7), np.uint16)
INEXACT = {
    "JPEG": (saved(painted(), "JPEG", quality=100), "JPEG"),
    "WebP": (saved(painted(), "WEBP"), "lossy"),
    "TIFF with JPEG": (saved(painted(), "TIFF", compression="jpeg"), "JPEG"),
    "half transparent": (saved(alpha(LABELS, 100)), "half transparent in 30 pixels"),
    "CMYK": (saved(Image.fromarray(painted()).convert("CMYK"), "TIFF"), "CMYK"),
    "16-bit grey": (saved(DEEP), "8 bits"),
}


@pytest.mark.parametrize("name", INEXACT)
def test_pictures_without_exact_colours_are_refused(name: str) -> None:
    data, said = INEXACT[name]
    error = failed(data)
    assert error.code == "mask-colours"
    assert said in error.reason


def test_a_png_of_16_bits_a_channel_is_refused() -> None:
    import cv2

    pixels = painted().astype(np.uint16)[..., ::-1] * 257
    ok, data = cv2.imencode(".png", pixels)
    assert ok
    assert "8 bits" in failed(data.tobytes()).reason


def test_an_animation_is_refused() -> None:
    first, second = Image.fromarray(painted()), Image.fromarray(painted(none=BLUE))
    data = saved(first, "GIF", save_all=True, append_images=[second])
    assert failed(data).code == "frames"


# Grey levels and numbers


def test_plain_numbers_leave_a_grey_png_as_it_is() -> None:
    grey = np.array([0, 80, 240], np.uint8)[LABELS]
    assert picture_labels(saved(grey), parse_labels("80=liver,160=spleen")) is None


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TIFF"])
def test_plain_numbers_are_read_from_any_exact_picture(kind: str) -> None:
    grey = np.array([0, 80, 240], np.uint8)[LABELS]
    labels = picture_labels(saved(grey, kind), parse_labels("80=liver"))
    assert np.array_equal(np.asarray(labels), grey)


def test_grey_that_is_stored_as_colour_has_its_levels() -> None:
    grey = np.array([0, 80, 240], np.uint8)[LABELS]
    for data in (saved(np.dstack([grey] * 3)), saved(Image.fromarray(grey).convert("P"))):
        labels = picture_labels(data, parse_labels("55..90=liver,240=spleen"))
        assert np.array_equal(np.asarray(labels), LABELS)


@pytest.mark.parametrize("scale", [1, 200])
def test_ranges_become_the_values_of_the_table(scale: int) -> None:
    """Also of 16 bits."""
    levels = np.array([0, 80, 160, 240], np.uint16) * scale
    grey = levels[np.where(LABELS == 2, 3, LABELS)].astype(np.uint8 if scale == 1 else np.uint16)
    table = f"{55 * scale}..{90 * scale}=liver,{240 * scale}=spleen"
    labels = picture_labels(saved(grey), parse_labels(table))
    assert np.array_equal(np.asarray(labels), LABELS)


def test_a_level_of_no_entry_is_an_error_with_its_count() -> None:
    grey = np.array([0, 80, 240], np.uint8)[LABELS]
    error = failed(saved(grey), "55..90=liver")
    assert (error.code, "240: 4" in error.reason) == ("mask-levels", True)
    assert "'240=NAME'" in error.remedy


def test_levels_between_others_are_told_to_be_interpolated() -> None:
    grey = np.where(LABELS == 1, 80, 0).astype(np.uint8)
    blurred = Image.fromarray(grey).resize((60, 60), Image.Resampling.BILINEAR)
    assert "interpolated" in failed(saved(blurred), "70..90=liver").remedy


def test_colours_are_no_numbers() -> None:
    error = failed(saved(painted()), "1=liver")
    assert error.code == "mask-not-grey"
    assert "#ff0000: 8 pixels, #00ff00: 4 pixels" in error.reason


def test_numbers_are_no_colours() -> None:
    with pytest.raises(FileError, match="colours"):
        labels_by_value(LABELS, TABLE)


def test_without_a_table_the_remedy_names_the_colours() -> None:
    with pytest.raises(FileError) as caught:
        read_mask(saved(painted()))
    assert caught.value.code == "mask-not-grey"
    assert "#ff0000: 8 pixels, #00ff00: 4 pixels" in caught.value.reason
    assert "--labels '#ff0000=NAME,...'" in caught.value.remedy
    with pytest.raises(FileError) as caught:
        read_mask(saved(painted(), "JPEG"))
    assert "--labels" not in caught.value.remedy


@pytest.mark.parametrize("name", PICTURES)
def test_a_damaged_picture_is_labels_or_one_error(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for draw in draws(f"colours {name}", 0, 50):
        found = tried(partial(picture_labels, scratched(PICTURES[name], draw), TABLE))
        assert isinstance(found, np.ndarray | FileError)
    if "TIFF" not in name:  # libtiff prints what is wrong
        assert capfd.readouterr() == ("", "")


def test_the_largest_picture_stays_within_the_memory_that_is_promised() -> None:
    data = saved(palette(np.ones((8192, 8192), np.uint8), [0, 0, 0, *RED]))
    before = memory.begin()
    labels = picture_labels(data, TABLE)
    assert memory.peak() - before < 2**20
    assert labels is not None
    assert labels.all()
