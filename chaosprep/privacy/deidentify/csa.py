"""Siemens' CSA header without its texts: made anew, of a few numbers.

The original has the whole protocol in it, names of people, dates and UIDs, and bytes of former
headers behind the texts. Only its second form (``SV10``) is read (`formats/dicom/csa`): nothing
stays of others.
"""

import struct

from chaosprep.errors import FileError
from chaosprep.formats.dicom.csa import read_csa
from chaosprep.privacy.deidentify.plain_numbers import is_plain_number

# Name -> VR, as its tags have it.
_NUMBERS = {
    "B_matrix": "FD",
    "B_value": "IS",
    "BandwidthPerPixelPhaseEncode": "FD",
    "DiffusionGradientDirection": "FD",
    "MosaicRefAcqTimes": "FD",
    "MultistepIndex": "IS",
    "NumberOfImagesInMosaic": "US",
    "PhaseEncodingDirectionPositive": "IS",
    "ProtocolSliceNumber": "IS",
    "RealDwellTime": "IS",
    "SliceMeasurementDuration": "DS",
    "SliceNormalVector": "FD",
    "TimeAfterStart": "DS",
}
_WORDS = {"DiffusionDirectionality": ("DIRECTIONAL", "ISOTROPIC", "NONE")}
_KINDS = {**_NUMBERS, **dict.fromkeys(_WORDS, "CS")}
_MARK = 77  # what stands before the tags, in each, and in each item
_HEAD = struct.Struct("<4s4sII")
_TAG = struct.Struct("<64sI4sIII")
_ITEM = struct.Struct("<4I")
_MOST = 1024  # items of a tag: a mosaic has fewer slices


def cleaned_csa(data: bytes) -> bytes | None:
    """A CSA header of the safe tags of another; None where it has none, or cannot be read."""
    try:
        found = read_csa(data, _KINDS)
    except FileError:
        return None
    tags = [
        _tag(name, vr, found[name])
        for name, vr in _KINDS.items()
        if name in found and _is_safe(name, found[name])
    ]
    if not tags:
        return None
    return _HEAD.pack(b"SV10", b"\4\3\2\1", len(tags), _MARK) + b"".join(tags)


def _is_safe(name: str, items: tuple[str, ...]) -> bool:
    if name in _WORDS:
        return len(items) == 1 and items[0] in _WORDS[name]
    return len(items) <= _MOST and all(
        one.isascii() and is_plain_number(one.encode()) for one in items
    )


def _tag(name: str, vr: str, items: tuple[str, ...]) -> bytes:
    head = _TAG.pack(name.encode(), len(items), vr.encode(), 0, len(items), _MARK)
    return head + b"".join(map(_item, items))


def _item(text: str) -> bytes:
    value = text.encode() + b"\0"
    length = len(value)
    return _ITEM.pack(length, length, _MARK, length) + value + bytes(-length % 4)
