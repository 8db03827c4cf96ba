"""What is done to the tree of a DICOM file: one edit of its structure at a time."""

import copy
import random
import struct
from collections.abc import Callable

from tests.attacks.dicom_tree import (
    ITEM,
    ITEM_END,
    SEQUENCE_END,
    UNDEFINED,
    Element,
    Tree,
    lists,
)
from tests.attacks.grammars import NUMBERS, scratched
from tests.formats.test_plain_mutations import TEXTS

_VRS = [
    *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OD", "OF"),
    *("OL", "OV", "OW", "PN", "SH", "SL", "SQ", "SS", "ST", "SV", "TM", "UC", "UI", "UL", "UN"),
    *("UR", "US", "UT", "UV", "ZZ", "\0\0", "us", "O"),
]
_SYNTAXES = [
    *("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"),
    *("1.2.840.10008.1.2.5", "1.2.3.4", ""),
    *(f"1.2.840.10008.1.2.4.{last}" for last in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)),
]
_PIXELS = 0x7FE00010
_MEANING = (  # what the pixels are, and where: (0028,xxxx) and the number of frames
    *(0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101),
    *(0x00280102, 0x00280103, 0x00280120, 0x00281050, 0x00281051, 0x00281052, 0x00281053),
    *(0x00280030, 0x00200032, 0x00200037, 0x00080005, 0x7FE00001, 0x7FE00008, _PIXELS),
)


def _any(file: Tree, draw: random.Random) -> tuple[list[Element], int]:
    elements = lists(file.root, draw)
    if not elements:
        file.root.append(Element(0x00100020, "LO", b"1 "))
        elements = file.root
    return elements, draw.randrange(len(elements))


def vr(file: Tree, draw: random.Random) -> None:
    elements, at = _any(file, draw)
    elements[at].vr = draw.choice(_VRS)


def length(file: Tree, draw: random.Random) -> None:
    elements, at = _any(file, draw)
    true = len(elements[at].value)
    more = [true + 1, true + 2, max(true - 1, 0), max(true - 2, 0), 0]
    elements[at].length = draw.choice([*more, UNDEFINED, UNDEFINED - 1, 2**31, 2**16 - 1])


def value(file: Tree, draw: random.Random) -> None:
    elements, at = _any(file, draw)
    number = struct.pack(">H" if file.big else "<H", draw.choice(NUMBERS) & 0xFFFF)
    text = draw.choice(TEXTS)
    other = elements[at].value + draw.randbytes(2), elements[at].value[:-2]
    new = [number, number * 2, text, text + b" " * (len(text) % 2), draw.randbytes(4), *other]
    elements[at].value = draw.choice(new)


def meaning(file: Tree, draw: random.Random) -> None:
    """Another number where pixels are described."""
    found = [one for one in file.root if one.tag in _MEANING and len(one.value) == 2]
    if found:
        order = ">H" if file.big else "<H"
        draw.choice(found).value = struct.pack(order, draw.choice(NUMBERS) & 0xFFFF)


def order(file: Tree, draw: random.Random) -> None:
    elements, at = _any(file, draw)
    elements.insert(draw.randrange(len(elements)), elements.pop(at))


def behind(file: Tree, draw: random.Random) -> None:
    """An element behind the pixels, of the file or new."""
    elements, at = _any(file, draw)
    moved = elements.pop(at) if draw.random() < 0.5 else copy.deepcopy(elements[at])
    if draw.random() < 0.3:
        moved.tag = draw.choice(_MEANING)
    file.root.append(moved)


def twice(file: Tree, draw: random.Random) -> None:
    elements, at = _any(file, draw)
    again = copy.deepcopy(elements[at])
    if draw.random() < 0.5:
        again.value = draw.choice(TEXTS)
    elements.insert(draw.choice([at, at + 1, len(elements)]), again)


def gone(file: Tree, draw: random.Random) -> None:
    elements, at = _any(file, draw)
    del elements[at]


def strange(file: Tree, draw: random.Random) -> None:
    """A group length, a private element, an item or a delimiter where none belongs."""
    elements, at = _any(file, draw)
    group = elements[at].tag & 0xFFFF0000
    new = [
        Element(group, "UL", struct.pack("<I", draw.choice(NUMBERS))),
        Element(0x00290010, "LO", b"A MAKER "),
        Element(0x00291001, draw.choice(_VRS), draw.randbytes(6)),
        Element(draw.choice([ITEM, ITEM_END, SEQUENCE_END]), "", length=draw.choice([0, 8])),
        Element(draw.choice([0x00000000, 0x00020010, 0xFFFCFFFC, 0xFFFFFFFF]), "OB", bytes(8)),
        Element(draw.choice(_MEANING), draw.choice(_VRS), draw.choice(TEXTS)),
    ]
    elements.insert(at, draw.choice(new))


