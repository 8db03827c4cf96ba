"""Texts of headers that can be shown: decoded, and without what identifies."""

from collections.abc import Mapping
from functools import lru_cache

from chaosprep.privacy.evidence import text_of
from chaosprep.privacy.identity import Identity, exposes, has_uid

_IDENTIFYING = ("PatientID", "PatientName", "PatientBirthDate", "StudyDate")


def identity_of(evidence: Mapping[str, str]) -> Identity:
    """What identifies, decoded, of what `read_evidence` gives."""
    found = {keyword: text_of(evidence, keyword) for keyword in _IDENTIFYING}
    return {keyword: text for keyword, text in found.items() if text}


def shown(evidence: Mapping[str, str], keyword: str, identity: Identity) -> str:
    """A text in its character set; empty where it is, or holds, what identifies."""
    text = text_of(evidence, keyword)
    return "" if text and tells(text, identity) else text


def tells(text: str, identity: Identity) -> bool:
    """Whether a text is, or holds, what identifies, or a UID."""
    return _tells(text, tuple(identity.items()))


@lru_cache(maxsize=65536)  # the series of a study share them
def _tells(text: str, identity: tuple[tuple[str, str], ...]) -> bool:
    return has_uid(text) or exposes(text, dict(identity))
