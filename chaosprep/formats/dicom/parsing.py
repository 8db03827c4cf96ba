"""The data set of a file, and the order of its elements: each once, none behind the pixels."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING

from chaosprep.errors import BROKEN
from chaosprep.formats.dicom.faults import broken
from chaosprep.formats.dicom.tags import TAGS

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pydicom.tag import BaseTag

PIXELS = {
    0x7FE00010: "PixelData",
    0x7FE00008: "FloatPixelData",
    0x7FE00009: "DoubleFloatPixelData",
}
_TABLES = {0x7FE00001: "ExtendedOffsetTable", 0x7FE00002: "ExtendedOffsetTableLengths"}
_READ = {tag: keyword for keyword, tag in TAGS.items()} | _TABLES | PIXELS
_HEAD = 8  # bytes of the shortest element
_LARGE = 2**16  # bytes of a value that is passed over where only its tag counts


def parse(stream: BytesIO, *, header_only: bool) -> "tuple[Dataset, list[int]]":
    """Parse a file; also give the tags of its root in the order of the file.

    With ``header_only`` the data set has the elements before the pixels. Their tags are still given
    with those behind, as far as the file goes.
    """
    from pydicom.filereader import read_partial

    order: list[int] = []
    last, implicit = 0, False

    def note(tag: "BaseTag", vr: str | None, length: int) -> bool:
        nonlocal last, implicit
        implicit = vr is None
        if stream.tell() - last >= _HEAD:  # else pydicom only looks how the first is written
            order.append(int(tag))
        last = stream.tell()
        return header_only and tag in PIXELS

    dataset = read_partial(stream, note)
    if header_only:
        order += _behind(stream, implicit, bool(dataset.original_encoding[1]))
    return dataset, order


def check_order(order: Sequence[int]) -> None:
    """Check that no element that the toolkit reads is there twice, or comes after the pixels.

    Programs differ in which of two counts, and in whether they read on behind the pixels. Raises
    `FileError` ``dicom-broken``.
    """
    counts = Counter(order)
    found = [_READ[tag] for tag in counts if tag in _READ and counts[tag] > 1]
    if found:
        raise broken(f"its header has {found[0]} more than once")
    if len(PIXELS.keys() & counts) > 1:
        raise broken("it has both integer and float pixels")
    first = next(at for at, tag in enumerate(order) if tag in PIXELS)
    found = [_READ[tag] for tag in order[first + 1 :] if tag in _READ]
    if found:
        raise broken(f"{found[0]} comes after the pixels")


def _behind(stream: BytesIO, implicit: bool, little: bool) -> list[int]:
    """Give the tags behind the pixels; what is cut off there is no matter of the header."""
    from pydicom.filereader import data_element_generator

    order: list[int] = []
    with suppress(*BROKEN):
        found = data_element_generator(stream, implicit, little, defer_size=_LARGE)
        order += (int(element.tag) for element in islice(found, 1, None))
    return order
