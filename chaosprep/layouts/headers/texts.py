"""Texts of headers that can be shown: decoded, and without what identifies."""

from collections.abc import Mapping
from functools import lru_cache

from chaosprep.privacy.evidence import text_of
from chaosprep.privacy.identity import Identity, exposes, has_uid


def without_uids(identity: Identity) -> Identity:
    """The same without UIDs: a text with any UID is not shown."""
    return {keyword: text for keyword, text in identity.items() if not keyword.endswith("UID")}


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
