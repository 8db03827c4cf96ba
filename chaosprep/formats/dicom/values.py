"""Header values from raw elements: what is empty or no number counts as missing.

pydicom's converted values would warn (and show the value) or raise. Every function looks through
``sources``, data sets in order of precedence (see `frames`): the first that has a value counts.
"""

import math
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from chaosprep.errors import FileError
from chaosprep.formats.dicom.faults import broken
from chaosprep.formats.dicom.tags import TAGS

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SHORT = (None, "US", "SS", "UN")  # None: implicit VR
_MAX_NUMBERS = 16
_MAX_SEQUENCE = 16 * 2**20  # bytes; pydicom makes an object of each of its elements


class Elements(Protocol):
    """A data set: one of pydicom's, or of `plain`'s, which has no sequences."""

    def get_item(self, key: int, /) -> object:
        """Give the element of a tag, with its ``VR``, ``value`` and ``is_little_endian``."""


def raw(dataset: Elements, keyword: str) -> tuple[Any, bytes]:
    """Give an element and its value as stored; empty where there is none."""
    element: Any = dataset.get_item(TAGS[keyword])
    if element is None:
        return None, b""
    value = element.value
    if isinstance(value, bytes):
        return element, value
    if keyword == "SpecificCharacterSet" and value:
        several = [value] if isinstance(value, str) else value  # pydicom has converted this one
        return element, "\\".join(map(str, several)).encode("ascii", "replace")
    return element, b""


def text(sources: Sequence[Elements], keyword: str, encoding: str = "ascii") -> str:
    """Read text without its padding; empty where it is missing."""
    for dataset in sources:
        _, value = raw(dataset, keyword)
        if value and (found := value.decode(encoding, "replace").strip(" \0")):
            return found
    return ""


def numbers(sources: Sequence[Elements], keyword: str) -> tuple[float, ...]:
    """Read the decimals of a text value (DS, IS); none where one of them is no finite number."""
    return _decimals(text(sources, keyword))


@lru_cache(maxsize=256)  # the slices of a series share most of them
def _decimals(values: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in values.split("\\"))
    except ValueError:
        return ()
    return found if all(map(math.isfinite, found)) else ()


def number(sources: Sequence[Elements], keyword: str) -> float | None:
    """Read the first of possibly many decimals."""
    values = numbers(sources, keyword)
    return values[0] if values else None


def double(sources: Sequence[Elements], keyword: str) -> float | None:
    """Read the first of a binary value's doubles (FD)."""
    for dataset in sources:
        element, value = raw(dataset, keyword)
        if len(value) >= 8:
            order = "<" if element.is_little_endian else ">"
            found = float(struct.unpack_from(f"{order}d", value)[0])
            return found if math.isfinite(found) else None
    return None


def unsigned(dataset: Elements, keyword: str) -> int | None:
    """Read a binary unsigned short (US); None where it is missing, or is something else."""
    element, value = raw(dataset, keyword)
    if len(value) != 2 or element.VR not in _SHORT:
        return None
    return int.from_bytes(value, "little" if element.is_little_endian else "big")


def binary(sources: Sequence[Elements], keyword: str) -> str:
    """Read a binary unsigned number (US, UL) as decimal text; empty where it is missing."""
    for dataset in sources:
        element, value = raw(dataset, keyword)
        if len(value) in (2, 4):
            return str(int.from_bytes(value, "little" if element.is_little_endian else "big"))
    return ""


def binaries(sources: Sequence[Elements], keyword: str, kind: str) -> tuple[str, ...]:
    """Read all of a binary value's numbers, of a kind of `struct`, as decimal text."""
    for dataset in sources:
        element, value = raw(dataset, keyword)
        count = len(value) // struct.calcsize(kind)
        if 0 < count <= _MAX_NUMBERS:
            order = "<" if element.is_little_endian else ">"
            found = struct.unpack_from(f"{order}{count}{kind}", value)
            return tuple(str(number) if kind == "I" else f"{number:.6g}" for number in found)
    return ()


def required(dataset: Elements, keyword: str) -> int:
    """Read an unsigned short that every image must have. Raises `FileError` ``dicom-broken``."""
    value = unsigned(dataset, keyword)
    if value is None:
        raise broken(f"the header has no usable {keyword}")
    return value


def items(dataset: Elements, keyword: str) -> Sequence[Elements]:
    """Give the items of a sequence; none where it is missing, or no sequence.

    Raises `FileError` ``too-large`` for a sequence of more than 16 MiB.
    """
    element, value = raw(dataset, keyword)
    if element is None:
        return ()
    from pydicom.sequence import Sequence as Items

    if len(value) > _MAX_SEQUENCE:
        raise FileError(f"its {keyword} is above 16 MiB", "Check the file.", "too-large")
    found = cast("Dataset", dataset)[keyword].value
    return found if isinstance(found, Items) else ()
