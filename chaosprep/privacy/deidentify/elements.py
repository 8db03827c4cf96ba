"""The elements of a DICOM data set as they lie in a file: parsed to a tree, and written again.

Values stay the bytes that they are. What a file announces is checked against what is there.
"""

from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from chaosprep.errors import FileError
from chaosprep.formats.dicom.faults import broken, truncated

# PS3.5 tables 7.1-1 and 7.1-2: VRs with a length of 32 bits, and of 16.
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_VRS = {vr: vr.decode() for vr in _LONG | _SHORT}
_BINARY = ("OB", "OW", "UN")
_PIXEL_DATA = 0x7FE00010
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LARGE = 2**16  # bytes: a longer value is not copied
_MOST_SHORT = 2**16 - 2  # bytes of a value of a length of 16 bits
_DEPTH = 32  # sequences within one another; real files have ten at most
_LEAST, _MOST = 2**16, 2**18  # elements: the limit is between these, by the size of the file
_EACH = 16  # bytes of an element on average, in the file with the smallest


class Element(NamedTuple):
    """An element: its tag (the group in its high 16 bits), VR, and value or items.

    ``vr`` is the dictionary's where the file says none, and `UN` for what it does not know.
    ``is_open`` marks encapsulated pixels, of which the value goes on to the delimiter and has it.
    """

    tag: int
    vr: str
    value: bytes | memoryview = b""
    items: "list[Elements] | None" = None
    is_open: bool = False


Elements = dict[int, Element]
"""The elements of a data set by tag; of two with one tag the last, as pydicom has it."""


class Syntax(NamedTuple):
    """How elements are encoded (PS3.5 7)."""

    is_implicit: bool
    is_little: bool


@lru_cache(2**14)
def dictionary_vr(tag: int) -> str:
    """The VR of a tag by PS3.6, the first of a choice; `UN` for what it does not know."""
    from pydicom._dicom_dict import DicomDictionary

    entry = DicomDictionary.get(tag)
    if entry is None:
        return "LO" if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    return entry[0][:2]


