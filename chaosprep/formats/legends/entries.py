"""What a legend says, entry by entry, as every kind of file gives it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from chaosprep.errors import FileError
from chaosprep.facts import Code
from chaosprep.structures import folded

HIGHEST = 65535
"""Of the values of a label map of 16 bits."""
LONGEST = 200
"""Letters of a name."""
NOT_USED = "(none)"
"""How 3D Slicer calls an entry of a colour table that is not used."""

_NUMBER = re.compile(r"\d{1,5}", re.ASCII)
_RANGE = re.compile(r"(\d{1,5})\s*\.\.\s*(\d{1,5})", re.ASCII)
_COLOR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE | re.ASCII)
_CODE_LONGEST = (
    16,
    64,
    64,
)  # of a Coding Scheme Designator, a Code Value, a Code Meaning (PS3.5 6.2)


class LevelRange(msgspec.Struct, frozen=True, tag=True):
    """Grey levels, both ends included."""

    low: int
    high: int


class Color(msgspec.Struct, frozen=True, tag=True):
    """A colour of 8 bits a channel."""

    red: int
    green: int
    blue: int

    @property
    def channels(self) -> tuple[int, int, int]:
        """Red, green and blue."""
        return self.red, self.green, self.blue


Key = int | LevelRange | Color
"""What stands in a mask for a structure."""


class Entry(NamedTuple):
    """A line of a legend: the key as it is written (`key_of`), the name and the code."""

    key: str
    name: str
    code: Code | None = None


@dataclass(frozen=True)
class LegendFormat:
    """A kind of files that say what values stand for.

    ``endings`` are those of its files, ``knows`` tells by the text whether a file of them is one,
    and ``read`` gives its entries, without the background.
    """

    name: str
    endings: tuple[str, ...]
    knows: Callable[[str], bool]
    read: Callable[[str], list[Entry]]


def no_legend(
    reason: str, remedy: str = "Give each structure one whole number from 1 to 65535."
) -> FileError:
    """The error of what cannot be understood as a legend."""
    return FileError(reason, remedy, code="labels")


def without_background(entries: Iterable[Entry]) -> list[Entry]:
    """Entries without that of 0, whatever a file calls it (`Clear Label`, `Unknown`)."""
    return [one for one in entries if key_of(one.key) != 0]


def apart(entries: Sequence[Entry]) -> list[Entry]:
    """Entries of which no two have one name: such names get their number, `lesion-2`.

    Tables that go with a program, not with masks, have such names (`Left-fimbria` and
    `left_fimbria` in FreeSurfer's).
    """
    names = [folded(one.name[: LONGEST + 1]) for one in entries]
    times = Counter(names)
    return [
        one._replace(name=f"{one.name}-{int(one.key)}") if times[name] > 1 else one
        for name, one in zip(names, entries, strict=True)
    ]


def key_of(text: str) -> Key | None:
    """The key that a text writes: `3`, `55..70`, `#ff0000` or `#f00`; None where it is none."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return int(text) if int(text) <= HIGHEST else None
    if found := _RANGE.fullmatch(text):
        low, high = int(found[1]), int(found[2])
        return LevelRange(low, high) if low <= high <= HIGHEST else None
    if _COLOR.fullmatch(text):
        digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])
        return Color(*bytes.fromhex(digits))
    return None


def key_text(key: Key) -> str:
    """A key as `key_of` reads it."""
    match key:
        case LevelRange():
            return f"{key.low}..{key.high}"
        case Color():
            return f"#{key.red:02x}{key.green:02x}{key.blue:02x}"
        case _:
            return str(key)


def code_of(parts: Sequence[object]) -> Code:
    """A code of its scheme, value and meaning.

    Raises:
        FileError: `labels`, they are not what DICOM can write.
    """
    texts = [part.strip() for part in parts if isinstance(part, str)]
    if len(parts) != 3 or [len(text) > 0 for text in texts] != [True] * 3:
        raise no_legend("a code is not three texts", _CODE)
    if any(len(text) > most for text, most in zip(texts, _CODE_LONGEST, strict=True)):
        raise no_legend("a code is longer than DICOM can write", _CODE)
    if not all(text.isprintable() and "\\" not in text for text in texts):
        raise no_legend("a code has characters that DICOM cannot write", _CODE)
    return Code(*texts)


_CODE = 'Give the scheme, the value and the meaning: ["SCT", "10200004", "Liver"].'
