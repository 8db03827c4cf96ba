"""What makers say in private elements of how an MR image was weighted, and what it shows.

The groups are those that the makers publish in their conformance statements; each names its owner
in the element that ends with 10 (PS3.5 7.8.1), and without it the number is somebody else's.
"""

import math
import struct
from collections.abc import Sequence

from chaosprep.formats.dicom.values import Elements, number, raw, text

_SIEMENS, _UNITED_IMAGING = "SIEMENS MR HEADER", "Image Private Header"
_GE_PARAMETERS, _PHILIPS = "GEMS_PARM_01", "Philips Imaging DD 001"
_GE_OFFSET = 100_000  # newer GE software adds a multiple of it to the b-value
_GE_COMPONENTS = ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY")


def private_b_value(sources: Sequence[Elements]) -> str:
    """The b-value, s/mm2, that a maker wrote; empty where none did."""
    for one in sources:
        for owner, name, keyword, kind in (
            ("SiemensCreator", _SIEMENS, "SiemensBValue", ""),
            ("GEParametersCreator", _GE_PARAMETERS, "GEBValue", ""),
            ("PhilipsCreator", _PHILIPS, "PhilipsBValue", "f"),
            ("UnitedImagingCreator", _UNITED_IMAGING, "UnitedImagingBValue", "d"),
        ):
            if text((one,), owner) != name:
                continue
            value = _binary(one, keyword, kind) if kind else number((one,), keyword)
            if value is None or not math.isfinite(value) or value < 0:
                continue
            return f"{value % _GE_OFFSET if keyword == 'GEBValue' else value:.6g}"
    return ""


def private_component(sources: Sequence[Elements]) -> str:
    """GE's type of an image in the words of ComplexImageComponent; empty where it has none."""
    for one in sources:
        if text((one,), "GEParametersCreator") == _GE_PARAMETERS:
            value = _binary(one, "GEImageType", "h")
            if value is not None and value in range(len(_GE_COMPONENTS)):
                return _GE_COMPONENTS[int(value)]
    return ""


def _binary(one: Elements, keyword: str, kind: str) -> float | None:
    """A binary number of a kind of `struct`; None where it is missing or of another length."""
    element, value = raw(one, keyword)
    if len(value) != struct.calcsize(kind):
        return None
    order = "<" if element.is_little_endian else ">"
    return float(struct.unpack(order + kind, value)[0])
