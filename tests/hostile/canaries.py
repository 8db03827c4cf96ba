"""DICOM files full of canaries: marks in everything that may identify, to be found nowhere else."""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID

TEXTS = ("PN", "LO", "SH", "LT", "UT", "ST", "AE", "CS", "UC", "UR", "AS")
VRS = (*TEXTS, "DA", "TM", "DT", "UI")
# What is read for what it means, and the character set, which would break the reading of the rest.
NEEDED = {
    *("PhotometricInterpretation", "Modality", "VOILUTFunction", "BurnedInAnnotation"),
    *("SpecificCharacterSet", "TimezoneOffsetFromUTC"),
}


def canary(number: int, vr: str) -> str:
    """A value that is valid for its VR, distinct, and unlike anything that the toolkit writes."""
    day = f"{number // 336:03d}{number // 28 % 12 + 1:02d}{number % 28 + 1:02d}"
    forms = {
        "DA": f"7{day}",
        "TM": f"{number % 24:02d}{number // 24 % 60:02d}59.7{number:05d}",
        "DT": f"8{day}175959",
        "UI": f"1.2.777777.{number}.9",
        "AS": f"{number % 900 + 100}Y",
        "CS": f"ZQLEAK{number}",
    }
    return forms.get(vr, f"zqleak{number}")


def mark(data: bytes) -> bytes:
    """The same file with a canary in every element of these VRs, in sequences and in private."""
    slice_ = dcmread(BytesIO(data))
    number = 0
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        if vr in VRS and 0x0008 <= tag >> 16 < 0x7FE0 and keyword and keyword not in NEEDED:
            number += 1
            slice_[Tag(tag)] = DataElement(Tag(tag), vr, canary(number, vr))
    slice_.file_meta.MediaStorageSOPInstanceUID = UID(canary(number + 1, "UI"))
    slice_.file_meta.ImplementationVersionName = canary(number + 2, "SH")
    slice_.file_meta.SourceApplicationEntityTitle = canary(number + 3, "AE")
    _mark_private(slice_, number + 10)
    slice_.ReferencedImageSequence = Sequence([_nested(number + 100, depth=3)])
    slice_.RequestAttributesSequence = Sequence([_nested(number + 200, depth=1)])
    slice_.preamble = canary(number + 300, "LO").encode().ljust(128, b"\0")
    stream = BytesIO()
    slice_.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _mark_private(slice_: Dataset, number: int) -> None:
    block = slice_.private_block(0x0019, canary(number, "LO"), create=True)
    for offset, vr in enumerate(VRS, 1):
        if vr != "AS":
            block.add_new(offset, vr, canary(number + offset, vr))
    block.add_new(0x40, "OB", canary(number + 40, "LO").encode().ljust(12, b"\0"))
    block.add_new(0x41, "UN", canary(number + 41, "LO").encode().ljust(12, b"\0"))


def _nested(number: int, depth: int) -> Dataset:
    item = Dataset()
    item.PatientName = canary(number, "PN")
    item.ReferencedSOPInstanceUID = canary(number + 1, "UI")
    item.StudyDate = canary(number + 2, "DA")
    if depth:
        item.ReferencedSeriesSequence = Sequence([_nested(number + 10, depth - 1)])
    return item


# Ages (`123Y`) are not looked for: three digits and a letter stand everywhere.
_MARKS = re.compile(
    rb"zqleak\d*|1\.2\.777777\.\d*"
    rb"|(?<![0-9a-f.])7\d{3}-?(?:0\d|1[0-2])-?[012]\d(?![0-9a-f])"
    rb"|\d\d:?\d\d:?59\.7\d{5}"
    rb"|8\d{3}-?(?:0\d|1[0-2])-?[012]\d.?17:?59:?59"
)
_PNG = b"\x89PNG\r\n\x1a\n"


def find(data: bytes) -> set[bytes]:
    """The canaries in some bytes, and in what is compressed in there where they are a PNG."""
    return {found for part in (data, *_inflated(data)) for found in _MARKS.findall(part.lower())}


def leaks(directory: Path, skip: Iterable[str] = ()) -> dict[str, set[bytes]]:
    """File or folder below a directory -> the canaries in its name and in its bytes."""
    found: dict[str, set[bytes]] = {}
    for path in directory.rglob("*"):
        name = path.relative_to(directory).as_posix()
        here = find(name.encode())
        if path.is_file() and path.suffix not in skip:
            here |= find(path.read_bytes())
        if here:
            found[name] = here
    return found


def _inflated(data: bytes) -> Iterator[bytes]:
    if not data.startswith(_PNG):
        return
    at, pixels = len(_PNG), b""
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if name == b"IDAT":
            pixels += body
        elif name in (b"zTXt", b"iTXt", b"iCCP"):
            yield zlib.decompressobj().decompress(body[body.index(b"\0") + 2 :])
        at += 12 + length
    yield zlib.decompress(pixels)
