"""Private elements: which are safe to keep (PS3.15 E.3.10), and what of their values.

Safe is what Table E.3.10-1 lists of images of the body, without its texts, UIDs and data in a
maker's own form, and what tells the volumes and slices of a series apart. A value stays only where
it is what the list says: a number stays a number, and a word is one of a few.
"""

import re
import struct
from functools import cache
from typing import NamedTuple

from chaosprep.privacy.deidentify.csa import cleaned_csa
from chaosprep.privacy.deidentify.plain_numbers import MOST, is_plain_number

# Creator, group, the element's low byte, VR, the most values. `+`: not of the standard's list, but
# in a maker's conformance statement, and what readers need to tell volumes and slices apart.
_SAFE = """
ELSCINT1 00E1 21 DS 1
ELSCINT1 00E1 50 DS 1
ELSCINT1 01F1 01 CS 1
ELSCINT1 01F1 07 DS 1
ELSCINT1 01F1 26 DS 1
ELSCINT1 01F1 27 DS 1
GEMS_ACQU_01 0019 23 DS 1
GEMS_ACQU_01 0019 24 DS 1
GEMS_ACQU_01 0019 27 DS 1
GEMS_ACQU_01 0019 BB DS 1 +
GEMS_ACQU_01 0019 BC DS 1 +
GEMS_ACQU_01 0019 BD DS 1 +
GEMS_ACQU_01 0019 E0 DS 1 +
GEMS_HELIOS_01 0045 01 SS 1
GEMS_HELIOS_01 0045 02 FL 1
GEMS_PARM_01 0043 27 SH 1
GEMS_PARM_01 0043 2F SS 1 +
GEMS_PARM_01 0043 39 IS 4
GEMS_PARM_01 0043 6F DS 4
GEMS_SERS_01 0025 07 SL 1
Image Private Header 0065 09 FD 1 +
Image Private Header 0065 0A FD 1 +
Image Private Header 0065 14 DS 3 +
Image Private Header 0065 37 FD 3 +
Image Private Header 0065 50 DS 1 +
Image Private Header 0065 51 SQ 0 +
Philips Imaging DD 001 2001 03 FL 1
Philips Imaging DD 001 2001 04 CS 1
Philips MR Imaging DD 001 2005 0D FL 1
Philips MR Imaging DD 001 2005 0E FL 1
Philips MR Imaging DD 001 2005 B0 FL 1 +
Philips MR Imaging DD 001 2005 B1 FL 1 +
Philips MR Imaging DD 001 2005 B2 FL 1 +
Philips MR Imaging DD 005 2005 12 IS 1 +
Philips MR Imaging DD 005 2005 13 IS 1 +
Philips PET Private Group 7053 00 DS 1
Philips PET Private Group 7053 09 DS 1
SIEMENS CSA HEADER 0029 10 CSA 0 +
SIEMENS CSA HEADER 0029 20 CSA 0 +
SIEMENS MR HEADER 0019 0A US 1 +
SIEMENS MR HEADER 0019 0B DS 1 +
SIEMENS MR HEADER 0019 0C IS 1
SIEMENS MR HEADER 0019 0D CS 1
SIEMENS MR HEADER 0019 0E FD 3
SIEMENS MR HEADER 0019 16 DS 1 +
SIEMENS MR HEADER 0019 17 DS 1 +
SIEMENS MR HEADER 0019 18 IS 1 +
SIEMENS MR HEADER 0019 27 FD 6
SIEMENS MR HEADER 0019 28 FD 1 +
SIEMENS MR HEADER 0019 29 FD 1024 +
"""

_WORDS = frozenset(
    (
        *("NONE", "DIRECTIONAL", "ISOTROPIC", "BMATRIX", "FREE"),  # Siemens
        *("P", "M", "S", "I", "O", "R"),  # Philips
        *("AXIAL", "DYNAMIC", "HELICAL", "SCANOGRAM", "SEQUENCE", "SPIRAL", "SURVIEW"),  # Elscint
    )
)
_PITCH = re.compile(rb"\d\.\d{1,3}:1")  # GE's (0043,xx27)
_GE_B_VALUE = ("GEMS_PARM_01", 0x0043, 0x39)
_GE_OFFSET = re.compile(rb"10{4}(?=\d{5}\b)")  # newer GE software adds 10**9 to a b-value
_LETTERS = re.compile(rb"[A-Za-z ^=.,-]+")
_BINARY = {"FD": "d", "FL": "f", "SS": "h", "US": "H", "SL": "i", "UL": "I"}
_LONGEST = 2**14  # bytes: 1,024 numbers have as many at most
_LEAST = 1e-20  # of a binary number that is not 0: digits and spaces are below


class _Kind(NamedTuple):
    vr: str
    most: int


def is_safe(creator: str, group: int, element_low_byte: int) -> bool:
    """Whether a private element is known to hold nothing that identifies.

    Args:
        creator: the value of the element that reserves its block.
        group: the group of its tag, an odd number.
        element_low_byte: its number in the block, 0 to 255.
    """
    return (creator.strip(" \0"), group, element_low_byte) in _table()


def is_sequence(creator: str, group: int, element_low_byte: int) -> bool:
    """Whether a safe element is a sequence, of which the items are cleaned as any others.

    The arguments are those of `is_safe`.
    """
    kind = _table().get((creator.strip(" \0"), group, element_low_byte))
    return kind is not None and kind.vr == "SQ"


def cleaned(
    creator: str, group: int, element_low_byte: int, value: bytes, *, big_endian: bool = False
) -> bytes | None:
    """What may stay of the value of a safe element; None where nothing may.

    Nothing stays of what is not as the list says. The items of a sequence are the caller's to
    walk, as its bytes cannot be judged.

    Args:
        creator: as for `is_safe`.
        group: as for `is_safe`.
        element_low_byte: as for `is_safe`.
        value: as it stands in the file, binary or text, whatever VR the file gives it.
        big_endian: the order of binary numbers.
    """
    place = creator.strip(" \0"), group, element_low_byte
    kind = _table().get(place)
    if kind is None:
        return None
    if kind.vr == "CSA":
        return cleaned_csa(value)
    if not value or len(value) > _LONGEST:
        return None if value else value
    words = [one.strip(b" \0") for one in value.split(b"\\")]
    if kind.vr == "SH":
        return value if all(map(_PITCH.fullmatch, words)) and len(words) == 1 else None
    if kind.vr == "CS":
        return value if all(one.decode("latin-1") in _WORDS for one in words) else None
    if place == _GE_B_VALUE:
        words[0] = _GE_OFFSET.sub(b"", words[0])
    is_text = len(words) <= kind.most and all(map(is_plain_number, words))
    return value if is_text or _is_binary(kind, value, ">" if big_endian else "<") else None


def _is_binary(kind: _Kind, value: bytes, order: str) -> bool:
    """Whether a value is of small binary numbers of the listed VR."""
    letter = _BINARY.get(kind.vr)
    if letter is None or _LETTERS.fullmatch(value):
        return False
    count, rest = divmod(len(value), struct.calcsize(letter))
    if rest or count > kind.most:
        return False
    numbers = struct.unpack(f"{order}{count}{letter}", value)
    return all(one == 0 or _LEAST <= abs(one) <= MOST for one in numbers)


@cache
def _table() -> dict[tuple[str, int, int], _Kind]:
    found = {}
    for line in _SAFE.strip().splitlines():
        creator, group, element, vr, most = line.removesuffix(" +").rsplit(maxsplit=4)
        found[creator, int(group, 16), int(element, 16)] = _Kind(vr, int(most))
    return found
