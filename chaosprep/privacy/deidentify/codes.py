"""Coded entries (PS3.3 8): those of public schemes stay, those of somebody's own become keyed."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from chaosprep.privacy.deidentify.elements import Element, Elements
from chaosprep.privacy.deidentify.texts import Alphabet
from chaosprep.privacy.deidentify.vocabulary import REMOVED, dummy
from chaosprep.privacy.pseudonyms import Key
from chaosprep.terms import PRIVATE_SCHEME

# PS3.16 table 8-1: the schemes that image objects are coded by.
PUBLIC = frozenset(
    (
        *("DCM", "SCT", "SRT", "SNM3", "99SDM", "UCUM", "LN", "FMA", "RADLEX", "UMLS", "NCIt"),
        *("MSH", "RXNORM", "IBSI", "MDC", "BARI", "NEU", "UBERON", "ITIS_TSN", "PUBCHEM_CID"),
        *("I9", "I9C", "I10", "I10C", "I10P", "BI", "RFC5646", "ISO3166_1"),
    )
)
"""Coding schemes of the standard."""
_SCHEME, _VERSION, _MEANING = 0x00080102, 0x00080103, 0x00080104
_VALUES = {0x00080100: "SH", 0x00080119: "UC"}  # CodeValue, LongCodeValue
_URN = 0x00080120
_CODE = re.compile(r"[A-Za-z0-9._\-/%*^()\[\]{}']{1,18}")
_WORD, _DIGIT = re.compile(r"[A-Za-z]{4}"), re.compile(r"\d")
_OF_LETTERS = ("UCUM", "RFC5646", "ISO3166_1")  # units, languages, countries
_EDITION = re.compile(r"[\d.]{1,16}")


def coded(
    elements: Elements, letters: Alphabet, key: Key, cleaned: Callable[[str], str]
) -> Elements:
    """What stands for the code of a coded entry, element by element; none where there is none.

    ``cleaned`` gives what may stay of free text.
    """
    if _SCHEME not in elements and _MEANING not in elements:
        return {}

    def text(tag: int) -> str:
        element = elements.get(tag)
        return letters.values(bytes(element.value), "LO")[0] if element else ""

    def written(tag: int, vr: str, value: str) -> Element:
        return Element(tag, vr, letters.encoded((value,), vr))

    scheme = text(_SCHEME)
    values = {tag: text(tag) for tag in _VALUES if tag in elements}
    is_public = scheme in PUBLIC and all(_is_code(scheme, value) for value in values.values())
    found = {
        tag: written(tag, vr, value if is_public or not value else key.tag(f"{scheme}\0{value}"))
        for tag, vr in _VALUES.items()
        if (value := values.get(tag)) is not None
    }
    if _SCHEME in elements:
        found[_SCHEME] = written(_SCHEME, "SH", scheme if is_public else PRIVATE_SCHEME)
    if _VERSION in elements:
        version = text(_VERSION)
        keeps = is_public and _EDITION.fullmatch(version)
        found[_VERSION] = written(_VERSION, "SH", version if keeps else "")
    if _MEANING in elements:
        found[_MEANING] = written(_MEANING, "LO", _meaning(text(_MEANING), cleaned))
    if _URN in elements:
        found[_URN] = Element(_URN, "UR", dummy("UR"))
    return found


def _is_code(scheme: str, value: str) -> bool:
    """Whether a value is a code of a public scheme: listed, or of the form that codes have."""
    if value in _codes(scheme):
        return True
    has_words = _WORD.search(value) or not (scheme in _OF_LETTERS or _DIGIT.search(value))
    return not value or (_CODE.fullmatch(value) is not None and not has_words)


def _meaning(text: str, cleaned: Callable[[str], str]) -> str:
    """What may stay of the meaning of a code: it is free text as any other, unless it is listed."""
    kept = cleaned(text)
    if kept != text and text.casefold() in _listed():
        return text
    return kept or (text and REMOVED)


@cache
def _codes(scheme: str) -> frozenset[str]:
    """The codes of a scheme that the standard lists (PS3.16)."""
    listed = _concepts().get(scheme, {}).values()
    return frozenset(code for concept in listed for code in concept)


@cache
def _listed() -> frozenset[str]:
    """The meanings of codes that the standard lists (PS3.16), without case."""
    return frozenset(
        found[0].casefold()
        for scheme in _concepts().values()
        for codes in scheme.values()
        for found in codes.values()
    )


def _concepts() -> dict[str, dict[str, dict[str, Any]]]:
    from pydicom.sr import _concepts_dict

    concepts: Any = _concepts_dict.concepts
    return cast(dict[str, dict[str, dict[str, Any]]], concepts)
