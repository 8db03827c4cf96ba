"""What in a DICOM header tells who or when: to group by, and to keep out of ids and paths."""

import re
from io import BytesIO
from typing import BinaryIO, Literal
from unicodedata import normalize

from chaosprep.errors import BROKEN
from chaosprep.formats.dicom.faults import silent
from chaosprep.formats.dicom.reading import is_dicom

HeaderField = Literal["PatientID", "PatientName"]

_KEYWORDS = (
    *("PatientID", "PatientName", "OtherPatientIDs", "OtherPatientNames", "PatientBirthName"),
    *("PatientBirthDate", "AccessionNumber", "StudyID", "StudyDate", "SeriesDate"),
    *("AcquisitionDate", "ContentDate", "StudyInstanceUID", "SeriesInstanceUID"),
    *("SOPInstanceUID", "FrameOfReferenceUID"),
)
_SHORTEST = 4  # characters: a shorter value (`1`, `MR`) tells nobody apart
_WITHIN = 6  # characters: a value as long as this counts as part of a name too


def read_identity(source: bytes | BinaryIO) -> dict[str, str]:
    """Keyword -> value of what identifies, as far as the header has it; empty where unreadable.

    Args:
        source: a DICOM file's bytes, or the file; of that only the header is read.
    """
    from pydicom import dcmread

    stream = BytesIO(source) if isinstance(source, bytes) else source
    start = stream.read(132)
    stream.seek(0)
    if not is_dicom(start):
        return {}
    with silent():
        try:
            dataset = dcmread(stream, stop_before_pixels=True, specific_tags=[*_KEYWORDS])
            elements = {keyword: dataset.get_item(keyword) for keyword in _KEYWORDS}
        except BROKEN:
            return {}
    found = {keyword: _text(getattr(item, "value", None)) for keyword, item in elements.items()}
    return {keyword: text for keyword, text in found.items() if text}


def patient_key(identity: dict[str, str], source: HeaderField) -> str:
    """What to group by, empty where the header does not say.

    Names that differ in case, spaces or empty parts only are one person's; of several
    representations (PS3.5 6.2.1.2) the first counts.
    """
    text = identity.get(source, "")
    if source == "PatientID":
        return text
    parts = (" ".join(part.split()) for part in text.partition("=")[0].casefold().split("^"))
    return "^".join(parts).strip("^")


def exposes(name: str, identity: dict[str, str]) -> bool:
    """Whether a name of a folder or file is, or holds, a value that identifies."""
    shown = _folded(name)
    for text in identity.values():
        for part in (text, *text.replace("=", "^").replace("\\", "^").split("^")):
            value = _folded(part)
            if len(value) >= _SHORTEST and value == shown:
                return True
            if len(value) >= _WITHIN and value in shown:
                return True
    return False


def has_uid(name: str) -> bool:
    """Whether a name holds what only a UID looks like (PS3.5 9): numbers with points between."""
    return re.search(r"[0-9]+(\.[0-9]+){5}", name) is not None


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        return ""
    try:
        return value.decode().strip(" \0")
    except UnicodeDecodeError:
        return value.decode("latin-1").strip(" \0")


def _folded(text: str) -> str:
    return "".join(sign for sign in normalize("NFKD", text).casefold() if sign.isalnum())
