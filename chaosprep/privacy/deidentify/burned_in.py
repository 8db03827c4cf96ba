"""Pixels that may show text: what a header says of them, and what stands in their unused bits.

Faces that can be made of the slices of a head are none of it: no header tells of them.
"""

import re
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

_OWN_COLOURS = (  # pictures whose colours are of what they show, or stand for segments
    "1.2.840.10008.5.1.4.1.1.66.",  # SEG
    "1.2.840.10008.5.1.4.1.1.77.1.6",  # whole slide
)
# Classes by how their UIDs begin (PS3.6 A) -> what they are.
_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.7": "a secondary capture",
    "1.2.840.10008.5.1.4.1.1.3": "an ultrasound picture",
    "1.2.840.10008.5.1.4.1.1.6": "an ultrasound picture",
    "1.2.840.10008.5.1.4.1.1.77.1.1": "an endoscopic picture",
    "1.2.840.10008.5.1.4.1.1.77.1.2": "a microscopic picture",
    "1.2.840.10008.5.1.4.1.1.77.1.3": "a microscopic picture",
    "1.2.840.10008.5.1.4.1.1.77.1.4": "a photograph",
    "1.2.840.10008.5.1.4.1.1.77.1.5": "an ophthalmic picture",
    "1.2.840.10008.5.1.4.1.1.77.1.7": "a dermoscopic picture",
    "1.2.840.10008.5.1.1.29": "a hard copy",
    "1.2.840.10008.5.1.1.30": "a hard copy",
}
_MODALITIES = {
    **dict.fromkeys(("US", "IVUS", "BDUS"), "an ultrasound picture"),
    **dict.fromkeys(("ES", "XC", "GM", "OP", "DMS"), "a picture of a camera"),
    **dict.fromkeys(("SC", "OT", "DOC", "HC", "FS"), "a picture of some other kind"),
}
# ConversionType (PS3.3 C.8.6.1): from video, film, paper, or drawn.
_DIGITIZED = ("DF", "DRW", "DV", "SD", "SI")
# Words of ImageType that makers give screenshots, reports and labels of slides.
_SHOWING = re.compile(
    r"SCREEN|CAPTURE|SNAPSHOT|REPORT|DOSE.?INFO|PATIENT.PROTOCOL|^PROTOCOL$|^LABEL$|^OVERVIEW$"
    r"|^SUMMARY$|^TEXT$"
)
_OVERLAYS = range(0x6000, 0x6100, 2)
_BIT_POSITION, _OVERLAY_DATA = 0x0102, 0x3000
_SIZES = (0x00280002, 0x00280010, 0x00280011, 0x00280100)  # samples, rows, columns, bits
_FRAMES = 0x00280008
_AT_ONCE = 2**22  # pixels


def doubt(dataset: "Dataset") -> str | None:
    """Why the pixels of a file may show text, as a clause; None where nothing speaks for it.

    A header that says that nothing is burned in is believed of an ultrasound picture, a secondary
    capture and the like; not of what its ImageType calls a screenshot, and not of bits that lie
    outside of its pixels.
    """
    said = _term(dataset, "BurnedInAnnotation")
    if said == "YES":
        return "BurnedInAnnotation is YES"
    if not _has_pixels(dataset):
        return None
    if any(map(_SHOWING.search, _values(dataset, "ImageType"))):
        return "its ImageType is that of a screenshot, a report or a label"
    return (None if said == "NO" else _by_kind(dataset)) or _in_bits(dataset)


def _by_kind(dataset: "Dataset") -> str | None:
    """What pictures of its kind often show."""
    sop_class = _term(dataset, "SOPClassUID")
    of_class = (what for begin, what in _CLASSES.items() if f"{sop_class}.".startswith(f"{begin}."))
    if what := next(of_class, _MODALITIES.get(_term(dataset, "Modality"))):
        return f"it is {what}"
    if _term(dataset, "ConversionType") in _DIGITIZED:
        return "it was made from video, film or paper, by its ConversionType"
    is_grey = _term(dataset, "PhotometricInterpretation") in ("", "MONOCHROME1", "MONOCHROME2")
    if not is_grey and not sop_class.startswith(_OWN_COLOURS):
        return "it is a picture in colour"
    return None