def nested(file: Tree, draw: random.Random) -> None:
    """A sequence around elements, or many around each other."""
    elements, at = _any(file, draw)
    inner = [copy.deepcopy(one) for one in elements[at : at + draw.randrange(4)]]
    tag = draw.choice([0x00081140, 0x52009229, 0x52009230, 0x00283000, 0x00283010, 0x00289145])
    for _ in range(draw.choice([1, 1, 2, 3, 30])):
        items = [inner] * draw.choice([0, 1, 1, 1, 2, 3]) if inner else []
        inner = [Element(tag, "SQ", items=items, open=draw.random() < 0.5)]
    elements.insert(at, inner[0] if inner else Element(tag, "SQ", items=[]))


def opened(file: Tree, draw: random.Random) -> None:
    """Another way to end a sequence, or none."""
    found = [one for one in file.root if one.items is not None or one.fragments is not None]
    if found:
        one = draw.choice(found)
        one.open, one.ended = draw.random() < 0.5, draw.random() < 0.5


def fragments(file: Tree, draw: random.Random) -> None:
    """Fragments split, joined, lost, doubled, turned around, empty or damaged."""
    for one in file.root:
        parts = one.fragments
        if not parts or len(parts) < 2:
            continue
        at = draw.randrange(1, len(parts))
        match draw.randrange(7):
            case 0:
                cut = draw.randrange(len(parts[at]) + 1)
                parts[at : at + 1] = [parts[at][:cut], parts[at][cut:]]
            case 1:
                parts[at : at + 2] = [b"".join(parts[at : at + 2])]
            case 2:
                del parts[at]
            case 3:
                parts.insert(at, parts[at])
            case 4:
                parts[1:] = parts[:0:-1]
            case 5:
                parts.insert(at, b"")
            case _:
                parts[at] = scratched(parts[at], draw)


def tables(file: Tree, draw: random.Random) -> None:
    """An offset table, basic or extended, right or not."""
    one = next((one for one in file.root if one.fragments), None)
    if one is None or not one.fragments:
        return
    sizes = [len(part) for part in one.fragments[1:]]
    starts = [sum(sizes[:at]) + 8 * at for at in range(len(sizes))]
    if starts and draw.random() < 0.7:
        _spoiled(starts, sizes, draw)
    if draw.random() < 0.6:
        one.fragments[0] = b"".join(struct.pack("<I", start) for start in starts)
    if draw.random() < 0.5:
        for tag, numbers in ((0x7FE00001, starts), (0x7FE00002, sizes)):
            table = b"".join(struct.pack("<Q", number) for number in numbers)
            if draw.random() < 0.9:
                file.root.insert(-1, Element(tag, "OV", table))


def _spoiled(starts: list[int], sizes: list[int], draw: random.Random) -> None:
    """One thing wrong in where frames begin and how long they are."""
    at = draw.randrange(len(starts))
    match draw.randrange(6):
        case 0:
            starts[at] = max(0, starts[at] + draw.choice([-8, -2, 2, 8, 2**30]))
        case 1:
            starts.insert(0, starts.pop(at))
        case 2:
            del starts[at]
        case 3:
            starts.append(draw.choice([*starts, sum(sizes) + 8 * len(sizes)]))
        case 4:
            sizes[at] = max(0, sizes[at] + draw.choice([-2, -1, 1, 8, 2**40]))
        case _:
            starts[at] = draw.choice(starts)


def meta(file: Tree, draw: random.Random) -> None:
    """Another transfer syntax, or file meta information that is wrong."""
    match draw.randrange(6):
        case 0 | 1 | 2:
            name = draw.choice(_SYNTAXES).encode()
            file.meta[-1].value = name + b"\0" * (len(name) % 2)
        case 3:
            file.group_length = draw.choice(NUMBERS)
        case 4:
            file.meta.insert(draw.randrange(4), copy.deepcopy(draw.choice(file.meta)))
        case _:
            draw.choice(file.meta).vr = draw.choice(_VRS)


def way(file: Tree, draw: random.Random) -> None:
    """Written in another way than the transfer syntax says."""
    match draw.randrange(4):
        case 0:
            file.implicit = not file.implicit
        case 1:
            file.big = not file.big
        case 2:
            file.deflated = not file.deflated
        case _:
            file.tail = draw.choice([bytes(8), b"\n", draw.randbytes(13), bytes(512)])


EDITS: list[Callable[[Tree, random.Random], None]] = [
    *(vr, length, value, value, meaning, meaning, order, behind, behind, twice, twice, gone),
    *(strange, strange, nested, opened, fragments, fragments, tables, tables, tables, meta, way),
]
