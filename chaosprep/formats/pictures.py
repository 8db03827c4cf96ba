"""Masks as pictures: the grey levels of a PNG, and what other pictures are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.colours import colours_shown, has_colours, labels_for
from chaosprep.formats.mask_file import MaskFormat
from chaosprep.formats.opened import check_single, picture_opened
from chaosprep.formats.png import COLOURS, decode_checked
from chaosprep.imaging.levels import describe_levels, level_histogram
from chaosprep.imaging.limits import MAX_PIXELS, check_size
from chaosprep.imaging.png.chunks import Head, pixels_only, read_head
from chaosprep.imaging.png.filters import WHOLE, Part

_IMAGE = "image-unreadable"
_MASK = "mask-unreadable"
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
"""What pictures end with that `read_picture` reads."""

_GREY = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L")
_COLOURS = {"P": "palette", "PA": "palette", "LA": "grey with an alpha channel"}
_EIGHT_BIT = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")


@dataclass(frozen=True, eq=False)
class MaskImage:
    """A mask as stored.

    ``pixels`` is (rows, cols), uint8 or uint16: grey levels, not scaled. ``binary`` marks a 1-bit
    PNG, whose pixels are 0 and 1. ``note`` says what was converted, where anything was. ``part`` is
    a part of the pixels outside which all are 0.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    binary: bool
    note: str | None = None
    part: Part = WHOLE


def mask_size(data: bytes) -> tuple[int, int]:
    """Give (rows, cols) from the header alone. Raises `FileError` ``mask-unreadable``."""
    png = read_head(data, _MASK)
    if png is not None:
        return png.rows, png.cols
    with picture_opened(data, _MASK) as image:
        return image.height, image.width


def read_mask(data: bytes, *, lenient: bool = False, max_pixels: int = MAX_PIXELS) -> MaskImage:
    """Read a grey PNG of 1 to 16 bits; its levels as stored, no EXIF rotation.

    With ``lenient`` a grey picture that is stored in colour, or another format under a PNG's name,
    is converted by Pillow's ``L`` and ``note`` says so. Real colours are no grey levels. Raises
    `FileError`: ``mask-not-grey``, ``mask-unreadable`` or ``too-large`` (more than ``max_pixels``).
    """
    png = read_head(data, _MASK)
    if png is not None and png.colour == 0:
        pixels, part = decode_checked(data, png, _MASK, max_pixels)
        return MaskImage(pixels, binary=png.depth == 1, part=part)
    what, grey, in_colour = _to_grey(data, png, max_pixels)
    if (colours := colours_shown(data, max_pixels)) or in_colour:
        raise _coloured(what, colours)
    if lenient:
        return MaskImage(grey, binary=False, note=f"{what}, converted to grey")
    raise FileError(
        f"{what}, not a grey PNG; its levels as grey are {describe_levels(level_histogram(grey))}",
        "Use the original mask, or let extract-liver convert this one with --lenient-masks.",
        "mask-not-grey",
    )


def _coloured(what: str, colours: str) -> FileError:
    """The error of a picture with colours, which are told where they are exact."""
    told = f": {colours}" if colours else ""
    named = f", or name its colours: chaosprep split {labels_for(colours)}" if colours else ""
    return FileError(
        f"{what} with colours, which are not grey levels{told}",
        f"Use the original mask{named}.",
        "mask-not-grey",
    )


@dataclass(frozen=True, eq=False)
class AnyPicture:
    """A picture as stored: (rows, cols[, channels]), and Pillow's name of its mode.

    Pixels of 1 bit are uint8, 0 and 1. Those of a ``lossy`` format are not exact.
    """

    pixels: NDArray[Any]
    mode: str
    lossy: bool

    @property
    def grey(self) -> NDArray[Any] | None:
        """Its one channel (rows, cols), also where it is stored as colour; None for colour."""
        if self.pixels.ndim == 2:
            return self.pixels
        colours = self.pixels[..., : 1 if self.pixels.shape[-1] == 2 else 3]
        return colours[..., 0] if (colours == colours[..., :1]).all() else None

    @property
    def stored_as(self) -> str | None:
        """What it is where it is not stored as plain grey, such as `RGB`."""
        return None if self.mode in _GREY else _COLOURS.get(self.mode, self.mode)


def read_picture(data: bytes) -> AnyPicture:
    """Read a picture of any kind that a mask or an image may be.

    Raises:
        FileError: `image-unreadable`, `too-large`, or `frames` (there are several).
    """
    png = read_head(data, _IMAGE)
    if png is not None:
        check_size(png.rows, png.cols)
        data = pixels_only(data, png, _IMAGE)
    with picture_opened(data, _IMAGE) as image:
        check_size(image.height, image.width)
        check_single(image)
        pixels = np.asarray(image)
        if image.mode == "1":
            pixels = pixels.astype(np.uint8)
        return AnyPicture(pixels, image.mode, lossy=image.format == "JPEG")


def _to_grey(data: bytes, png: Head | None, max_pixels: int) -> tuple[str, NDArray[np.uint8], bool]:
    """Say what a mask that is no grey PNG is, convert it, (rows, cols) uint8, and tell its colours.

    It is in colour where a pixel that shows is, also where JPEG or transparency made that inexact.
    """
    if png is not None:
        check_size(png.rows, png.cols, max_pixels=max_pixels)
        pixels_only(data, png, _MASK)
    with picture_opened(data, _MASK) as image:
        what = COLOURS[png.colour] if png else f"a {image.format} file named as a mask"
        check_size(image.height, image.width, max_pixels=max_pixels)
        if image.mode not in _EIGHT_BIT:
            raise FileError(f"{what}, of more than 8 bits", "Convert it to a grey PNG.", _MASK)
        grey, in_colour = np.asarray(image.convert("L")), image.mode not in _GREY
        return what, grey, in_colour and has_colours(np.asarray(image.convert("RGBA")))


PICTURE = MaskFormat(
    name="picture",
    endings=(".png",),
    knows=lambda path, data: True,
    of_slice=lambda data: read_mask(data).pixels,
    size=mask_size,
)
