"""UIDs in place of others: the same everywhere for one key, so that references resolve."""

import re
from functools import cache

from chaosprep.privacy.pseudonyms import Key

# Coding schemes of others (PS3.16 table 8-1): their UIDs are no instance's.
_SCHEMES = (
    "2.16.840.1.113883.6.1",  # LOINC
    "2.16.840.1.113883.6.3",  # ICD-10
    "2.16.840.1.113883.6.8",  # UCUM
    "2.16.840.1.113883.6.86",  # UMLS
    "2.16.840.1.113883.6.96",  # SNOMED CT
    "2.16.840.1.113883.6.119",  # FMA
    "2.16.840.1.113883.6.256",  # RadLex
    "2.16.840.1.113883.3.26.1.1",  # NCI Thesaurus
)

# SOP classes of storage (PS3.4 B.5), also those that are newer than the dictionary.
_CLASS = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1(\.\d{1,3}){1,5}")


@cache
def _registered() -> frozenset[str]:
    from pydicom._uid_dict import UID_dictionary

    return frozenset((*UID_dictionary, *_SCHEMES))


def is_registered(uid: str) -> bool:
    """Whether a UID is one of the standard's own (PS3.6 annex A) or a well-known coding scheme's.

    These name classes, syntaxes and frames of reference of an atlas, never an instance.
    """
    return uid in _registered() or _CLASS.fullmatch(uid) is not None


def keyed(uid: str, key: Key) -> str:
    """The UID that stands for another; what is registered stays."""
    return uid if is_registered(uid) else key.uid(uid)
