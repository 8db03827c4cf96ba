"""Compressed frames, found by one walk of their fragments (PS3.5 A.4), however they are read."""

import struct
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from chaosprep.formats.dicom.codestreams import starts_image
from chaosprep.formats.dicom.faults import broken, truncated

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"  # always in little endian
_HEAD = 8  # bytes of an item's tag and length
_PADDING = b"\0"  # of the whole, where some writers leave fragments of odd length
_END_OF_IMAGE = b"\xff\xd9"  # of JPEG, JPEG-LS and JPEG 2000 alike
_BASIC, _EXTENDED = "Basic Offset Table", "Extended Offset Table"


class _Fragment(NamedTuple):
    offset: int  # of the item, from the first byte behind the Basic Offset Table
    data: bytes


def find_frames(dataset: "Dataset", frames: int, *, is_rle: bool) -> list[bytes]:
    """Give the compressed frames of a data set, each with its fragments joined.

    An offset table counts where there is one. Without one a single frame has all fragments, as many
    frames as fragments have one each, and fewer JPEG frames begin where an image does.

    Raises `FileError` ``dicom-broken`` (a table that does not rise, points elsewhere than at the
    beginning of a frame, is of another length, or disagrees with the other; fragments that cannot
    be told to frames) or ``dicom-truncated``.
    """
    basic, fragments = _fragments(dataset.PixelData)
    extended = _extended(dataset)
    if extended is not None:
        offsets, lengths = extended
        _check_table(_EXTENDED, offsets, fragments, frames)
        if len(fragments) != len(offsets) or not all(
            one.data[length:] in (b"", b"\0") and length <= len(one.data)  # less the padding
            for one, length in zip(fragments, lengths, strict=True)
        ):
            raise broken(f"its {_EXTENDED} Lengths are not those of the fragments")
    if basic:
        _check_table(_BASIC, basic, fragments, frames)
        starts = {*basic}
        if extended is not None and starts != {*extended[0]}:
            raise broken(f"its {_BASIC} and {_EXTENDED} disagree")
    elif extended is not None:
        starts = {*extended[0]}
    else:
        starts = {fragment.offset for fragment in _firsts(fragments, frames, is_rle)}
    joined: list[list[bytes]] = []
    for fragment in fragments:
        if fragment.offset in starts:
            joined.append([])
        joined[-1].append(fragment.data)
    if len(joined) > frames:
        raise broken(f"the pixel data hold {len(joined)} frames, the header announces {frames}")
    if len(joined) < frames:
        raise truncated(f"the pixel data hold {len(joined)} of {frames} frames")
    return [b"".join(parts) for parts in joined]


def _fragments(value: bytes) -> tuple[list[int], list[_Fragment]]:
    """Read the Basic Offset Table, and the fragments behind it."""
    items: list[bytes] = []
    at = 0
    while at < len(value) and value[at : at + 4] != _END and value[at:] != _PADDING:
        if value[at : at + 4] != _ITEM or at + _HEAD > len(value):
            raise broken("the compressed pixel data are not a sequence of fragments")
        end = at + _HEAD + int.from_bytes(value[at + 4 : at + _HEAD], "little")
        if end > len(value):
            raise truncated("the compressed pixel data end in the middle of a fragment")
        items.append(value[at + _HEAD : end])
        at = end
    table, *parts = items or [b""]
    if len(table) % 4:
        raise broken(f"the length of its {_BASIC} is not a multiple of 4")
    fragments, offset = [], 0
    for part in parts:
        fragments.append(_Fragment(offset, part))
        offset += _HEAD + len(part)
    return list(struct.unpack(f"<{len(table) // 4}I", table)), fragments


def _extended(dataset: "Dataset") -> tuple[list[int], list[int]] | None:
    """Read the two elements of the Extended Offset Table (PS3.3 C.7.6.3.1.8); None without."""
    keywords = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
    values = [dataset.get(keyword) for keyword in keywords]
    if not any(values):
        return None
    tables: list[list[int]] = []
    for value in values:
        if not isinstance(value, bytes) or not value or len(value) % 8:
            raise broken(f"its {_EXTENDED} is not complete")
        tables.append(list(struct.unpack(f"<{len(value) // 8}Q", value)))
    if len(tables[0]) != len(tables[1]):
        raise broken(
            f"its {_EXTENDED} and the table of lengths do not have the same number of entries"
        )
    return tables[0], tables[1]


def _check_table(name: str, offsets: list[int], fragments: list[_Fragment], frames: int) -> None:
    """Check that a table has an entry for each frame, each the beginning of a fragment."""
    starts = {fragment.offset for fragment in fragments}
    if offsets[0] != 0:
        raise broken(f"its {name} does not begin with the first frame")
    if any(later <= offset for offset, later in pairwise(offsets)):
        raise broken(f"its {name} is not ascending")
    if not starts.issuperset(offsets):
        raise broken(f"its {name} points elsewhere than at the beginning of a fragment")
    if len(offsets) < frames:
        raise broken(f"its {name} gives the places of {len(offsets)} of {frames} frames")


def _firsts(fragments: list[_Fragment], frames: int, is_rle: bool) -> list[_Fragment]:
    """Give the fragments that frames begin with, where no table tells it."""
    if frames == 1:
        return fragments[:1]
    if len(fragments) <= frames or is_rle:  # an RLE frame is one fragment: PS3.5 A.4.2
        return fragments
    begun = [fragment for fragment in fragments if starts_image(fragment.data)]
    ended = [index for index, one in enumerate(fragments, 1) if _END_OF_IMAGE in one.data[-10:]]
    if begun != [fragments[index] for index in (0, *ended) if index < len(fragments)]:
        raise broken("its fragments cannot be assigned to frames, and no table does so")
    return begun
