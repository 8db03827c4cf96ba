"""One DICOM slice from bytes: the header values that the toolkit needs, and the stored pixels.

pydicom does the reading. Text values are taken from the raw elements instead of pydicom's
converted ones: a value that is empty or no number then counts as missing, where pydicom would
warn (and show the value) or raise.
"""

import logging
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.images import check_size

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Vector = tuple[float, float, float]
Orientation = tuple[float, float, float, float, float, float]

_GREY = ("MONOCHROME1", "MONOCHROME2")
_STORED = {(1, 0): "uint8"} | {
    (bits, signed): f"{'int' if signed else 'uint'}{bits}"
    for bits in (8, 16, 32)
    for signed in (0, 1)
}
_DEFLATED = "1.2.840.10008.1.2.1.99"
_RECOPY = "Copy or export the file again from its source."
_DECODERS = (
    "Install the decoders: pip install 'chaosprep[codecs]'. Where they do not cover it, "
    "rewrite the file uncompressed, for example with `gdcmconv --raw`."
)
# What pydicom and the decoders below it are known to raise on damaged input.
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Header:
    """What one slice's header says, in DICOM's own words; ``None`` is missing, empty or no number.

    ``dtype`` is numpy's name for the stored pixels (BitsAllocated and PixelRepresentation).
    ``pixel_spacing`` is (row, col) in mm, ``image_position_patient`` in mm, ``echo_time`` in ms.
    ``window`` is (low, high) in stored values, see `stored_window`. An absent rescale slope is 1.0,
    an absent intercept 0.0.
    """

    rows: int
    cols: int
    dtype: str
    bits_stored: int
    photometric_interpretation: str
    pixel_spacing: tuple[float, float] | None
    image_position_patient: Vector | None
    image_orientation_patient: Orientation | None
    spacing_between_slices: float | None
    slice_thickness: float | None
    instance_number: int | None
    rescale_slope: float
    rescale_intercept: float
    window: tuple[float, float] | None
    echo_time: float | None
    modality: str


def is_dicom(data: bytes) -> bool:
    """Whether these bytes begin as a DICOM file (PS3.10 7.1: ``DICM`` at byte 128)."""
    return data[128:132] == b"DICM"


def read_header(data: bytes) -> Header:
    """Read the header alone. Bytes after it are not looked at, and need not be there.

    Raises `FileError`: ``not-dicom``, ``dicom-truncated``, ``no-pixels``, ``not-grey``,
    ``multi-frame``, ``too-large`` or ``dicom-broken``.
    """
    with _guarded():
        dataset, at = _parse(data, stop_before_pixels=True)
        if at >= len(data) and not _is_deflated(dataset):
            raise _without_pixels(dataset, data)
        return _header(dataset)


def read(data: bytes) -> tuple[Header, NDArray[Any]]:
    """Read one slice: its header and its stored values, (rows, cols) of ``header.dtype``.

    The values are those of pydicom's ``pixel_array``: no rescale, no window, no inversion of
    MONOCHROME1. Raises `FileError` as `read_header` does, and ``transfer-syntax`` where no
    decoder is installed.
    """
    with _guarded():
        dataset, _ = _parse(data, stop_before_pixels=False)
        if "PixelData" not in dataset:
            raise _without_pixels(dataset, data)
        header = _header(dataset)
        _check_decodable(dataset, header)
        pixels = dataset.pixel_array
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.shape != (header.rows, header.cols) or pixels.dtype.name != header.dtype:
        raise _broken("the decoded pixels are not what the header announces")
    return header, pixels


def stored_window(
    center: float | None, width: float | None, slope: float, intercept: float
) -> tuple[float, float] | None:
    """Give (low, high) in stored values for a window in modality units, or None for no window.

    PS3.3 C.11.2.1.2.1 (linear): low = c - 0.5 - (w - 1)/2 and high = c - 0.5 + (w - 1)/2, then
    undone through the rescale. A width of 1 or less leaves no grey between the two: None.
    """
    if center is None or width is None or width <= 1:
        return None
    ends = [center - 0.5 + sign * (width - 1) / 2 for sign in (-1, 1)]
    low, high = sorted((end - intercept) / slope for end in ends)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


@contextmanager
def _guarded() -> Iterator[None]:
    """Turn what pydicom raises into a `FileError`; silence its warnings, which quote headers."""
    logger = logging.getLogger("pydicom")
    propagate, logger.propagate = logger.propagate, False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except _BROKEN:
        raise _broken("pydicom cannot make sense of the file") from None
    finally:
        logger.propagate = propagate


def _parse(data: bytes, *, stop_before_pixels: bool) -> "tuple[Dataset, int]":
    """Parse; also give the offset at which pydicom stopped."""
    from pydicom import dcmread
    from pydicom.errors import BytesLengthException, InvalidDicomError

    if not is_dicom(data):
        raise FileError("not a DICOM file", "Leave it out, or convert it to DICOM.", "not-dicom")
    stream = BytesIO(data)
    try:
        dataset = dcmread(stream, stop_before_pixels=stop_before_pixels)
    except (EOFError, struct.error, BytesLengthException):
        raise _truncated("the file ends in the middle of an element") from None
    except InvalidDicomError:
        raise _broken("the header cannot be parsed") from None
    return dataset, stream.tell()


