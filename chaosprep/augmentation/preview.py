"""Pictures to look at: images with the outlines of their masks, side by side."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from itertools import cycle
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.outlines import PALETTE

Colour = NDArray[np.uint8]
Ends = tuple[float, float]

GAP: Final = 4  # pixels between the tiles of a sheet
DARK: Final = 16
LIGHT: Final = 232
MUTED: Final = 168
NARROW: Final = 160  # pixels; a caption below less is broken too often
LETTERS: Final = 11  # pixels, the least height of a caption's letters
ACROSS: Final = 18  # of the largest stand side by side, so that they are read on a small screen
GREY_STEP: Final = 8  # grey values of a sheet as a file are multiples of this


def display_ends(image: NDArray[Any]) -> Ends:
    """Return the values to show as black and white: the least, and the 99.5th percentile."""
    return float(image.min()), float(np.percentile(image, 99.5))


def outlined(
    image: NDArray[Any], mask: NDArray[Any] | None, window: Ends, labels: Sequence[int] = ()
) -> Colour:
    """Return an image (rows, cols) as colours (2 rows, 2 cols, 3) with its mask's outlines.

    ``labels`` are the mask values that have a colour each, in this order; by default those of the
    mask itself.
    """
    if mask is None:
        return drawn(image, (), window)
    found = labels or [int(value) for value in np.unique(mask) if value]
    areas = (mask == label for label in found)
    return drawn(image, zip(cycle(PALETTE), areas, strict=False), window)


def drawn(
    image: NDArray[Any], areas: Iterable[tuple[Sequence[int], NDArray[np.bool_]]], window: Ends
) -> Colour:
    """Return an image (rows, cols) as colours (2 rows, 2 cols, 3) with the outlines of areas.

    Twice the size leaves room for thin lines, just inside each area: a colour and (rows, cols).
    """
    low, high = window
    grey = np.clip((image.astype(np.float32) - low) * (255.0 / max(high - low, 1e-6)), 0, 255)
    picture = np.repeat(_twice(np.rint(grey).astype(np.uint8))[:, :, None], 3, axis=2)
    for colour, inside in areas:
        picture[_outline(_twice(inside))] = colour
    return picture


def captioned(picture: Colour, lines: Sequence[str]) -> Colour:
    """Return a picture with lines of text below it, which are broken where it is too narrow.

    A small picture is enlarged by whole pixels; letters grow with a large one, so that a sheet is
    read where it is made to fit a screen.
    """
    from PIL import Image, ImageDraw, ImageFont

    times = -(-NARROW // max(picture.shape))
    picture = picture.repeat(times, axis=0).repeat(times, axis=1)
    wide = picture.shape[1]
    size = max(LETTERS, wide // ACROSS)
    font, step = ImageFont.load_default(size), size * 14 // 11
    broken = [part for line in lines for part in _broken(line, wide - 6, font.getlength)]
    band = Image.new("RGB", (wide, step * len(broken) + GAP), (DARK,) * 3)
    pen = ImageDraw.Draw(band)
    for index, line in enumerate(broken):
        pen.text((3, 2 + index * step), line, (LIGHT if index == 0 else MUTED,) * 3, font)
    return np.concatenate([picture, np.asarray(band, np.uint8)])


def _broken(line: str, wide: int, length: Callable[[str], float]) -> list[str]:
    """The line in as few parts as fit, of at least 8 letters."""
    for most in range(max(len(line), 8), 7, -1):
        parts = textwrap.wrap(line, most, break_on_hyphens=False)
        if all(length(part) <= wide for part in parts):
            return parts
    return textwrap.wrap(line, 8, break_on_hyphens=False)


def sheet(rows: Sequence[Sequence[Colour]]) -> Colour:
    """Lay pictures out in rows on a dark ground, each in a cell of the size of the largest."""
    pictures = [picture for row in rows for picture in row]
    tall, wide = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    across = max(len(row) for row in rows)
    shape = (len(rows) * (tall + GAP) - GAP, across * (wide + GAP) - GAP, 3)
    found = np.full(shape, DARK, np.uint8)
    for down, row in enumerate(rows):
        for right, picture in enumerate(row):
            top, left = down * (tall + GAP), right * (wide + GAP)
            found[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return found


def encode_sheet(picture: Colour) -> bytes:
    """Encode a sheet as a small PNG with a palette: colours exact, greys in 32 levels."""
    from PIL import Image

    grey = (picture == picture[:, :, :1]).all(axis=2)
    fewer = np.where(grey[:, :, None] & (picture < 255), picture // GREY_STEP * GREY_STEP, picture)
    packed = fewer.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, indices = np.unique(packed, return_inverse=True)
    indexed = Image.fromarray(indices.reshape(packed.shape).astype(np.uint8)).convert("P")
    palette = np.stack([colours >> 16, colours >> 8, colours], 1).astype(np.uint8)
    indexed.putpalette(palette.tobytes())
    stream = BytesIO()
    indexed.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _twice(pixels: NDArray[Any]) -> NDArray[Any]:
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


def _outline(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of an area that have one of its four neighbours outside."""
    around = np.pad(inside, 1)
    whole = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    return np.asarray(inside & ~whole, np.bool_)
