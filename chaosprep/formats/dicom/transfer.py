"""Transfer syntaxes: what decodes each, and what is checked before a decoder is let loose."""

import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.dicom.codestreams import Announced, announced, check_rle
from chaosprep.formats.dicom.encapsulated import find_frames
from chaosprep.formats.dicom.faults import broken, guarded, truncated

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pydicom.uid import UID

    from chaosprep.formats.dicom.headers import Pixels

_JPEG = "1.2.840.10008.1.2.4."
_CODECS = tuple(f"{_JPEG}{last}" for last in (90, 91, 201, 202, 203))
_CODECS_GPL = tuple(f"{_JPEG}{last}" for last in (50, 51, 57, 70, 80, 81))
_EXTENDED, _RLE = f"{_JPEG}51", "1.2.840.10008.1.2.5"
# pylibjpeg-rle, where somebody has installed it, panics on damaged data, past every `except`.
PLUGINS = {_RLE: "pydicom"}
# Those that keep all the bits that are allocated, not only those that are stored.
HOLDS_ALL_BITS = (*(f"1.2.840.10008.1.2{last}" for last in ("", ".1", ".2")), _RLE)
# Those that pydicom gives a sign by what the codestream says, whatever BitsStored is.
HAS_OWN_SIGN = tuple(f"{_JPEG}{last}" for last in (80, 81, 90, 91, 201, 202, 203))
_DEFLATED, _EXPLICIT = b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1"
_REWRITE = "Rewrite the file uncompressed, for example with `gdcmconv --raw`."
_INFLATED = 4  # bytes per allowed pixel: keeps data, element and array below 1 GB together
_SMALL = 2**20  # bytes of a file that cannot have too many elements


