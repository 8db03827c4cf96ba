"""DICOM files with something to find in every attribute that the dictionary knows."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from string import ascii_uppercase
from typing import Any

from pydicom import Dataset, dcmread, dcmwrite
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID

from chaosprep.privacy.deidentify.file import deidentified
from chaosprep.privacy.pseudonyms import Key
from tests.formats.samples import dataset, encoded

PATIENT = "P0123456789"
KEY = Key(b"sixteen bytes and more")
OWN = "1.2.826.0.1.3680043.10.999"
DATE = "19870613"
MARK = "QZ"
TEXTS = ("LO", "SH", "ST", "LT", "UC", "UT", "AE", "PN", "UR", "DS", "IS", "AS", "TM")
IMAGE_PIXELS = (0x0028, 0x7FE0)
FIRST = 0x00080006  # of a data set, behind SpecificCharacterSet


def mark(tag: int) -> str:
    """A word that is nobody's but this tag's, and that no file has by chance."""
    word = ""
    while tag:
        tag, letter = divmod(tag, 26)
        word += ascii_uppercase[letter]
    return MARK + word


def planted(vr: str, tag: int) -> bytes | None:
    """What stands in an attribute; None where it is of numbers."""
    values: Mapping[str, bytes] = {
        **dict.fromkeys(TEXTS, mark(tag).encode()),
        **dict.fromkeys(("OB", "UN"), mark(tag).encode()),
        "UI": f"{OWN}.{tag}".encode(),
        "DA": DATE.encode(),
        "DT": f"{DATE}101112.5".encode(),
    }
    return values.get(vr)


def put(place: Dataset, tag: int, vr: str, value: bytes) -> None:
    """Put an element into a data set as it is, whether or not the standard allows it."""
    pad = b"\0" if vr in ("UI", "OB", "UN") else b" "
    value += pad * (len(value) % 2)
    place._dict[Tag(tag)] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


def dictionary() -> Iterator[tuple[int, str]]:
    """Tag and VR of all attributes that can stand in a data set; of several VRs the first."""
    for tag, (vr, *_) in DicomDictionary.items():
        if FIRST < tag < 0xFFFE0000 and tag & 0xFFFF:
            yield tag, vr[:2]


def nested(inner: Dataset) -> Dataset:
    """A slice that has a data set two sequences deep, in places that the table lets stay."""
    middle, slice_ = Dataset(), dataset()
    middle.PixelMeasuresSequence = Sequence([inner])
    slice_.SharedFunctionalGroupsSequence = Sequence([middle])
    return slice_


def innermost(slice_: Dataset) -> Dataset:
    """What `nested` put there."""
    found: Any = slice_.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert isinstance(found, Dataset)
    return found


def written(slice_: Dataset) -> bytes:
    """The bytes of a file."""
    return encoded(slice_)


def cleaned(slice_: Dataset, **options: Any) -> Dataset:
    """A data set, written, de-identified and read again by pydicom."""
    return dcmread(BytesIO(deidentified(written(slice_), PATIENT, KEY, **options)))


def as_syntax(slice_: Dataset, uid: str) -> bytes:
    """The bytes of a file in another transfer syntax."""
    stream = BytesIO()
    slice_.file_meta.TransferSyntaxUID = UID(uid)
    dcmwrite(stream, slice_, enforce_file_format=True)
    return stream.getvalue()
