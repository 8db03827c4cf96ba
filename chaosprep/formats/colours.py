"""Masks that show structures by colour: exact colours only."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError, plural
from chaosprep.formats.opened import check_single, picture_opened
from chaosprep.imaging.labels import Labels
from chaosprep.imaging.limits import MAX_PIXELS, check_size
from chaosprep.imaging.png.chunks import Head, chunk, chunks, pixels_only, read_head

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int]
"""Red, green and blue, 8 bits each."""

_MASK = "mask-unreadable"
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")  # those that are exactly RGBA, of 8 bits each
_LOSSY = ("jpeg", "tiff_jpeg", "webp")  # compressions of a TIFF
_BITS = 258  # BitsPerSample of a TIFF
_MOST = 255  # of a label of 8 bits
_SHOWN = 6  # colours in a message
_TINT = 8  # of 255: how far the channels of a grey may be apart
_BLOCK = 2**20  # pixels that are looked up at once


def read_colours(data: bytes, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """The colours of a picture as stored, (rows, cols, 4): red, green, blue and alpha.

    Alpha is 0 or 255, nothing between. Raises `FileError`: ``mask-colours`` for a picture without
    exact colours of 8 bits each, ``mask-unreadable``, ``frames`` or ``too-large``.
    """
    png = read_head(data, _MASK)
    if png is not None:
        check_size(png.rows, png.cols, max_pixels=max_pixels)
        data = _with_transparency(data, png)
    with picture_opened(data, _MASK) as image:
        check_size(image.height, image.width, max_pixels=max_pixels)
        check_single(image)
        bits = getattr(image, "tag_v2", {}).get(_BITS) or (8,)
        if (png and png.depth > 8) or max(bits) > 8:
            raise _inexact(
                "of more than 8 bits a channel", "Save it with 8 bits a channel, or as a grey PNG."
            )
        if kind := _lossy(image, data):
            raise _inexact(f"{kind}, whose colours are not exact", "Use the original mask, as PNG.")
        if image.mode not in _MODES:
            raise _inexact(f"stored as {image.mode}", "Save it as RGB, as PNG.")
        pixels: NDArray[np.uint8] = np.asarray(image.convert("RGBA"))
    half = int(np.count_nonzero((pixels[..., 3] != 0) & (pixels[..., 3] != 255)))
    if half:
        reason = f"half transparent in {plural(half, 'pixel')}"
        raise _inexact(reason, "Save it without transparency, each pixel in its own colour.")
    return pixels


def labels_by_colour(pixels: NDArray[np.uint8], labels: Mapping[Colour, int]) -> Labels:
    """The labels, (rows, cols), of a picture that `read_colours` gave; what is transparent is 0.

    They are uint8 where all of ``labels`` are, else uint16, whatever the picture shows.
    Raises `FileError` ``mask-colours`` where a pixel has another colour than those of ``labels``.
    """
    table = np.zeros(2**24, np.uint32)
    for (red, green, blue), label in labels.items():
        table[red << 16 | green << 8 | blue] = label + 1
    found = np.zeros(pixels.shape[:2], np.uint16)
    strange: Counter[int] = Counter()
    for rows in _blocks(pixels):
        codes = _codes(pixels[rows])
        values = np.where(pixels[rows, :, 3] == 0, 1, table[codes])
        strange += _counted(codes[values == 0])
        found[rows] = np.maximum(values, 1) - 1
    if strange:
        raise _strange(strange, len(labels))
    return found if max(labels.values()) > _MOST else found.astype(np.uint8)


def colours_shown(data: bytes, max_pixels: int = MAX_PIXELS) -> str:
    """The most frequent colours of a picture but black and grey, to be named: `#ff0000: 512`.

    Empty for a picture without any, and for one without exact colours.
    """
    counts: Counter[int] = Counter()
    with suppress(FileError):
        pixels = read_colours(data, max_pixels)
        for rows in _blocks(pixels):
            block = pixels[rows]
            counts += _counted(_codes(block[_is_coloured(block)]))
    return _described(counts)


def labels_for(shown: str) -> str:
    """How to name the colours that `colours_shown` told, as in ``--labels '#00ff00=NAME,...'``."""
    return f"--labels '{shown.partition(':')[0]}=NAME,...'"


def has_colours(pixels: NDArray[np.uint8]) -> bool:
    """Whether any pixel that shows is no grey, (rows, cols, 4), but for what JPEG leaves."""
    return any(_is_coloured(pixels[rows], _TINT).any() for rows in _blocks(pixels))


def grey_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The grey levels, (rows, cols), of a picture without colours; None for others."""
    grey = np.where(pixels[..., 3] == 0, np.uint8(0), pixels[..., 0])
    for rows in _blocks(pixels):
        if _is_coloured(pixels[rows]).any():
            return None
    return grey


def _blocks(pixels: NDArray[np.uint8]) -> Iterator[slice]:
    """The rows of a picture, a few at once."""
    step = max(1, _BLOCK // max(1, pixels.shape[1]))
    yield from (slice(at, at + step) for at in range(0, len(pixels), step))


def _is_coloured(pixels: NDArray[np.uint8], tint: int = 0) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.ptp(pixels[..., :3], axis=-1) > tint
    return found & (pixels[..., 3] > 0)


def _codes(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    red, green, blue = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    return red << np.uint32(16) | green << np.uint32(8) | blue


def _counted(codes: NDArray[np.uint32]) -> Counter[int]:
    found, counts = np.unique(codes, return_counts=True)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))


def _described(counts: Counter[int]) -> str:
    most = sorted(counts, key=lambda code: (-counts[code], code))[:_SHOWN]
    text = ", ".join(f"#{code:06x}: {plural(counts[code], 'pixel')}" for code in most)
    more = len(counts) - len(most)
    return f"{text}, ... {plural(more, 'more colour')}" if more else text


def _strange(counts: Counter[int], named: int) -> FileError:
    """The error of colours that stand for nothing: a few may be named, many are no paint."""
    reason = f"colours that --labels does not name: {_described(counts)}"
    most = max(counts, key=lambda code: (counts[code], -code))
    remedy = f"Name them in --labels ('#{most:06x}=NAME', or =background where they show nothing)."
    if len(counts) >= max(named, _SHOWN):
        remedy = (
            "Smoothed edges, resizing or JPEG make so many colours: use the original masks, or "
            "name every colour in --labels."
        )
    return FileError(reason, remedy, "mask-colours")


def _lossy(image: "Image", data: bytes) -> str | None:
    """What a picture is whose colours were changed when it was saved, or may have been."""
    if image.format == "JPEG":
        return "a JPEG"
    if image.format == "WEBP" and data[12:16] != b"VP8L":
        return "a WebP that may be lossy"
    return "a TIFF with JPEG inside" if image.info.get("compression") in _LOSSY else None


def _with_transparency(data: bytes, png: Head) -> bytes:
    """A PNG with its pixels and what of them is transparent (`tRNS`, PNG 3rd edition, 11.3.1.1)."""
    kept = pixels_only(data, png, _MASK)
    body = next((bytes(body) for name, body in chunks(data) if name == b"tRNS"), None)
    if body is None:
        return kept
    at = 8
    for name, content in chunks(kept):
        if name == b"IDAT":
            break
        at += 12 + len(content)
    return kept[:at] + chunk(b"tRNS", body) + kept[at:]


def _inexact(what: str, remedy: str) -> FileError:
    return FileError(f"the mask is {what}", remedy, "mask-colours")