def _in_bits(dataset: "Dataset") -> str | None:
    """What lies in the bits of the pixel data that are no pixels."""
    for group in _OVERLAYS:
        position = _number(dataset, group << 16 | _BIT_POSITION)
        if position and (group << 16 | _OVERLAY_DATA) not in dataset:
            return "an overlay lies in the bits of its pixels"
    if _has_more_bytes(dataset):
        return "more bytes than those of its pixels are in use"
    if _has_used_high_bits(dataset):
        return "bits of its pixels that are not theirs are in use"
    return None


def _has_more_bytes(dataset: "Dataset") -> bool:
    """Whether more than zeros, or one byte of padding, stands behind native pixels."""
    value = _native(dataset)
    sizes = [_number(dataset, tag) for tag in _SIZES]
    if value is None or None in sizes:
        return False
    said: Any = getattr(dataset.get_item(_FRAMES), "value", None)
    count = re.fullmatch(rb"[\s\0]*(\d{1,9})[\s\0]*", said) if isinstance(said, bytes) else None
    bits = (int(count[1]) if count else 1) * prod(size for size in sizes if size is not None)
    return bool(value[(bits + 7) // 8 + 1 :].strip(b"\0"))


def _has_used_high_bits(dataset: "Dataset") -> bool:
    """Whether native pixels have more than a sign, or padding, outside of their stored bits."""
    bits, stored = _number(dataset, 0x00280100), _number(dataset, 0x00280101)
    value = _native(dataset)
    if bits not in (8, 16, 32) or not stored or stored >= bits or value is None:
        return False
    order = ">" if getattr(dataset, "original_encoding", (False, True))[1] is False else "<"
    size = bits // 8
    pixels = np.frombuffer(value[: len(value) // size * size], f"{order}u{size}")
    high = _number(dataset, 0x00280102)
    low = (stored - 1 if high is None else high) + 1 - stored
    if not 0 <= low <= bits - stored:
        low = 0
    padding = _number(dataset, 0x00280120)
    unused = _Unused(bits, stored, low, None if padding is None else padding % (1 << bits))
    return any(
        unused.are_in_use(pixels[at : at + _AT_ONCE]) for at in range(0, pixels.size, _AT_ONCE)
    )


@dataclass(frozen=True)
class _Unused:
    """The bits of a pixel that are not of its value, by the lowest one that is."""

    bits: int
    stored: int
    low: int
    padding: int | None

    def are_in_use(self, pixels: NDArray[np.unsignedinteger]) -> bool:
        """Whether any holds more than a sign, in pixels that are no padding."""
        every, top = (1 << self.bits) - 1, self.low + self.stored
        own = (1 << top) - (1 << self.low)
        others = pixels & (every ^ own)
        if not others.any():
            return False
        is_sign = (pixels >> (top - 1) & 1).astype(bool) & (others == every ^ ((1 << top) - 1))
        odd = pixels[(others != 0) & ~is_sign]
        return bool((odd != self.padding).any() if self.padding is not None else odd.size)


def _native(dataset: "Dataset") -> bytes | None:
    """The pixel data, where they are not compressed: a codestream says itself what it holds."""
    element: Any = dataset.get_item(0x7FE00010)
    is_open = getattr(element, "length", 0) == 0xFFFFFFFF
    if element is None or is_open or getattr(element, "is_undefined_length", False):
        return None
    return element.value if isinstance(element.value, bytes) else None


def _has_pixels(dataset: "Dataset") -> bool:
    return "Rows" in dataset and "Columns" in dataset


def _term(dataset: "Dataset", keyword: str) -> str:
    return str(dataset.get(keyword) or "").strip().upper()


def _values(dataset: "Dataset", keyword: str) -> list[str]:
    value: Any = dataset.get(keyword) or ()
    several = (value,) if isinstance(value, str) else value
    return [str(one).strip().upper() for one in several]


def _number(dataset: "Dataset", tag: int) -> int | None:
    """The first of the whole numbers of an element; None where it is missing or is none."""
    if tag not in dataset:
        return None
    value: Any = dataset[tag].value
    if isinstance(value, bytes):
        return int.from_bytes(value[:2], "little") if value else None
    return value if isinstance(value, int) else None
