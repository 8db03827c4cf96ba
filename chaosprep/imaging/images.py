"""PNG and npy: bytes to arrays and back, exactly as stored. No paths, no colour conversion."""

import tokenize
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.chunks import Head, pixels_only, read_head
from chaosprep.imaging.faults import BROKEN, RECOPY
from chaosprep.imaging.filters import WHOLE, Part
from chaosprep.imaging.organs import describe_levels, level_histogram
from chaosprep.imaging.png import Compression, decode_grey, encode_grey

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 64 * 2**20  # per slice; a larger announcement is a mistake or an attack
_MASK = "mask-unreadable"
_IMAGE = "image-unreadable"
_COLOURS = {
    2: "an RGB PNG",
    3: "a palette PNG",
    4: "a grey PNG with an alpha channel",
    6: "an RGBA PNG",
}
# Formats that a mask is likely to be in by mistake; Pillow's others only widen the way in.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
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


def check_size(rows: int, cols: int, *, frames: int = 1, max_pixels: int = MAX_PIXELS) -> None:
    """Refuse, before anything is allocated, an image of more than ``max_pixels`` in all frames.

    Raises `FileError` ``too-large``.
    """
    if rows * cols * frames > max_pixels:
        what = f"{frames} frames of {rows} x {cols}" if frames > 1 else f"{rows} x {cols}"
        reason = f"{what} pixels are above the limit of {max_pixels / 2**20:g} Mpx"
        raise FileError(reason, "Check the file; a slice is never that large.", "too-large")


def mask_size(data: bytes) -> tuple[int, int]:
    """Give (rows, cols) from the header alone. Raises `FileError` ``mask-unreadable``."""
    png = read_head(data, _MASK)
    if png is not None:
        return png.rows, png.cols
    cols, rows = _open(data).size
    return rows, cols


def read_mask(data: bytes, *, lenient: bool = False, max_pixels: int = MAX_PIXELS) -> MaskImage:
    """Read a grey PNG of 1 to 16 bits; its levels as stored, no EXIF rotation.

    With ``lenient`` a colour image, or another format under a PNG's name, is converted by Pillow's
    ``L`` (ITU-R 601-2 luma) and ``note`` says so. Raises `FileError`: ``mask-not-grey``,
    ``mask-unreadable`` or ``too-large`` (more than ``max_pixels``).
    """
    png = read_head(data, _MASK)
    if png is not None and png.colour == 0:
        pixels, part = _decode_grey(data, png, _MASK, max_pixels)
        return MaskImage(pixels, binary=png.depth == 1, part=part)
    what, grey = _to_grey(data, png, max_pixels)
    if lenient:
        return MaskImage(grey, binary=False, note=f"{what}, converted to grey")
    raise FileError(
        f"{what}, not a grey PNG; its levels as grey are {describe_levels(level_histogram(grey))}",
        "Use the original mask, or convert this one on reading with --lenient-masks.",
        "mask-not-grey",
    )


def encode_png(
    array: NDArray[np.uint8] | NDArray[np.uint16], compression: Compression = "fast"
) -> bytes:
    """Encode a (rows, cols) array of uint8 or uint16; the same array gives the same bytes.

    Raises `TypeError` for another dtype (bool included) and `ValueError` for another shape.
    """
    if array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise TypeError(f"a PNG holds uint8 or uint16, not {array.dtype.name}")
    return encode_grey(_check_shape(array), compression)


