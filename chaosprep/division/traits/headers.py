"""Traits that headers of images tell: makers and models, fields, sex, age, how it was taken."""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from statistics import median_low

from chaosprep.division.kinds import OLDEST
from chaosprep.division.traits.trait import Evidence, Trait, Value, together
from chaosprep.errors import BROKEN, FileError, UsageError
from chaosprep.files import read_regular, real
from chaosprep.formats.dicom.faults import guarded, silent
from chaosprep.formats.dicom.frames import frame_sources
from chaosprep.formats.dicom.heads import read_elements
from chaosprep.formats.dicom.parsing import parse
from chaosprep.formats.dicom.transfer import inflated, open_stream
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.layouts.root import Root
from chaosprep.privacy.identity import birth_date, exposes, read_identity
from chaosprep.privacy.persons import to_ask
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.source import SourceCase

_NUMBERS = frozenset(("DS", "IS", "FD", "FL", "US", "SS", "UL", "SL"))
_CODES = frozenset((*_NUMBERS, "CS"))
_GROUPS = frozenset((0x0018, 0x0028))  # how an image was acquired, and what its pixels are
_MORE = (
    *("Manufacturer", "ManufacturerModelName", "Modality", "PatientSex", "PatientSize"),
    *("PatientWeight", "ConvolutionKernel", "ReceiveCoilName", "SequenceName", "ImageType"),
)
_AGE = ("PatientAge", "StudyDate", "PatientBirthDate")
_AGES = {"Y": 1.0, "M": 12.0, "W": 52.1775, "D": 365.2425}  # PS3.5 6.2, AS; in a year
_GAUSS = 10_000  # in a tesla; some old scanners write the field so
_STRONGEST = 100  # tesla: what is above is in gauss
_LONGEST = 64  # letters of a kind


def header(text: str, root: Root, key: Key | None) -> Trait | None:
    """`Manufacturer`, or another keyword of how images were taken.

    Raises:
        UsageError: `stratify-identifies`.
    """
    keyword = _keywords().get(text.strip().casefold())
    if keyword is None:
        return None
    if not _is_allowed(keyword):
        raise _identifying(text)

    def of_case(case: SourceCase, told: Evidence) -> Value | None:
        value = told.headers.get(keyword)
        if keyword == "MagneticFieldStrength" and isinstance(value, float):
            return _tesla(value)
        return value

    return Trait(keyword, of_case, _usual, keywords=(keyword,))


def age(text: str, root: Root, key: Key | None) -> Trait | None:
    """`age`: in years, by PatientAge, else by the dates of birth and study."""
    if text.strip().casefold() not in ("age", "patientage"):
        return None

    def of_case(case: SourceCase, told: Evidence) -> Value | None:
        return told.headers.get("age")

    return Trait("age", of_case, _usual, keywords=_AGE)


def check_says_nobody(name: str) -> None:
    """Refuse what is called like an element that identifies.

    Raises:
        UsageError: `stratify-identifies`.
    """
    keyword = _keywords().get(re.sub(r"[\s_-]+", "", name).casefold())
    if keyword is not None and not _is_allowed(keyword) and keyword != "PatientAge":
        raise _identifying(name)


def read_headers(case: SourceCase, keywords: Sequence[str]) -> dict[str, Value]:
    """What the first, the middle and the last image of a case say, the first that does.

    Values that would tell who somebody is are left out. Ages come as ``age``, no date.
    """
    found: dict[str, Value] = {}
    for path in () if case.refused else to_ask(case.images):
        if not {*keywords} - {*_AGE} - found.keys() and ("age" in found or _AGE[0] not in keywords):
            break
        found = _read(case, path, keywords) | found
    return found


def _read(case: SourceCase, path: str, keywords: Sequence[str]) -> dict[str, Value]:
    root = real(Path(case.root))
    file = real(root / path)
    if not file.is_relative_to(root):
        return {}
    try:
        data = read_regular(file)
    except FileError:
        return {}
    with silent():
        dataset = read_elements(data, (*keywords, "NumberOfFrames"))
        if dataset is None:
            return {}
        texts = {one: text for one in keywords if (text := _text([dataset], one))}
        if "NumberOfFrames" in dataset and len(texts) < len(keywords):
            texts = _of_frame(data, keywords) | texts
    identity = read_identity(data)
    years = _age(texts)
    found: dict[str, Value] = {} if years is None else {"age": years}
    for keyword, text in texts.items():
        if keyword in _AGE:
            continue
        value = _value(keyword, text)
        if value is not None and not (isinstance(value, str) and exposes(value, identity)):
            found[keyword] = value
    return found


