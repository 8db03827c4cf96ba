"""DICOM slices from bytes: the header values that the toolkit needs, and the stored pixels.

A plain file is read as it lies there (`plain`). pydicom reads all others; what it is not to be
trusted with is checked first: what is in the file (`headers`), how long (`transfer`), and what the
compressed data announce (`codestreams`).
"""

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import RECOPY, FileError
from chaosprep.formats.dicom.decoding import decode
from chaosprep.formats.dicom.evidence import read_evidence
from chaosprep.formats.dicom.faults import broken, guarded, truncated
from chaosprep.formats.dicom.headers import (
    MAX_FRAMES,
    Pixels,
    read_every_frame,
    read_frame,
    read_pixels,
)
from chaosprep.formats.dicom.mosaic import Mosaic, find_mosaic
from chaosprep.formats.dicom.parsing import PIXELS, check_order, parse
from chaosprep.formats.dicom.plain import read_plain, read_plain_header
from chaosprep.formats.dicom.start import is_dicom
from chaosprep.formats.dicom.tags import TAGS
from chaosprep.formats.dicom.transfer import (
    HAS_OWN_SIGN,
    HOLDS_ALL_BITS,
    PLUGINS,
    check_high_bits,
    check_native,
    compressed_frames,
    inflated,
    open_stream,
    transfer_syntax,
    without_high_bits,
)
from chaosprep.formats.dicom.values import text
from chaosprep.imaging.header import Header
from chaosprep.imaging.limits import MAX_PIXELS

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pydicom.uid import UID

_DESCRIBING = (  # pixels, to pydicom's decoders
    *("rows", "columns", "samples_per_pixel", "bits_allocated", "bits_stored"),
    *("pixel_representation", "photometric_interpretation", "pixel_keyword"),
)
_PARSE = "pydicom cannot make sense of the file"


def describe(data: bytes) -> tuple[dict[str, str], bool]:
    """The evidence of any DICOM file, and whether it says how large a picture it holds.

    Nothing and yes where the file cannot be read.
    """
    from pydicom import dcmread

    try:
        with guarded(_PARSE):
            dataset = dcmread(open_stream(inflated(data, MAX_PIXELS)), stop_before_pixels=True)
            return read_evidence((dataset,)), "Rows" in dataset
    except FileError:
        return {}, True


