"""What in a DICOM header tells who or when: to group by, and to keep out of ids and paths."""

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, get_args
from unicodedata import normalize

from chaosprep.errors import BROKEN, FileError
from chaosprep.files import open_regular, real
from chaosprep.formats.dicom.faults import silent
from chaosprep.formats.dicom.heads import read_elements
from chaosprep.formats.dicom.plain import read_plain_texts
from chaosprep.privacy.common_words import PLACEHOLDERS
from chaosprep.privacy.names import is_code, tells_name
from chaosprep.terms import code_of

if TYPE_CHECKING:
    from pydicom import Dataset

HeaderField = Literal["PatientID", "PatientName"]
FIELDS: tuple[HeaderField, ...] = get_args(HeaderField)
Identity = dict[str, str]
"""Keyword -> decoded text."""

IDENTIFYING = (
    *("PatientID", "PatientName", "OtherPatientIDs", "OtherPatientNames", "PatientBirthName"),
    *("PatientMotherBirthName", "ResponsiblePerson", "PatientBirthDate"),
    *("AccessionNumber", "StudyID", "StudyDate", "SeriesDate", "AcquisitionDate"),
    *("ContentDate", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"),
    "FrameOfReferenceUID",
)
"""The keywords of what identifies."""

_HEAD = 2**15  # bytes: most headers are shorter
_SHORTEST = 4  # characters: a shorter value (`1`, `MR`) tells nobody apart
_WITHIN = 6  # characters: a value as long as this counts as part of a name too
_UNKNOWN_DATES = ("00000000", "00010101", "19000101")  # what anonymisers write for a birth date
_ESCAPE = b"\x1b"  # with it, bytes of ASCII are signs of another alphabet
_IDEOGRAPHS = 0x2E80  # Unicode's first: a name of two of these tells as much as one of four letters
# What is compared part by part. That of a parent (PS3.3 C.2.3) has the surname too; a physician's
# does not identify the patient.
_NAMES = (
    *("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName"),
    "ResponsiblePerson",
)
_IDS = ("PatientID", "OtherPatientIDs")


def read_identity(source: bytes | BinaryIO) -> Identity:
    """Keyword -> value of what identifies, as far as the header has it; empty where unreadable.

    Texts are decoded by SpecificCharacterSet (PS3.5 6.1); several values are joined by backslashes.

    Args:
        source: a DICOM file's bytes, or the file at its beginning; of that only the header is read.
    """
    data = source if isinstance(source, bytes) else source.read(_HEAD)
    plain = read_plain_texts(data, IDENTIFYING)
    if plain is not None and all(map(_is_ascii, plain.values())):
        found = {keyword: value.decode().strip(" \0") for keyword, value in plain.items()}
        return {keyword: text for keyword, text in found.items() if text}
    if not isinstance(source, bytes):
        source.seek(0)
    return read_by_pydicom(source)


def read_by_pydicom(source: bytes | BinaryIO) -> Identity:
    """Read what `read_identity` gives, in whatever way the file is written."""
    with silent():
        dataset = read_elements(source, IDENTIFYING)
        if dataset is None:
            return {}
        found = {keyword: _text(dataset, keyword) for keyword in IDENTIFYING if keyword in dataset}
    return {keyword: text for keyword, text in found.items() if text}


def _is_ascii(value: bytes) -> bool:
    """Whether a text is the same in every character set."""
    return value.isascii() and _ESCAPE not in value


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
    """Whether a normalized value is one of `PLACEHOLDERS`, or of such words: `REMOVED^REMOVED`."""
    words = map(_letters, key.split("^"))
    return _letters(key) in PLACEHOLDERS | {""} or all(
        len(word) >= _SHORTEST and word in PLACEHOLDERS for word in words
    )


def exposes(name: str, identity: Identity) -> bool:
    """Whether a name of a folder or file is, or holds, a value that identifies.

    Names are compared by `tells_name`, a birth date in the usual orders of its parts, and all else
    as a whole: of four letters and digits where nothing else is there, of six amid others.
    """
    birth, shown = birth_date(identity), _letters(name)
    names: list[str] = []
    values: list[str] = []
    for keyword, text in identity.items():
        both = dict.fromkeys((text, _as_utf_8(text)))  # many write UTF-8 and declare Latin-1
        if keyword in _NAMES:
            names += both
            values += (one for one in both if _has_digit(one) and not is_code(one))
        else:
            names += (one for one in both if keyword in _IDS and _is_spelled(one))
            values += both
    return (
        tells_name(name, names, birth[:4])
        or any(_is_or_holds(shown, text) for text in values)
        or _tells_date(name, birth)
    )


def identifies(structure: str, identity: Identity) -> bool:
    """Whether the name of a structure is, or holds, a value that identifies.

    One that has a code identifies nobody, whoever is called so: Colon is a surname too.
    """
    return code_of(structure) is None and exposes(structure, identity)


def _is_or_holds(shown: str, text: str) -> bool:
    for part in (text, *re.split(r"[=\\]", text), *re.split(r"[=\\^]", text)):
        value = _letters(part)
        if value in PLACEHOLDERS:
            continue
        weight = len(value)
        if not value.isascii():
            weight += sum(ord(sign) >= _IDEOGRAPHS for sign in value)
        if weight >= (_SHORTEST if value == shown else _WITHIN) and value in shown:
            return True
    return False


def _tells_date(name: str, birth: str) -> bool:
    """Whether a name holds a birth date, YYYYMMDD, in another order or with two digits of year."""
    if len(birth) != 8:
        return False
    year, month, day = birth[:4], birth[4:6], birth[6:]
    orders = ((year, month, day), (day, month, year), (month, day, year))
    wanted = {"".join(parts) for parts in orders}
    short = {"".join(parts).replace(year, year[2:], 1) for parts in orders}
    wanted |= {text for text in short if not text.startswith("00")}  # 000512: a slice's number
    runs = (re.findall(r"\d+", run) for run in re.findall(r"\d+(?:[-._ ]\d+)*", name))
    return any(
        "".join(run[at : at + parts]) in wanted  # of `T1 13.06.84` too
        for run in runs
        for at in range(len(run))
        for parts in (1, 2, 3)
    )


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _is_spelled(text: str) -> bool:
    """Whether a number of a patient is a name, of two words and more: `john.smith`."""
    return not _has_digit(text) and len(re.findall(r"[^\W_]+", text)) > 1


def birth_date(identity: Identity) -> str:
    """The digits of the birth date; empty where it is missing, or what anonymisers write."""
    found = "".join(filter(str.isdigit, identity.get("PatientBirthDate", "")))
    return "" if found in _UNKNOWN_DATES else found


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
    if _is_ascii(raw):
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


def decoded(keyword: str, value: bytes, character_set: str) -> str:
    """One value as `read_identity` decodes it.

    Args:
        keyword: the element's.
        value: its bytes.
        character_set: SpecificCharacterSet as it is written.
    """
    from pydicom import Dataset
    from pydicom.charset import convert_encodings
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    dataset = Dataset()
    for name, data in (("SpecificCharacterSet", character_set.encode("latin-1")), (keyword, value)):
        tag = Tag(tag_for_keyword(name) or 0)
        dataset[tag] = RawDataElement(tag, dictionary_VR(tag), len(data), data, 0, False, True)
    dataset.set_original_encoding(False, True, convert_encodings(character_set.split("\\")))
    return _text(dataset, keyword)


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


@lru_cache(2**12)  # a value is compared in many ways
def _letters(text: str) -> str:
    return "".join(sign for sign in normalize("NFKD", text).casefold() if sign.isalnum())
