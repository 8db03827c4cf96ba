"""Text values of an element by the character sets of its data set (PS3.5 6.1)."""

from collections.abc import Sequence
from functools import lru_cache

from chaosprep.errors import BROKEN, FileError
from chaosprep.formats.dicom.faults import silent

_MOST = 2**16  # values of an element of text; only numbers have more
_ESCAPE = b"\x1b"
_ONE_VALUE = ("LT", "ST", "UT", "UR")  # in these a backslash is a sign as any other
# PS3.5 6.1.2.5.3: what ends an alphabet that an escape sequence began.
_ENDS = {0x0A, 0x0C, 0x0D, 0x09, 0x5C}
_ENDS_OF_NAME = {*_ENDS, 0x5E, 0x3D}


class Alphabet:
    """The character sets of a data set, as SpecificCharacterSet names them."""

    def __init__(self, encodings: Sequence[str]) -> None:
        self._encodings = list(encodings)

    def values(self, value: bytes, vr: str) -> list[str]:
        """The values of an element, without padding; what cannot be decoded is replaced."""
        text = self._decoded(value, vr).rstrip("\0 ")
        return [text.strip(" \0")] if vr in _ONE_VALUE else split(text)

    def _decoded(self, value: bytes, vr: str) -> str:
        if value.isascii() and _ESCAPE not in value:
            return value.decode("ascii")
        from pydicom.charset import decode_bytes

        ends = _ENDS_OF_NAME if vr == "PN" else _ENDS
        try:
            with silent():
                return decode_bytes(value, self._encodings, ends)
        except BROKEN:
            return value.decode("ascii", "replace")

    def encoded(self, values: Sequence[str], vr: str) -> bytes:
        """The values as bytes of an even number; one that these sets cannot write is empty."""
        return padded(b"\\".join(self._bytes(value, vr) for value in values), vr)

    def _bytes(self, text: str, vr: str) -> bytes:
        if text.isascii():
            return text.encode("ascii")
        from pydicom.charset import encode_string

        try:
            with silent():
                there = encode_string(text, self._encodings)
        except BROKEN:
            return b""
        return there if self._decoded(there, vr) == text else b""


def split(text: str) -> list[str]:
    """The values of a text, without padding. Raises `FileError` ``too-large``: they are many."""
    if text.count("\\") >= _MOST:
        raise FileError("an element has too many values", "Check the file.", "too-large")
    return [part.strip(" \0") for part in text.split("\\")]


@lru_cache(maxsize=64)
def alphabet(names: bytes) -> Alphabet:
    """The character sets of a value of SpecificCharacterSet; ASCII for those that nobody knows."""
    from pydicom.charset import convert_encodings

    found = [name.strip(" \0") for name in names.decode("ascii", "replace").split("\\")]
    try:
        with silent():
            return Alphabet(convert_encodings([*found]))
    except BROKEN:
        return Alphabet(["iso8859"])


def is_known(names: bytes) -> bool:
    """Whether all of a value of SpecificCharacterSet are names that the standard defines."""
    from pydicom.charset import python_encoding

    found = (name.strip(" \0") for name in names.decode("ascii", "replace").split("\\"))
    return all(name in python_encoding for name in found)


def padded(value: bytes, vr: str) -> bytes:
    """A value of an even number of bytes (PS3.5 7.1)."""
    return value + (b"\0" if vr in ("UI", "OB", "UN") else b" ") * (len(value) % 2)
