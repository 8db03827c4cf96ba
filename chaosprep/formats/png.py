"""Grey PNG of a slice: bytes to an array and back, exactly as stored."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import RECOPY, FileError
from chaosprep.formats.image_file import ImageFormat, Picture
from chaosprep.imaging.limits import MAX_PIXELS, check_size
from chaosprep.imaging.png.chunks import Head, pixels_only, read_head
from chaosprep.imaging.png.codec import Compression, decode_grey, encode_grey
from chaosprep.imaging.png.filters import WHOLE, Part
from chaosprep.imaging.png.unpacking import repacked

_IMAGE = "image-unreadable"
COLOURS = {
    2: "an RGB PNG",
    3: "a palette PNG",
    4: "a grey PNG with an alpha channel",
    6: "an RGBA PNG",
}
"""What a PNG is whose colour type (PNG 3rd edition, 11.2.1) is not grey."""


def encode_png(
    array: NDArray[np.uint8] | NDArray[np.uint16], compression: Compression = "fast"
) -> bytes:
    """Encode a (rows, cols) array of uint8 or uint16; the same array gives the same bytes.

    Raises `TypeError` for another dtype (bool included) and `ValueError` for another shape.
    """
    if array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise TypeError(f"a PNG holds uint8 or uint16, not {array.dtype.name}")
    return encode_grey(check_slice(array), compression)


def decode_png(data: bytes) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Decode a grey PNG to (rows, cols), uint8 or uint16, as stored.

    Raises `FileError` ``image-unreadable`` or ``too-large``.
    """
    png = read_head(data, _IMAGE)
    if png is None or png.colour != 0:
        what = "not a PNG" if png is None else f"{COLOURS[png.colour]}, not a grey one"
        raise FileError(what, "Convert it to a grey PNG of 8 or 16 bits.", _IMAGE)
    return decode_checked(data, png, _IMAGE, MAX_PIXELS)[0]


def check_slice(array: NDArray[Any]) -> NDArray[Any]:
    """The array, if it is one slice. Raises `ValueError`."""
    if array.ndim != 2 or not array.size:
        raise ValueError(f"a slice is (rows, cols), not an array of shape {array.shape}")
    return array


def decode_checked(
    data: bytes, png: Head, code: str, max_pixels: int
) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], Part]:
    """Decode a grey PNG whose head was read: (rows, cols), and the part that is not all 0.

    Raises `FileError` with ``code``, or ``too-large``.
    """
    check_size(png.rows, png.cols, max_pixels=max_pixels)
    data = pixels_only(data, png, code)
    own = decode_grey(data, png.rows, png.cols, png.depth)
    if own is not None:
        return own
    import cv2

    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    whole = repacked(data, png)
    if whole is None:
        raise FileError("the PNG cannot be decoded", RECOPY, code)
    pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(whole, np.uint8), flags)
    if pixels is None or pixels.shape != (png.rows, png.cols):
        raise FileError("the PNG cannot be decoded", RECOPY, code)
    if png.depth < 8:  # decoders spread these over 0..255; back to the levels in the file
        pixels //= 255 // (2**png.depth - 1)
    return pixels, WHOLE


PNG = ImageFormat(
    name="PNG",
    ending=".png",
    knows=lambda path, data: path.endswith(".png"),
    open=lambda data, max_pixels: Picture(decode_png, data),
)