def _of_frame(data: bytes, keywords: Sequence[str]) -> dict[str, str]:
    """What stands in the functional groups of a file's first frame."""
    try:
        with guarded("pydicom cannot make sense of the file"):
            stream = open_stream(inflated(data, MAX_PIXELS))
            dataset, _ = parse(BytesIO(stream.read()), header_only=True)
            sources = frame_sources(dataset, 0, int(dataset.get("NumberOfFrames") or 1))
            return {one: text for one in keywords if (text := _text(sources, one))}
    except FileError:
        return {}


def _text(sources: Iterable[object], keyword: str) -> str:
    """The values of an element as text, joined by backslashes; empty where it is not there."""
    from pydicom.datadict import tag_for_keyword
    from pydicom.multival import MultiValue

    tag = tag_for_keyword(keyword)
    for source in sources:
        with suppress(*BROKEN):
            if source.get_item(tag) is None:  # type: ignore[attr-defined]
                continue
            value = source[keyword].value  # type: ignore[index]
            several = value if isinstance(value, (MultiValue, list)) else [value]
            text = "\\".join(str(one) for one in several if one is not None).strip(" \0\\")
            if text:
                return text
    return ""


def _value(keyword: str, text: str) -> Value | None:
    from pydicom.datadict import dictionary_VR

    if dictionary_VR(keyword) in _NUMBERS:
        with suppress(ValueError):
            number = float(text.partition("\\")[0])
            return number if abs(number) < float("inf") else None
        return None
    return " ".join(text.split())[:_LONGEST].upper() or None


def _age(texts: dict[str, str]) -> float | None:
    """In years, whole from two on; `OLDEST` for all who are older."""
    told = re.fullmatch(r"(\d{1,3})([YMWD])", texts.get("PatientAge", "").strip().upper())
    if told:
        years = int(told[1]) / _AGES[told[2]]
    else:
        born, taken = birth_date(texts), re.sub(r"\D", "", texts.get("StudyDate", ""))
        if len(born) != 8 or len(taken) != 8:
            return None
        months = (int(taken[:4]) - int(born[:4])) * 12 + int(taken[4:6]) - int(born[4:6])
        months -= taken[6:] < born[6:]
        years = months / 12
    if years < 0:
        return None
    return min(float(int(years)) if years >= 2 else round(years, 1), float(OLDEST))


def _tesla(value: float) -> str:
    """A field to the nearest half tesla: 1.494 and 1.5 are one, and so are 2.89 and 3."""
    field = value / _GAUSS if value > _STRONGEST else value
    return f"{round(field * 2) / 2:g}"


def _usual(values: Sequence[Value]) -> Value:
    """Of numbers, one in the middle; of texts, all that there are."""
    numbers = [one for one in values if isinstance(one, float)]
    return median_low(numbers) if len(numbers) == len(values) else together(values)


@cache
def _keywords() -> dict[str, str]:
    """Every keyword of the standard's dictionary, by its small letters."""
    from pydicom.datadict import keyword_dict

    return {keyword.casefold(): keyword for keyword in keyword_dict if keyword}


def _is_allowed(keyword: str) -> bool:
    """Whether its values are numbers or codes of how an image was taken, no text and no date."""
    from pydicom.datadict import dictionary_VR, tag_for_keyword

    tag = tag_for_keyword(keyword) or 0
    return keyword in _MORE or (tag >> 16 in _GROUPS and dictionary_VR(tag) in _CODES)


def _identifying(text: str) -> UsageError:
    return UsageError(
        f"--stratify {text}: it may identify a patient or a date, and its values would be recorded "
        "in the manifest",
        "Choose a header that tells how images were made, PatientSex or age; or a column of a "
        "table, under another name, that has no such values.",
        code="stratify-identifies",
    )
