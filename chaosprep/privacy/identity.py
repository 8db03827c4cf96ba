"""What in a DICOM header tells who or when: to group by, and to keep out of ids and paths."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, get_args
from unicodedata import normalize

from chaosprep.errors import BROKEN, FileError
from chaosprep.files import open_regular, real
from chaosprep.formats.dicom.faults import silent
from chaosprep.formats.dicom.heads import read_elements

if TYPE_CHECKING:
    from pydicom import Dataset

HeaderField = Literal["PatientID", "PatientName"]
FIELDS: tuple[HeaderField, ...] = get_args(HeaderField)
Identity = dict[str, str]
"""Keyword -> decoded text."""

_KEYWORDS = (
    *("PatientID", "PatientName", "OtherPatientIDs", "OtherPatientNames", "PatientBirthName"),
    *("PatientBirthDate", "AccessionNumber", "StudyID", "StudyDate", "SeriesDate"),
    *("AcquisitionDate", "ContentDate", "StudyInstanceUID", "SeriesInstanceUID"),
    *("SOPInstanceUID", "FrameOfReferenceUID"),
)
_SHORTEST = 4  # characters: a shorter value (`1`, `MR`) tells nobody apart
_WITHIN = 6  # characters: a value as long as this counts as part of a name too
_ESCAPE = b"\x1b"  # with it, bytes of ASCII are signs of another alphabet
_IDEOGRAPHS = 0x2E80  # Unicode's first: a name of two of these tells as much as one of four letters
# What anonymisers and forms put in the place of a name or number, letters and digits only.
_WORDS = """
anon anonym anonymous anonymized anonymised anonymize anonymise anonymisiert anonyme anonimo
anonymousid anonymouspatient anonymizedpatient anonymisedpatient anonpatient patientanonymous
patientanonymized patientanon anonymousname anonymizedname deid deident deidentified
deidentifiedpatient unidentified unknown unknownpatient patientunknown unk unbekannt inconnu
desconocido undefined unnamed unspecified notspecified notavailable notapplicable notprovided
nodata none null nil nan na noname nonamegiven nameless noid nopatientid nopatientname removed
deleted erased redacted blank empty cleared masked hidden confidential private replaced default
dummy sample example test testpatient patienttest testtest patient patientid patientname patname
patid pat subject subjectid subjectname case name id firstname lastname lastnamefirstname
familyname givenname nonegiven notknown withheld pseudonym pseudonymized pseudonymised
anonimizado anonimizzato geanonimiseerd аноним неизвестно 匿名 無名 未知 未詳 不明 患者 익명
"""
_NOBODY = frozenset(normalize("NFKD", _WORDS).split())


def read_identity(source: bytes | BinaryIO) -> Identity:
    """Keyword -> value of what identifies, as far as the header has it; empty where unreadable.

    Texts are decoded by SpecificCharacterSet (PS3.5 6.1); several values are joined by backslashes.

    Args:
        source: a DICOM file's bytes, or the file; of that only the header is read.
    """
    with silent():
        dataset = read_elements(source, _KEYWORDS)
        if dataset is None:
            return {}
        found = {keyword: _text(dataset, keyword) for keyword in _KEYWORDS if keyword in dataset}
    return {keyword: text for keyword, text in found.items() if text}


def identity_at(root: Path, path: str) -> Identity:
    """What identifies in the header of a file below a root; empty where it cannot be read."""
    file = real(root / path)
    if not file.is_relative_to(real(root)):
        return {}
    try:
        with open_regular(file) as stream:
            return read_identity(stream)
    except (FileError, OSError):
        return {}


def normalized(text: str) -> str:
    """A text as it is compared: in one form (NFKC), without case, its words joined by one `^`.

    Words are what `^` and spaces divide.
    """
    folded = normalize("NFKC", normalize("NFKC", text).casefold())
    return "^".join(filter(None, re.split(r"[\s^\0]+", folded)))


def patient_key(identity: Identity, source: HeaderField) -> str:
    """What to group by, empty where the header does not say, or says `ANONYMOUS` or the like.

    Values that `normalized` makes equal are one person's; of a name's several representations
    (PS3.5 6.2.1.2) the first that is there counts.
    """
    text = identity.get(source, "")
    groups = text.split("=") if source == "PatientName" else [text]
    key = next(filter(None, map(normalized, groups)), "")
    return "" if _is_placeholder(key) else key


def tells_nobody(key: str) -> bool:
    """Whether a normalized value is empty, or such as anonymisers put in a name's place: `000`."""
    return re.fullmatch(r"0*|x+", _letters(key)) is not None or _is_placeholder(key)


def _is_placeholder(key: str) -> bool:
    """Whether a normalized value is one of `_WORDS`, or of such words: `REMOVED^REMOVED`."""
    words = map(_letters, key.split("^"))
    return _letters(key) in _NOBODY | {""} or all(
        len(word) >= _SHORTEST and word in _NOBODY for word in words
    )


def exposes(name: str, identity: Identity) -> bool:
    """Whether a name of a folder or file is, or holds, a value that identifies."""
    shown = _letters(name)
    # Many write UTF-8 and declare Latin-1.
    texts = dict.fromkeys(read for text in identity.values() for read in (text, _as_utf_8(text)))
    for text in texts:
        for part in (text, *re.split(r"[=\\]", text), *re.split(r"[=\\^]", text)):
            value = _letters(part)
            if value in _NOBODY:  # `patient-07` beside ANONYMOUS^PATIENT
                continue
            weight = sum(2 if ord(sign) >= _IDEOGRAPHS else 1 for sign in value)
            if weight >= _SHORTEST and value == shown:
                return True
            if weight >= _WITHIN and value in shown:
                return True
    return False


def has_uid(name: str) -> bool:
    """Whether a name holds what only a UID looks like (PS3.5 9): numbers with points between."""
    return re.search(r"[0-9]+(\.[0-9]+){5}", name) is not None


def _text(dataset: "Dataset", keyword: str) -> str:
    """A value as pydicom decodes it; what it cannot decode is taken byte for byte.

    Where no character set is declared, text that is UTF-8 is read as such.
    """
    from pydicom.multival import MultiValue

    item = dataset.get_item(keyword)
    raw = item.value
    if not isinstance(raw, bytes) or item.VR == "SQ":  # nothing, or no text
        return ""
    if raw.isascii() and _ESCAPE not in raw:  # the same in every character set
        return raw.decode().strip(" \0")
    try:
        value = dataset[keyword].value
    except BROKEN:
        value = raw
    text = "\\".join(map(str, value)) if isinstance(value, MultiValue) else str(value or "")
    if isinstance(value, bytes) or "\ufffd" in text:
        text = raw.decode("latin-1")
    if not text.isascii() and not _declares(dataset):
        text = _as_utf_8(text)
    return text.strip(" \0")


def _declares(dataset: "Dataset") -> bool:
    """Whether a header says in which character set its texts are, and more than ASCII."""
    from pydicom.charset import convert_encodings, default_encoding

    try:
        return set(convert_encodings(dataset.SpecificCharacterSet)) != {default_encoding}
    except BROKEN:  # there is none, or none that can be read
        return False


def _as_utf_8(text: str) -> str:
    """What was read as Latin-1, but is UTF-8, as it should be; any other text as it is."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _letters(text: str) -> str:
    return "".join(sign for sign in normalize("NFKD", text).casefold() if sign.isalnum())