def read_header(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Header:
    """Read the header of a file of one frame. Bytes after it need not be there.

    Raises `FileError`: ``not-dicom``, ``dicom-truncated``, ``no-pixels``, ``not-grey``,
    ``multi-frame``, ``too-large`` (more than ``max_pixels`` in all frames), ``grid-of-slices`` (not
    told where they lie) or ``dicom-broken``.
    """
    if (header := read_plain_header(data, max_pixels)) is not None:
        return header
    with guarded(_PARSE):
        dataset, _, pixels = _parse(data, max_pixels, header_only=True)
        _only(_count(pixels, find_mosaic(dataset, pixels)))
        return read_frame(dataset, pixels, 0)


def read_headers(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[Header, ...]:
    """Read one header per frame: its own values first, then the shared ones, then the root's.

    The slices of a picture that is a grid of them (`mosaic`) are frames.

    Raises `FileError` as `read_header` does, but not ``multi-frame``.
    """
    if (header := read_plain_header(data, max_pixels)) is not None:
        return (header,)
    with guarded(_PARSE):
        dataset, _, pixels = _parse(data, max_pixels, header_only=True)
        mosaic = find_mosaic(dataset, pixels)
        return mosaic.headers if mosaic else read_every_frame(dataset, pixels)


def read(
    data: bytes, frame: int | None = None, *, max_pixels: int = MAX_PIXELS
) -> tuple[Header, NDArray[Any]]:
    """Read one slice: its header and its stored values, (rows, cols) of ``header.dtype``.

    The header need not have its evidence, which those of `read_headers` have.

    ``frame`` counts from 0; without it the file must have one only. The values are those of
    pydicom's ``pixel_array``: bits above BitsStored cleared (or sign-extended), no rescale, no
    window, no inversion of MONOCHROME1. Raises `FileError` as `read_header` does,
    ``frame-missing``, ``transfer-syntax`` where no decoder is installed, and ``not-finite`` for
    float pixels with NaN or infinity.
    """
    if frame in (None, 0) and (found := read_plain(data, max_pixels)) is not None:
        return found
    with guarded(_PARSE):
        dataset, keyword, pixels = _parse(data, max_pixels, header_only=False)
        mosaic = find_mosaic(dataset, pixels)
        frames = _count(pixels, mosaic)
        if frame is None:
            frame = _only(frames)
        if not 0 <= frame < frames:
            reason = f"the file has no frame {frame}: they are 0 to {frames - 1}"
            raise FileError(reason, RECOPY, "frame-missing")
        header = (
            mosaic.headers[frame]
            if mosaic
            else read_frame(dataset, pixels, frame, with_evidence=False)
        )
    picture = _decode(dataset, keyword, pixels, None if pixels.frames == 1 else frame)
    return header, mosaic.cut(picture)[frame] if mosaic else picture


def read_frames(
    data: bytes, *, max_pixels: int = MAX_PIXELS
) -> tuple[tuple[Header, ...], NDArray[Any]]:
    """Read all frames: `read_headers`, and the stored values, (frames, rows, cols).

    Raises `FileError` as `read` does, but neither ``multi-frame`` nor ``frame-missing``.
    """
    with guarded(_PARSE):
        dataset, keyword, pixels = _parse(data, max_pixels, header_only=False)
        mosaic = find_mosaic(dataset, pixels)
        headers = mosaic.headers if mosaic else read_every_frame(dataset, pixels)
    array = _decode(dataset, keyword, pixels, None)
    if mosaic:
        return headers, mosaic.cut(array)
    return headers, array.reshape(pixels.frames, pixels.rows, pixels.cols)


def parse_stack(
    data: bytes, max_pixels: int, *, coloured: bool = False
) -> "tuple[Dataset, NDArray[Any] | None]":
    """Parse a file of any number of frames, and check how they are stored.

    They are decoded, (frames, rows, cols), where they are compressed: else None. With ``coloured``,
    the numbers of a palette are read as grey levels. Raises `FileError` as `read_frames` does.
    """
    with guarded(_PARSE):
        dataset, keyword, pixels = _parse(
            data, max_pixels, header_only=False, max_frames=max_pixels, coloured=coloured
        )
        uid = transfer_syntax(dataset, pixels)
        if not uid.is_encapsulated:
            check_native(dataset, keyword, pixels)
            return dataset, None
    array = _decode(dataset, keyword, pixels, None)
    return dataset, array.reshape(pixels.frames, pixels.rows, pixels.cols)


def _parse(
    data: bytes,
    max_pixels: int,
    *,
    header_only: bool,
    max_frames: int = MAX_FRAMES,
    coloured: bool = False,
) -> "tuple[Dataset, str, Pixels]":
    """Parse; also give the keyword of the element with the pixels, and how they are stored."""
    if not is_dicom(data):
        raise FileError("not a DICOM file", "Leave it out, or convert it to DICOM.", "not-dicom")
    try:
        data = inflated(data, max_pixels)
        dataset, order = parse(open_stream(data), header_only=header_only)
    except (EOFError, struct.error):
        raise truncated("the file ends in the middle of an element") from None
    keyword = next((PIXELS[tag] for tag in order if tag in PIXELS), None)
    if keyword is None or not (header_only or keyword in dataset):
        raise _without_pixels(dataset, data)
    check_order(order)
    if coloured:
        _take_colours_away(dataset)
    return dataset, keyword, read_pixels(dataset, keyword, max_pixels, max_frames)


def _take_colours_away(dataset: "Dataset") -> None:
    """Let the numbers of a palette be grey levels; elements stay as they are stored (`values`)."""
    if text((dataset,), "PhotometricInterpretation") == "PALETTE COLOR":
        tag = TAGS["PhotometricInterpretation"]
        grey: Any = dataset.get_item(tag)
        dataset[tag] = grey._replace(value=b"MONOCHROME2 ", length=12)


def _without_pixels(dataset: "Dataset", data: bytes) -> FileError:
    """Tell a file that was cut short from one without pixels, by how its last element ends."""
    from pydicom.dataelem import RawDataElement

    last = dataset.get_item(list(dataset.keys())[-1]) if len(dataset) else None
    cut = isinstance(last, RawDataElement) and last.value_tell + last.length != len(data)
    if last is None or cut:
        return truncated("the file ends in the middle of the header")
    remedy = "Leave it out; if it should be an image, copy it again."
    return FileError("the file holds no pixel data", remedy, "no-pixels")


def _count(pixels: Pixels, mosaic: Mosaic | None) -> int:
    return len(mosaic.headers) if mosaic else pixels.frames


def _only(frames: int) -> int:
    """The number of the only frame."""
    if frames > 1:
        remedy = "Export the series as one file per slice (classic, not enhanced, DICOM)."
        reason = f"{frames} frames in one file, where one slice is expected"
        raise FileError(reason, remedy, "multi-frame")
    return 0


def _decode(dataset: "Dataset", keyword: str, pixels: Pixels, index: int | None) -> NDArray[Any]:
    """Decode one frame, (rows, cols), or all: (frames, rows, cols) where there are several."""
    with guarded("the pixel data cannot be decoded"):
        if not dataset[keyword].value:
            raise FileError("the pixel data are empty", RECOPY, "no-pixels")
        uid = transfer_syntax(dataset, pixels)
        read_pixels = _compressed if uid.is_encapsulated else _native
        array = read_pixels(dataset, keyword, uid, pixels, index)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    frames = (pixels.frames,) if index is None and pixels.frames > 1 else ()
    if array.shape != (*frames, pixels.rows, pixels.cols) or array.dtype.name != pixels.dtype:
        raise broken("the decoded pixels are not what the header announces")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        remedy = "Export the file again with finite values."
        raise FileError("its float pixels hold NaN or infinity", remedy, "not-finite")
    return array


def _native(
    dataset: "Dataset", keyword: str, uid: "UID", pixels: Pixels, index: int | None
) -> NDArray[Any]:
    from pydicom.pixels.decoders.base import get_decoder

    check_native(dataset, keyword, pixels)
    options: Any = {"index": index, "raw": True}
    array, _ = get_decoder(uid).as_array(dataset, **options)
    if pixels.high_bit != pixels.bits_stored - 1:
        options["correct_unused_bits"] = False
        check_high_bits(get_decoder(uid).as_array(dataset, **options)[0], array, pixels)
    return array


def _compressed(
    dataset: "Dataset", keyword: str, uid: "UID", pixels: Pixels, index: int | None
) -> NDArray[Any]:
    from pydicom.pixels.decoders.base import DecodeRunner

    if keyword != "PixelData":
        raise broken("float pixels are never compressed")
    found = compressed_frames(dataset, uid, pixels)
    chosen = found if index is None else found[index : index + 1]
    runner = DecodeRunner(uid)
    runner.set_source(dataset)
    runner.validate()
    described = {keyword: runner.get_option(keyword) for keyword in _DESCRIBING}
    options = {**described, "number_of_frames": 1, "decoding_plugin": PLUGINS.get(uid, "")}
    array = decode(chosen, uid, options)
    settled = without_high_bits(array, pixels)
    if pixels.high_bit != pixels.bits_stored - 1 or uid not in HOLDS_ALL_BITS:
        check_high_bits(array, settled, pixels, has_own_sign=uid in HAS_OWN_SIGN)
    return settled if len(settled) > 1 else settled[0]
