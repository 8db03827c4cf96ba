"""Texts of headers that can be shown: decoded, and without what identifies."""

from collections.abc import Mapping
from functools import lru_cache

from chaosprep.errors import BROKEN
from chaosprep.formats.dicom.faults import silent
from chaosprep.privacy.identity import Identity, exposes, has_uid

_IDENTIFYING = ("PatientID", "PatientName", "PatientBirthDate", "StudyDate")

_NAME_PARTS = set(b"^=")  # where a character set that was switched to ends (PS3.5 6.1.2.5.3)


def identity_of(evidence: Mapping[str, str]) -> Identity:
    """What identifies, decoded, of what `read_evidence` gives."""
    found = {keyword: decoded(evidence, keyword) for keyword in _IDENTIFYING}
    return {keyword: text for keyword, text in found.items() if text}


def shown(evidence: Mapping[str, str], keyword: str, identity: Identity) -> str:
    """A text in its character set; empty where it is, or holds, what identifies."""
    text = decoded(evidence, keyword)
    return "" if text and tells(text, identity) else text


def tells(text: str, identity: Identity) -> bool:
    """Whether a text is, or holds, what identifies, or a UID."""
    return _tells(text, tuple(identity.items()))


@lru_cache(maxsize=65536)  # the series of a study share them
def _tells(text: str, identity: tuple[tuple[str, str], ...]) -> bool:
    return has_uid(text) or exposes(text, dict(identity))


def decoded(evidence: Mapping[str, str], keyword: str) -> str:
    """A text in its character set (PS3.5 6.1); UTF-8 where nothing declares one."""
    text = evidence.get(keyword, "")
    if text.isascii() and "\x1b" not in text:
        return text
    kind = "PN" if keyword == "PatientName" else "LO"
    return _decoded(
        text.encode("latin-1", "replace"), evidence.get("SpecificCharacterSet", ""), kind
    )


@lru_cache(maxsize=4096)  # the slices of a series share them
def _decoded(data: bytes, declared: str, kind: str) -> str:
    from pydicom.charset import convert_encodings, decode_bytes

    if not declared:
        try:
            return data.decode().strip(" \0")
        except UnicodeError:
            return data.decode("latin-1").strip(" \0")
    try:
        with silent():
            encodings = convert_encodings([one.strip() for one in declared.split("\\")])
            return decode_bytes(data, encodings, _NAME_PARTS if kind == "PN" else set()).strip(
                " \0"
            )
    except BROKEN:
        return data.decode("latin-1").strip(" \0")
