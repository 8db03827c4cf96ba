"""Who somebody is, by the evidence that an index keeps of headers instead of the headers."""

from collections.abc import Mapping
from functools import lru_cache

from chaosprep.formats.dicom.evidence import KEYWORDS
from chaosprep.formats.dicom.faults import silent
from chaosprep.privacy.identity import (
    FIELDS,
    IDENTIFYING,
    HeaderField,
    Identity,
    birth_date,
    decoded,
    patient_key,
    tells_nobody,
)

_KEPT = tuple(keyword for keyword in IDENTIFYING if keyword in KEYWORDS)
TELLING = ("PatientID", "PatientName", "PatientBirthDate", "SpecificCharacterSet")
"""What of the evidence tells a person."""


def identity_of(evidence: Mapping[str, str]) -> Identity:
    """What identifies, as `read_identity` gives it, of what `read_evidence` gives.

    Args:
        evidence: keyword -> the bytes of a text as Latin-1.
    """
    found = {keyword: text_of(evidence, keyword) for keyword in _KEPT}
    return {keyword: text for keyword, text in found.items() if text}


def text_of(evidence: Mapping[str, str], keyword: str) -> str:
    """One text in its character set (PS3.5 6.1); UTF-8 where nothing declares one."""
    text = evidence.get(keyword, "")
    if text.isascii() and "\x1b" not in text:
        return text
    return _decoded(keyword, text, evidence.get("SpecificCharacterSet", ""))


@lru_cache(maxsize=4096)  # the slices of a patient share them
def _decoded(keyword: str, text: str, character_set: str) -> str:
    with silent():
        return decoded(keyword, text.encode("latin-1", "replace"), character_set)


def whose(identity: Identity, sources: tuple[HeaderField, ...] = FIELDS) -> str:
    """What tells a person from others, empty where nothing does; never to be shown.

    It is the normalized PatientID; where that is empty or a placeholder, PatientName with
    PatientBirthDate. No PatientID is equal to what a name gives.

    Args:
        identity: what identifies.
        sources: the keywords that may tell it.
    """
    for source in sources:
        if not tells_nobody(key := patient_key(identity, source)):
            return key if source == "PatientID" else f"{source} {key} {birth_date(identity)}"
    return ""


def person_of(evidence: Mapping[str, str], sources: tuple[HeaderField, ...] = FIELDS) -> str:
    """What `whose` says of what `read_evidence` gives."""
    return _person_of(sources, *(evidence.get(keyword, "") for keyword in TELLING))


@lru_cache(maxsize=4096)  # as above
def _person_of(sources: tuple[HeaderField, ...], *texts: str) -> str:
    return whose(identity_of(dict(zip(TELLING, texts, strict=True))), sources)