class Reader:
    """Parses data sets out of the bytes of a file, as many elements as there may be in all."""

    def __init__(self, data: bytes, *, is_little: bool) -> None:
        self._data = data
        self._view = memoryview(data)
        self.is_little = is_little
        order = "<" if is_little else ">"
        self._numbers = Struct(f"{order}HH").unpack_from
        self._short = Struct(f"{order}H").unpack_from
        self._tag_length = Struct(f"{order}HHL").unpack_from
        self._length = Struct(f"{order}L").unpack_from
        self._left = max(_LEAST, min(len(data) // _EACH, _MOST))

    def looks_implicit(self, at: int, declared: bool) -> bool:
        """Whether the element here has no VR; some files do other than what they declare."""
        vr = self._data[at + 4 : at + 6]
        return declared if len(vr) < 2 else not (vr.isalpha() and vr.isupper())

    def data_set(
        self, at: int, end: int, *, implicit: bool, open_end: bool = False, depth: int = 0
    ) -> tuple[Elements, int]:
        """Parse the elements from one place to another; also tell where the next byte is.

        With ``open_end`` they go on to the delimiter of their item. Raises `FileError`:
        ``dicom-truncated``, ``dicom-broken`` or ``too-large``.
        """
        found: Elements = {}
        while at < end:
            tag = self._tag(at, end)
            if tag == _ITEM_END:
                if not open_end:
                    raise broken("an item ends that never began")
                return found, at + 8
            found[tag], at = self._element(tag, at, end, implicit, depth)
        if open_end:
            raise truncated("the file ends in the middle of an item")
        return found, at

    def element(self, at: int, end: int, *, implicit: bool) -> tuple[int, Element, int]:
        """Parse an element; give its tag too, and where the next one begins."""
        tag = self._tag(at, end)
        return tag, *self._element(tag, at, end, implicit, 0)

    def _element(
        self, tag: int, at: int, end: int, implicit: bool, depth: int
    ) -> tuple[Element, int]:
        self._count()
        vr, length, at = self._head(tag, at, end, implicit)
        return self._valued(tag, vr, at, end, length, implicit, depth)

    def _tag(self, at: int, end: int) -> int:
        if end - at < 8:
            raise truncated("the file ends in the middle of an element")
        group, number = self._numbers(self._data, at)
        return int(group) << 16 | int(number)

    def _head(self, tag: int, at: int, end: int, implicit: bool) -> tuple[str, int, int]:
        """The VR and length of an element, and where its value begins (PS3.5 7.1)."""
        vr = b"" if implicit else self._data[at + 4 : at + 6]
        if vr in _SHORT:
            return _VRS[vr], self._short(self._data, at + 6)[0], at + 8
        if implicit or self.looks_implicit(at, implicit):  # some files have a few without VR
            return dictionary_vr(tag), self._length(self._data, at + 4)[0], at + 8
        if vr not in _LONG:
            return "UN", self._short(self._data, at + 6)[0], at + 8
        if end - at < 12:
            raise truncated("the file ends in the middle of an element")
        return _VRS[vr], self._length(self._data, at + 8)[0], at + 12

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise FileError("its header has too many elements", "Check the file.", "too-large")

    def _valued(
        self, tag: int, vr: str, at: int, end: int, length: int, implicit: bool, depth: int
    ) -> tuple[Element, int]:
        if length == _UNDEFINED:
            if tag == _PIXEL_DATA and vr in _BINARY:
                stop = self._fragments(at, end)
                return Element(tag, "OB", self._view[at:stop], is_open=True), stop
            # UN of undefined length has implicit VRs inside (PS3.5 6.2.2).
            items, stop = self._items(at, end, implicit or vr == "UN", depth, open_end=True)
            return Element(tag, "SQ", items=items), stop
        stop = at + length
        if stop > end:
            raise truncated("the file ends in the middle of an element")
        if vr == "SQ" or (vr == "UN" and length and dictionary_vr(tag) == "SQ"):
            items, _ = self._items(at, stop, implicit or vr == "UN", depth, open_end=False)
            return Element(tag, "SQ", items=items), stop
        source = self._view if length >= _LARGE else self._data
        return Element(tag, vr, source[at:stop]), stop

    def items(self, end: int) -> list[Elements]:
        """Parse the items of a sequence, of implicit VRs, that the data begin with."""
        return self._items(0, end, True, 0, open_end=False)[0]

    def _items(
        self, at: int, end: int, implicit: bool, depth: int, *, open_end: bool
    ) -> tuple[list[Elements], int]:
        if depth == _DEPTH:
            raise broken("its sequences are nested too deeply")
        items: list[Elements] = []
        while at < end:
            tag, length, at = self._delimiter(at, end)
            if tag == _SEQUENCE_END:  # some files have one where the length is announced too
                return items, at if open_end else end
            if tag != _ITEM:
                raise broken("a sequence holds something that is not an item")
            is_open = length == _UNDEFINED
            stop = end if is_open else at + length
            if stop > end:
                raise truncated("the file ends in the middle of an item")
            self._count()
            inside = implicit or self.looks_implicit(at, implicit)
            item, at = self.data_set(at, stop, implicit=inside, open_end=is_open, depth=depth + 1)
            items.append(item)
        if open_end:
            raise truncated("the file ends in the middle of a sequence")
        return items, at

    def _fragments(self, at: int, end: int) -> int:
        """Where encapsulated pixels end: behind the delimiter of their fragments (PS3.5 A.4)."""
        while at < end:
            tag, length, at = self._delimiter(at, end)
            if tag == _SEQUENCE_END:
                return at
            if tag != _ITEM or length == _UNDEFINED:
                raise broken("the compressed pixels hold something that is not a fragment")
            at += length
        raise truncated("the file ends in the middle of the compressed pixels")

    def _delimiter(self, at: int, end: int) -> tuple[int, int, int]:
        if end - at < 8:
            raise truncated("the file ends in the middle of an item")
        group, number, length = self._tag_length(self._data, at)
        return group << 16 | number, length, at + 8


def items_of(element: Element) -> list[Elements] | None:
    """The items of a sequence, also where its file does not tell that it is one; None for others.

    What is of unknown VR is implicit VR, little-endian inside (PS3.5 6.2.2).
    """
    if element.items is not None:
        return element.items
    data = bytes(element.value)
    try:
        return Reader(data, is_little=True).items(len(data))
    except FileError:
        return None


class Writer:
    """Writes data sets as bytes, in the order of their tags, each length announced."""

    def __init__(self, syntax: Syntax) -> None:
        order = "<" if syntax.is_little else ">"
        self._is_implicit = syntax.is_implicit
        self._implicit = Struct(f"{order}HHL").pack
        self._short = Struct(f"{order}HH2sH").pack
        self._long = Struct(f"{order}HH2sHL").pack

    def data_set(self, elements: Elements) -> bytes:
        """The bytes of a data set."""
        parts: list[bytes | memoryview] = []
        for tag in sorted(elements):
            element = elements[tag]
            value = element.value if element.items is None else self._items(element.items)
            length = _UNDEFINED if element.is_open else len(value)
            parts += (self._start(tag, element.vr.encode(), length), value)
        return b"".join(parts)

    def _start(self, tag: int, vr: bytes, length: int) -> bytes:
        if self._is_implicit:
            return self._implicit(tag >> 16, tag & 0xFFFF, length)
        if vr in _LONG or length > _MOST_SHORT:
            return self._long(tag >> 16, tag & 0xFFFF, vr if vr in _LONG else b"UN", 0, length)
        return self._short(tag >> 16, tag & 0xFFFF, vr, length)

    def _items(self, items: list[Elements]) -> bytes:
        parts: list[bytes] = []
        for item in items:
            inside = self.data_set(item)
            parts += (self._implicit(_ITEM >> 16, _ITEM & 0xFFFF, len(inside)), inside)
        return b"".join(parts)
