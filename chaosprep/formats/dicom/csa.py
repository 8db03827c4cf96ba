"""Siemens' CSA header: a list of named texts inside of one private element.

``SV10`` and four bytes, the number of tags, and four bytes. A tag has its name in 64 bytes and,
behind other numbers, how many items it has; an item has its length as the second of four numbers,
and its text, filled up to a multiple of four bytes. Numbers are little-endian, of 32 bits.
"""

import struct
from collections.abc import Collection, Iterator

from chaosprep.formats.dicom.faults import broken

_START, _COUNT_AT, _TAGS_AT = b"SV10", 8, 16
_COUNT = struct.Struct("<I")
_TAG = struct.Struct("<64s12xI4x")
_ITEM = struct.Struct("<4xI8x")
_MAX_BYTES = 4 * 2**20  # a header with the whole protocol in it has some 200 KiB


def read_csa(data: bytes, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Read the items of some tags, without those that are empty; nothing from other kinds of data.

    Raises `FileError` ``dicom-broken`` for a header that does not fit its own lengths.
    """
    if not data.startswith(_START):
        return {}
    if len(data) > _MAX_BYTES:
        raise broken("its CSA header is above 4 MiB")
    try:
        return {name: items for name, items in _tags(data) if name in names and items}
    except struct.error:
        raise broken("its CSA header is damaged") from None


def _tags(data: bytes) -> Iterator[tuple[str, tuple[str, ...]]]:
    (tags,), at = _COUNT.unpack_from(data, _COUNT_AT), _TAGS_AT
    for _ in range(tags):
        name, count = _TAG.unpack_from(data, at)
        at += _TAG.size
        items = []
        for _ in range(count):
            (length,) = _ITEM.unpack_from(data, at)
            at += _ITEM.size
            if at + length > len(data):
                raise struct.error
            items.append(_text(data[at : at + length]))
            at += length + -length % 4
        yield _text(name), tuple(filter(None, items))


def _text(value: bytes) -> str:
    return value.partition(b"\0")[0].decode("latin-1").strip()
