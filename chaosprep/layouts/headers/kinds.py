"""What a volume is that nobody trains on unless it is asked for: a scout, a map, a projection."""

import re
from collections.abc import Mapping, Sequence

from chaosprep.formats.dicom.objects import what_else
from chaosprep.layouts.headers.dividing import is_scout
from chaosprep.layouts.headers.head import Head, count_pictures
from chaosprep.layouts.headers.places import find_places

_MAP, _PROJECTION = "derived map", "projection"
# Values of ImageType from the third on (PS3.3 C.8.13.3.1, C.8.16.1 and what makers write).
_BY_TYPE = {
    **dict.fromkeys(("ADC", "EADC", "EXP_ADC", "ADC_UNSPECIFIED"), _MAP),
    **dict.fromkeys(("FA", "TRACEW", "TENSOR", "TENSOR_B0", "RELATIVE ANISOTROPY"), _MAP),
    **dict.fromkeys(("FRACTIONAL ANISOTROPY", "VOLUME RATIO", "TRACE"), _MAP),
    **dict.fromkeys(("T1 MAP", "T2 MAP", "T2STAR MAP", "T2_STAR MAP", "T1RHO MAP"), _MAP),
    **dict.fromkeys(("R1 MAP", "R2 MAP", "R2STAR MAP", "R2_STAR MAP", "B1 MAP", "B0 MAP"), _MAP),
    **dict.fromkeys(("FIELD_MAP", "PROTON DENSITY MAP", "VELOCITY MAP"), _MAP),
    **dict.fromkeys(("RCBV", "RCBF", "CBV", "CBF", "MTT", "TTP", "TMAX", "PBP", "GBP"), _MAP),
    **dict.fromkeys(("MIP", "MINIP", "MAX_IP", "MIN_IP", "MPR", "CPR", "CURVED"), _PROJECTION),
    **dict.fromkeys(("PROJECTION IMAGE", "REFORMATTED", "VRT", "SSD"), _PROJECTION),
    **dict.fromkeys(("VOLUME_RENDER", "SURFACE_RENDER", "COLLAPSE"), _PROJECTION),
    **dict.fromkeys(("SUBTRACTION", "SUBTRACT", "SUB"), "subtraction"),
}
# Words of a description. Those of a map count where ImageType says DERIVED too.
_SCOUT = re.compile(
    r"(?i)(?<![a-z])(locali[sz]er|loc|scout|survey|topogram|scanogram|3[- ]?pl(ane)?|tri-?plane)"
    r"(?![a-z])"
)
_DERIVED = {
    _MAP: re.compile(
        r"(?i)(?<![a-z])(e?adc|apparent.diffusion.coefficient|fractional.anisotropy)(?![a-z])"
    ),
    _PROJECTION: re.compile(r"(?i)(?<![a-z])(mip|minip)(?![a-z])"),
    "subtraction": re.compile(r"(?i)(?<![a-z])subtract(ion|ed)(?![a-z])"),
}
SINGLE = "single slice"
"""What a single slice is where there are stacks."""


def image_types(evidence: Mapping[str, str]) -> tuple[str, ...]:
    """The values of ImageType from the third on: what the image is (PS3.3 C.7.6.1.1.2)."""
    values = evidence.get("ImageType", "").upper().split("\\")[2:]
    return tuple(filter(None, (value.strip() for value in values)))


def why_left(heads: Sequence[Head], description: str) -> str:
    """What a volume is that is not taken, as a noun; empty for what is.

    DERIVED alone is no reason: scanners write it for what they filtered or resampled.
    """
    evidence = heads[0].evidence
    if other := what_else(evidence):
        return other.what
    for value in image_types(evidence):
        if value in _BY_TYPE:
            return f"{_BY_TYPE[value]} ({value})" if _BY_TYPE[value] == _MAP else _BY_TYPE[value]
    if is_scout(heads) or _SCOUT.search(description):
        return "localizer"
    if evidence.get("ImageType", "").upper().startswith("DERIVED"):
        found = (what for what, words in _DERIVED.items() if words.search(description))
        if what := next(found, ""):
            return what
    places = set(find_places(heads)) - {None}
    return "single place at several times" if count_pictures(heads) > len(places) == 1 else ""


def is_stack(facts: Mapping[str, str]) -> bool:
    """Whether the facts of a volume are those of slices at several places."""
    return facts.get("spacing", "").count("x") == 2
