"""Tiny files made in memory, by other code than the toolkit's: DICOM by pydicom, PNG by hand."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from chaosprep.imaging.header import Header

REAL = Path(__file__).parents[3] / "shared" / "real"
PIXELS = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000


def dataset(pixels: NDArray[Any] = PIXELS, /, **changes: object) -> Dataset:
    """Make a grey MR slice; a keyword set to None is left out."""
    slice_ = Dataset()
    slice_.file_meta = FileMetaDataset()
    slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slice_.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    slice_.SOPInstanceUID = generate_uid(entropy_srcs=["slice"])
    values: dict[str, Any] = {
        "Modality": "MR",
        "PatientName": "Doe^Jane",
        "EchoTime": "4.6",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": pixels.itemsize * 8,
        "BitsStored": pixels.itemsize * 8,
        "HighBit": pixels.itemsize * 8 - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PixelSpacing": [1.25, 1.5],
        "ImagePositionPatient": [-10, -20, 5.5],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "SpacingBetweenSlices": 5.5,
        "SliceThickness": 5,
        "InstanceNumber": 7,
        "WindowCenter": 100,
        "WindowWidth": 200,
        "PixelData": pixels.astype(pixels.dtype.newbyteorder("<")).tobytes(),
    }
    for keyword, value in (values | changes).items():
        if value is not None:
            setattr(slice_, keyword, value)
    if "PixelData" in slice_:
        slice_["PixelData"].VR = "OW"
    return slice_


def encoded(slice_: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """Write a data set to bytes."""
    slice_.file_meta.TransferSyntaxUID = syntax
    stream = BytesIO()
    dcmwrite(stream, slice_, enforce_file_format=True)
    return stream.getvalue()


def dicom(pixels: NDArray[Any] = PIXELS, /, **changes: object) -> bytes:
    """Write a grey MR slice to bytes."""
    return encoded(dataset(pixels, **changes))


def encapsulated(
    frames: list[bytes], syntax: UID, pixels: NDArray[Any] = PIXELS, **changes: object
) -> bytes:
    """Write a slice of compressed frames, whose header is that of ``pixels`` but for changes."""
    slice_ = dataset(pixels, **{"PixelData": encapsulate(frames), **changes})
    slice_["PixelData"].is_undefined_length = True
    return encoded(slice_, syntax)


def item(**values: object) -> Sequence:
    """Make a sequence of one item."""
    content = Dataset()
    for keyword, value in values.items():
        setattr(content, keyword, value)
    return Sequence([content])


def lut(entries: list[int], first: int = 0, bits: int = 16) -> Sequence:
    """Make the one item of a Modality LUT or VOI LUT sequence."""
    made = item(LUTDescriptor=[len(entries) % 2**16, first, bits], LUTData=entries)
    made[0]["LUTDescriptor"].VR = "SS" if first < 0 else "US"
    made[0]["LUTData"].VR = "US"
    return made


def with_text(keyword: str, text: str) -> bytes:
    """Write a slice with a value that pydicom itself would refuse to set: ``text`` as it is."""
    mark = "1234567891"
    assert len(text) <= len(mark)
    return dicom(**{keyword: mark}).replace(mark.encode(), text.ljust(len(mark)).encode())


def header(**changes: object) -> Header:
    """Make a header as `read_header` would give it."""
    values: dict[str, Any] = {
        "rows": 3,
        "cols": 4,
        "dtype": "uint16",
        "bits_stored": 16,
        "photometric_interpretation": "MONOCHROME2",
        "pixel_spacing": (1.25, 1.25),
        "image_position_patient": (0.0, 0.0, 0.0),
        "image_orientation_patient": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
        "spacing_between_slices": None,
        "slice_thickness": None,
        "instance_number": None,
        "rescale_slope": 1.0,
        "rescale_intercept": 0.0,
        "window": None,
        "echo_time": None,
        "modality": "MR",
    }
    return Header(**(values | changes))


def chunk(name: bytes, body: bytes) -> bytes:
    """Make one PNG chunk."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    lines: list[bytes], cols: int, depth: int = 8, colour: int = 0, extra: bytes = b""
) -> bytes:
    """Make a PNG from its lines as they are stored (no filter); ``extra`` chunks go before them."""
    head = struct.pack(">IIBBBBB", cols, len(lines), depth, colour, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + line for line in lines))
    chunks = chunk(b"IHDR", head) + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks
