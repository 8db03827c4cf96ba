"""A DICOM file as a tree of elements that anything may be wrong with, and how it is written."""

import random
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID

_LONG = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
_CODES = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF


@dataclass
class Element:
    """An element: a value, or the items of a sequence, or the fragments of compressed pixels.

    ``length`` stands in the file where it is not None; ``ended`` is whether a delimiter ends it.
    """

    tag: int
    vr: str
    value: bytes = b""
    items: "list[list[Element]] | None" = None
    fragments: list[bytes] | None = None
    length: int | None = None
    open: bool = False
    ended: bool = True


@dataclass
class Tree:
    """A file: its meta information, its elements, and how they are written."""

    syntax: str
    meta: list[Element]
    root: list[Element]
    implicit: bool = False
    big: bool = False
    deflated: bool = False
    group_length: int | None = None
    tail: bytes = field(default=b"")


def tree(dataset: Dataset, syntax: UID, frames: list[bytes] | None = None) -> Tree:
    """The tree of a data set; ``frames`` are compressed pixels, each a fragment."""
    big, deflated = not syntax.is_little_endian, syntax.is_deflated
    root = _elements(dataset, ">" if big else "<")
    if frames is not None:
        pixels = Element(0x7FE00010, "OB", fragments=[b"", *frames], open=True)
        root = [*(one for one in root if one.tag != pixels.tag), pixels]
    meta = [
        Element(0x00020001, "OB", b"\0\1"),
        Element(0x00020002, "UI", _even(str(dataset.SOPClassUID))),
        Element(0x00020010, "UI", _even(str(syntax))),
    ]
    return Tree(str(syntax), meta, root, syntax.is_implicit_VR, big, deflated)


def _even(text: str) -> bytes:
    return text.encode() + b"\0" * (len(text) % 2)


def _elements(dataset: Dataset, order: str) -> list[Element]:
    made: list[Element] = []
    for one in dataset:
        if one.VR == "SQ":
            items = [_elements(item, order) for item in one.value]
            made.append(Element(int(one.tag), "SQ", items=items, open=len(made) % 2 == 1))
            continue
        made.append(Element(int(one.tag), one.VR, _value(one.VR, one.value, order)))
        if order == ">" and one.VR == "OW":
            words = struct.unpack(f"<{len(one.value) // 2}H", one.value)
            made[-1].value = struct.pack(f">{len(words)}H", *words)
    return made


def _value(vr: str, value: Any, order: str) -> bytes:  # noqa: ANN401
    if isinstance(value, bytes):
        return value
    values = list(value) if isinstance(value, (list, tuple)) or vr_is_many(value) else [value]
    if vr in _CODES:
        return b"".join(struct.pack(order + _CODES[vr], part) for part in values)
    text = "\\".join(str(part) for part in values)
    return text.encode() + (b"\0" if vr == "UI" else b" ") * (len(text) % 2)


def vr_is_many(value: object) -> bool:
    """Whether pydicom gives several values."""
    return type(value).__name__ == "MultiValue"


def written(file: Tree) -> bytes:
    """The bytes of a file."""
    order = ">" if file.big else "<"
    meta = b"".join(_written(one, "<", implicit=False) for one in file.meta)
    length = len(meta) if file.group_length is None else file.group_length
    head = _written(Element(0x00020000, "UL", struct.pack("<I", length)), "<", implicit=False)
    body = b"".join(_written(one, order, implicit=file.implicit) for one in file.root)
    if file.deflated:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = packer.compress(body) + packer.flush()
    return bytes(128) + b"DICM" + head + meta + body + file.tail


def _tag(tag: int, order: str) -> bytes:
    return struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)


def _written(one: Element, order: str, *, implicit: bool) -> bytes:
    value, end = one.value, b""
    if one.items is not None:
        value = b"".join(_item(item, order, implicit, one.open) for item in one.items)
    elif one.fragments is not None:
        value = b"".join(
            _tag(ITEM, order) + struct.pack(f"{order}I", len(part)) + part for part in one.fragments
        )
    if one.open and one.ended:
        end = _tag(SEQUENCE_END, order) + bytes(4)
    length = one.length if one.length is not None else UNDEFINED if one.open else len(value)
    head = _tag(one.tag, order)
    if one.tag >> 16 == 0xFFFE or implicit:
        return head + struct.pack(f"{order}I", length) + value + end
    head += one.vr.encode("latin-1").ljust(2)[:2]
    if one.vr in _LONG:
        return head + b"\0\0" + struct.pack(f"{order}I", length) + value + end
    return head + struct.pack(f"{order}H", length & 0xFFFF) + value + end


def _item(elements: list[Element], order: str, implicit: bool, is_open: bool) -> bytes:
    body = b"".join(_written(one, order, implicit=implicit) for one in elements)
    if not is_open:
        return _tag(ITEM, order) + struct.pack(f"{order}I", len(body)) + body
    end = _tag(ITEM_END, order) + bytes(4)
    return _tag(ITEM, order) + struct.pack(f"{order}I", UNDEFINED) + body + end


def lists(elements: list[Element], draw: random.Random) -> list[Element]:
    """The elements of the root, mostly, or of one of the items."""
    nested = [one for one in elements if one.items]
    while nested and draw.random() < 0.4:
        elements = draw.choice(draw.choice(nested).items or [elements])
        nested = [one for one in elements if one.items]
    return elements
