"""Binary numbers: as many as the dictionary has, and none that are letters of a text."""

import re
from functools import lru_cache

from chaosprep.privacy.deidentify.elements import Element

_SIZES = {
    **dict.fromkeys(("SS", "US"), 2),
    **dict.fromkeys(("AT", "FL", "SL", "UL"), 4),
    **dict.fromkeys(("FD", "SV", "UV"), 8),
}  # bytes of a number
_OTHERS = ("OD", "OF", "OL", "OV", "OW")  # of one value, however many numbers it has
# A whole value of letters, digits and signs of names: numbers have other bytes too.
_TEXT = re.compile(rb"(?=(?:[^A-Za-z]*[A-Za-z]){4})[\w ^=.,:/@+-]{8,}[\0 ]*")


def numbers_alone(element: Element, vr: str) -> Element | None:
    """An element of numbers without what stands behind them; None where they are a text.

    ``vr`` is the dictionary's.
    """
    if vr not in _SIZES and vr not in _OTHERS:
        return element
    most = _SIZES.get(element.vr, _SIZES.get(vr, 0)) * _count(element.tag)
    if most and len(element.value) > most:
        element = element._replace(value=element.value[:most])
    return None if _TEXT.fullmatch(element.value) else element


@lru_cache(2**12)
def _count(tag: int) -> int:
    """How many values PS3.6 gives an attribute; 0 where it is not one number."""
    from pydicom._dicom_dict import DicomDictionary

    multiplicity = DicomDictionary[tag][1]
    return int(multiplicity) if multiplicity.isdecimal() else 0