class _Bounded(BytesIO):
    """A stream that ends the reading of a file made of nothing but tiny elements.

    pydicom reads two or three times for each of them, and makes an object of it. The real files
    with the most, enhanced ones of thousands of frames, have some 40 bytes for each reading.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = max(2**17, min(len(data) // 16, 2**19))

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise FileError("its header has too many elements", "Check the file.", "too-large")
        return super().read(size)


def open_stream(data: bytes) -> BytesIO:
    """Give a stream from which pydicom cannot read elements without end."""
    return BytesIO(data) if len(data) < _SMALL else _Bounded(data)


def inflated(data: bytes, max_pixels: int, *, head_only: bool = False) -> bytes:
    """Give a deflated file as an explicit little endian one, any other file as it is.

    pydicom would inflate without a limit. Raises `FileError` ``too-large`` above 4 bytes per
    allowed pixel and 1 MiB, and ``dicom-truncated``; with ``head_only`` it gives what comes before.
    """
    if data.find(_DEFLATED, 0, _meta_end(data)) < 0:
        return data
    from pydicom.filereader import _read_file_meta_info, read_preamble

    stream = open_stream(data)
    read_preamble(stream, force=False)
    meta = _read_file_meta_info(stream)
    if meta.get("TransferSyntaxUID") != _DEFLATED.decode():
        return data
    at, limit = stream.tell(), _INFLATED * max_pixels + 2**20
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    body = inflater.decompress(memoryview(data)[at:], limit)
    if inflater.unconsumed_tail and not head_only:
        reason = f"it inflates to more than {limit >> 20} MiB"
        raise FileError(reason, "Check the file; a slice is never that large.", "too-large")
    if not (inflater.eof or head_only):
        raise truncated("the file ends in the middle of the deflated data")
    return data[:at].replace(_DEFLATED, _EXPLICIT.ljust(len(_DEFLATED), b"\0")) + body


def _meta_end(data: bytes) -> int:
    """Give where the file meta information ends; the whole length where pydicom has to guess."""
    at = 132
    while data[at : at + 2] == b"\2\0":
        match data[at + 4 : at + 6]:
            case b"OB":
                at += 12 + int.from_bytes(data[at + 8 : at + 12], "little")
            case b"UL" | b"UI" | b"SH" | b"AE":
                at += 8 + int.from_bytes(data[at + 6 : at + 8], "little")
            case _:
                return len(data)
    return at


def syntax_name(data: bytes) -> str:
    """The name of the transfer syntax of a file that was read before; `unknown` for none."""
    from pydicom import dcmread
    from pydicom.uid import UID

    with guarded("pydicom cannot make sense of the file"):
        meta = dcmread(BytesIO(data), stop_before_pixels=True, specific_tags=[]).file_meta
    uid = UID(str(meta.get("TransferSyntaxUID", "")))
    return uid.name if uid.name != uid else "unknown"  # no UID but DICOM's own is ever shown


def transfer_syntax(dataset: "Dataset", pixels: "Pixels") -> "UID":
    """Give the transfer syntax, where it can be decoded.

    Raises `FileError`: ``transfer-syntax``, which names the extra that decodes it, and
    ``dicom-broken`` where the file names none.
    """
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    uid = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
    if not uid:
        raise broken("the header names no transfer syntax")
    try:
        decoder = get_decoder(uid)
        # Pillow, the only decoder without the extra, reads no 12-bit JPEG.
        pillow_only = uid == _EXTENDED and decoder.available_plugins == ("pillow",)
        usable = decoder.is_available and (pixels.bits_stored == 8 or not pillow_only)
    except NotImplementedError:
        usable = False
    if usable:
        return uid
    name = uid.name if uid.is_transfer_syntax else "a private transfer syntax"
    extra = "codecs" if uid in _CODECS else "codecs-gpl" if uid in _CODECS_GPL else None
    remedy = f"Install its decoder: pip install 'chaosprep[{extra}]'." if extra else _REWRITE
    raise FileError(f"no decoder for {name} is installed", remedy, "transfer-syntax")


def check_native(dataset: "Dataset", keyword: str, pixels: "Pixels") -> None:
    """Check the length of uncompressed pixel data.

    Raises `FileError`: ``dicom-truncated`` where they are too short, ``dicom-broken`` where they
    hold more frames than announced, or are compressed after all.
    """
    if dataset[keyword].is_undefined_length:
        raise broken("the pixel data are compressed, the transfer syntax is not")
    bits = pixels.rows * pixels.cols * pixels.bits_allocated
    needed, actual = (bits * pixels.frames + 7) // 8, len(dataset[keyword].value)
    if actual < needed:
        raise truncated(f"the pixel data are cut short: {actual} of {needed} bytes")
    # As pydicom counts them: padding to an even length is no frame.
    held = actual * 8 // bits if actual > needed + needed % 2 else pixels.frames
    if held > pixels.frames:
        raise broken(f"the pixel data hold {held} frames, the header announces {pixels.frames}")


def check_high_bits(
    array: NDArray[np.integer],
    settled: NDArray[np.integer],
    pixels: "Pixels",
    *,
    has_own_sign: bool = False,
) -> None:
    """Check values of which ``settled`` has the low BitsStored bits only.

    For pixels whose HighBit is not BitsStored - 1, and for codestreams, which say themselves how
    many bits they have. Raises `FileError` ``dicom-broken`` where the bits above are in use (and
    are no mere sign): whether they are pixels or dirt, the file does not say. Where the codestream
    ``has_own_sign``, the highest stored bit must not be another one.
    """
    if pixels.bits_stored == pixels.bits_allocated:
        return
    fits = array.view(f"u{array.itemsize}") < 2**pixels.bits_stored
    same = array == settled
    if has_own_sign and (fits & ~same).any():
        raise broken(
            f"BitsStored is {pixels.bits_stored}, and the compressed image has another sign bit"
        )
    if not (fits | same).all():
        said = f"BitsStored is {pixels.bits_stored}"
        if pixels.high_bit != pixels.bits_stored - 1:
            said = f"HighBit is {pixels.high_bit}, BitsStored {pixels.bits_stored}"
        raise broken(f"{said}, and the bits above are in use")


def without_high_bits(array: NDArray[np.integer], pixels: "Pixels") -> NDArray[np.integer]:
    """Clear the bits that are allocated and not stored, or make them the sign."""
    unused = pixels.bits_allocated - pixels.bits_stored
    return array << unused >> unused if unused else array


def compressed_frames(dataset: "Dataset", uid: "UID", pixels: "Pixels") -> list[bytes]:
    """Give the compressed frames, all of them, whose announced sizes are those of the header.

    Raises `FileError` ``dicom-broken`` or ``dicom-truncated``.
    """
    frames = find_frames(dataset, pixels.frames, is_rle=uid == _RLE)
    kinds: set[tuple[int, bool]] = set()
    for frame in frames:
        if uid == _RLE:
            check_rle(frame, pixels.rows * pixels.cols)
        elif uid in (*_CODECS, *_CODECS_GPL):
            kinds |= _check_images(announced(frame), pixels)
    if len(kinds) > 1:
        raise broken("its compressed frames differ in bits or sign")
    return frames


def _check_images(found: Sequence[Announced], pixels: "Pixels") -> set[tuple[int, bool]]:
    if not found:
        raise broken("the compressed pixel data have no readable header")
    for image in found:
        if image[:3] != (pixels.rows, pixels.cols, 1):
            raise broken(
                f"the compressed image is {image.rows} x {image.cols} of {image.samples} samples, "
                f"the header announces {pixels.rows} x {pixels.cols} of 1"
            )
        if image.bits > pixels.bits_allocated:
            raise broken(
                f"the compressed image has {image.bits} bits, BitsAllocated is "
                f"{pixels.bits_allocated}"
            )
    return {(image.bits, image.signed) for image in found}