def decode_png(data: bytes) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Decode a grey PNG to (rows, cols), uint8 or uint16, as stored.

    Raises `FileError` ``image-unreadable`` or ``too-large``.
    """
    png = read_head(data, _IMAGE)
    if png is None or png.colour != 0:
        what = "not a PNG" if png is None else f"{_COLOURS[png.colour]}, not a grey one"
        raise FileError(what, "Convert it to a grey PNG of 8 or 16 bits.", _IMAGE)
    return _decode_grey(data, png, _IMAGE, MAX_PIXELS)[0]


def encode_npy(array: NDArray[Any]) -> bytes:
    """Encode a (rows, cols) array of integers or floats: npy 1.0, C order, little endian.

    Raises `TypeError` for another dtype (bool included) and `ValueError` for another shape.
    """
    if array.dtype.kind not in "iuf":
        raise TypeError(f"an npy slice holds integers or floats, not {array.dtype.name}")
    little = np.ascontiguousarray(_check_shape(array), dtype=array.dtype.newbyteorder("<"))
    return b"".join((_npy_head(little.dtype.str, little.shape), little.data))


@lru_cache(maxsize=8)  # the slices of a series share one
def _npy_head(dtype: str, shape: tuple[int, ...]) -> bytes:
    stream = BytesIO()
    said = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, said)
    return stream.getvalue()


def decode_npy(data: bytes) -> NDArray[Any]:
    """Decode a (rows, cols) array of integers or floats; C order, native byte order, writable.

    Nothing is unpickled, and nothing allocated before the announced shape agrees with the bytes
    that there are. Raises `FileError` ``image-unreadable`` or ``too-large``.
    """
    stream = BytesIO(data)
    shape, fortran, dtype = _npy_header(stream)
    size = len(data) - stream.tell()
    if dtype.kind not in "iuf" or len(shape) != 2 or min(shape) < 1:
        raise FileError("the npy holds no 2-D array of numbers", RECOPY, _IMAGE)
    check_size(*shape)
    if shape[0] * shape[1] * dtype.itemsize != size:
        raise FileError("the npy's shape disagrees with its size", RECOPY, _IMAGE)
    flat = np.frombuffer(data, dtype=dtype, offset=stream.tell())
    array = flat.reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), order="C")


def encode(array: NDArray[Any], extension: str, compression: Compression = "fast") -> bytes:
    """Encode for a file name's extension: ``.png``, or ``.npy``, which is never compressed."""
    if extension == ".png":
        return encode_png(array, compression)
    return _codec(extension)[0](array)


def decode(data: bytes, extension: str) -> NDArray[Any]:
    """Decode by a file name's extension: ``.png`` or ``.npy``."""
    return _codec(extension)[1](data)


def _codec(
    extension: str,
) -> tuple[Callable[[NDArray[Any]], bytes], Callable[[bytes], NDArray[Any]]]:
    codecs = {".png": (encode_png, decode_png), ".npy": (encode_npy, decode_npy)}
    if extension not in codecs:
        raise FileError("neither a .png nor a .npy", "Convert it to one of the two.", _IMAGE)
    return codecs[extension]


def _npy_header(stream: BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy's, on headers of Python 2 and on old type names
            return readers[np.lib.format.read_magic(stream)](stream)
    except (*BROKEN, Warning, tokenize.TokenError):
        raise FileError("not a readable npy file", RECOPY, _IMAGE) from None


def _check_shape(array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim != 2 or not array.size:
        raise ValueError(f"a slice is (rows, cols), not an array of shape {array.shape}")
    return array


def _native(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _decode_grey(
    data: bytes, png: Head, code: str, max_pixels: int
) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], Part]:
    check_size(png.rows, png.cols, max_pixels=max_pixels)
    data = pixels_only(data, png, code)
    own = decode_grey(data, png.rows, png.cols, png.depth)
    if own is not None:
        return own
    import cv2

    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None or pixels.shape != (png.rows, png.cols):
        raise FileError("the PNG cannot be decoded", RECOPY, code)
    if png.depth < 8:  # decoders spread these over 0..255; back to the levels in the file
        pixels //= 255 // (2**png.depth - 1)
    return pixels, WHOLE


def _open(data: bytes) -> "Image":
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own size warning: check_size decides
        try:
            return Image.open(BytesIO(data), formats=_FORMATS)
        except Image.DecompressionBombError:
            reason = f"the image is above the limit of {MAX_PIXELS >> 20} Mpx"
            raise FileError(reason, "Check the file.", "too-large") from None
        except UnidentifiedImageError:
            raise FileError("not an image", RECOPY, _MASK) from None
        except BROKEN:
            raise FileError("the image is cut short or damaged", RECOPY, _MASK) from None


def _to_grey(data: bytes, png: Head | None, max_pixels: int) -> tuple[str, NDArray[np.uint8]]:
    """Say what a mask that is no grey PNG is, and convert it: (rows, cols) uint8."""
    if png is not None:
        check_size(png.rows, png.cols, max_pixels=max_pixels)
        pixels_only(data, png, _MASK)
    image = _open(data)
    what = _COLOURS[png.colour] if png else f"a {image.format} file named as a mask"
    check_size(image.height, image.width, max_pixels=max_pixels)
    if image.mode not in _EIGHT_BIT:
        raise FileError(f"{what}, of more than 8 bits", "Convert it to a grey PNG.", _MASK)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return what, np.asarray(image.convert("L"))
        except BROKEN:
            raise FileError("the image is cut short or damaged", RECOPY, _MASK) from None