def _header(dataset: "Dataset") -> Header:
    bits, signed = _integer(dataset, "BitsAllocated"), _integer(dataset, "PixelRepresentation")
    if (bits, signed) not in _STORED:
        raise _broken(f"pixels of {bits} bits allocated are not supported")
    photometric = _check_grey_frame(dataset)
    rows, cols = _integer(dataset, "Rows"), _integer(dataset, "Columns")
    if not rows or not cols:
        raise _broken("the image has no rows or no columns")
    check_size(rows, cols)
    slope = _number(dataset, "RescaleSlope") or 1.0  # a slope of 0 has no inverse: as if absent
    intercept = _number(dataset, "RescaleIntercept") or 0.0
    center, width = _number(dataset, "WindowCenter"), _number(dataset, "WindowWidth")
    instance = _number(dataset, "InstanceNumber")
    return Header(
        rows=rows,
        cols=cols,
        dtype=_STORED[bits, signed],
        bits_stored=_integer(dataset, "BitsStored"),
        photometric_interpretation=photometric,
        pixel_spacing=_pixel_spacing(dataset),
        image_position_patient=_vector(dataset),
        image_orientation_patient=_orientation(dataset),
        spacing_between_slices=_number(dataset, "SpacingBetweenSlices"),
        slice_thickness=_number(dataset, "SliceThickness"),
        instance_number=None if instance is None else int(instance),
        rescale_slope=slope,
        rescale_intercept=intercept,
        window=stored_window(center, width, slope, intercept),
        echo_time=_number(dataset, "EchoTime"),
        modality=_text(dataset, "Modality"),
    )


def _check_grey_frame(dataset: "Dataset") -> str:
    """Give the photometric interpretation of a single grey frame."""
    photometric = _text(dataset, "PhotometricInterpretation")
    if not photometric:
        raise _broken("the header has no usable PhotometricInterpretation")
    if _integer(dataset, "SamplesPerPixel") != 1 or photometric not in _GREY:
        remedy = "Only grey slices can be used; leave this file out."
        raise FileError("the pixels are in colour, not grey", remedy, "not-grey")
    frames = _number(dataset, "NumberOfFrames")
    if frames is not None and frames > 1:
        remedy = "Export the series as one file per slice (classic, not enhanced, DICOM)."
        raise FileError(f"{frames:.0f} frames in one file are not yet read", remedy, "multi-frame")
    return photometric


def _check_decodable(dataset: "Dataset", header: Header) -> None:
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    uid = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
    if not uid:
        raise _broken("the header names no transfer syntax")
    try:
        available = get_decoder(uid).is_available
    except NotImplementedError:
        available = False
    if not available:
        name = uid.name if uid.is_transfer_syntax else "a private transfer syntax"
        raise FileError(f"no decoder for {name} is installed", _DECODERS, "transfer-syntax")
    needed = math.ceil(header.rows * header.cols * _integer(dataset, "BitsAllocated") / 8)
    if not uid.is_encapsulated and len(dataset.PixelData) < needed:
        raise _truncated("the file ends in the middle of the pixel data")


def _without_pixels(dataset: "Dataset", data: bytes) -> FileError:
    """Tell a file that was cut short from one without pixels, by how its last element ends."""
    from pydicom.dataelem import RawDataElement

    last = dataset.get_item(list(dataset.keys())[-1]) if len(dataset) else None
    cut = isinstance(last, RawDataElement) and last.value_tell + last.length != len(data)
    if last is None or (cut and not _is_deflated(dataset)):
        return _truncated("the file ends in the middle of the header")
    remedy = "Leave it out; if it should be an image, copy it again."
    return FileError("the file holds no integer pixel data", remedy, "no-pixels")


def _is_deflated(dataset: "Dataset") -> bool:
    return bool(dataset.file_meta.get("TransferSyntaxUID") == _DEFLATED)


def _text(dataset: "Dataset", keyword: str) -> str:
    value = getattr(dataset.get_item(keyword), "value", None)
    return value.decode("ascii", "replace").strip(" \0") if isinstance(value, bytes) else ""


def _integer(dataset: "Dataset", keyword: str) -> int:
    """Read a binary unsigned short that every image must have."""
    element = dataset.get_item(keyword)
    value = getattr(element, "value", None)
    if not isinstance(value, bytes) or len(value) != 2:
        raise _broken(f"the header has no usable {keyword}")
    little = getattr(element, "is_little_endian", True)
    return int.from_bytes(value, "little" if little else "big")


def _numbers(dataset: "Dataset", keyword: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in _text(dataset, keyword).split("\\"))
    except ValueError:
        return ()
    return values if all(map(math.isfinite, values)) else ()


def _number(dataset: "Dataset", keyword: str) -> float | None:
    """Read the first of possibly many values."""
    values = _numbers(dataset, keyword)
    return values[0] if values else None


def _pixel_spacing(dataset: "Dataset") -> tuple[float, float] | None:
    match _numbers(dataset, "PixelSpacing"):
        case (row, col) if row > 0 and col > 0:
            return row, col
    return None


def _vector(dataset: "Dataset") -> Vector | None:
    match _numbers(dataset, "ImagePositionPatient"):
        case (x, y, z):
            return x, y, z
    return None


def _orientation(dataset: "Dataset") -> Orientation | None:
    match _numbers(dataset, "ImageOrientationPatient"):
        case (a, b, c, d, e, f):
            return a, b, c, d, e, f
    return None


def _truncated(reason: str) -> FileError:
    return FileError(reason, _RECOPY, "dicom-truncated")


def _broken(reason: str) -> FileError:
    return FileError(reason, _RECOPY, "dicom-broken")
