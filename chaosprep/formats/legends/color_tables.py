"""Colour tables of viewers: 3D Slicer's and FreeSurfer's, and ITK-SNAP's label descriptions."""

import re
from collections.abc import Callable, Iterator

from chaosprep.formats.legends.entries import (
    HIGHEST,
    NOT_USED,
    Entry,
    LegendFormat,
    apart,
    no_legend,
)

_ENDINGS = (".ctbl", ".txt", ".label")
_BEGIN = 4000  # letters in which a comment tells the kind
_Row = Callable[[str], tuple[str, str] | None]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that hold something, with their numbers, from 1."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()


def _colored(line: str) -> tuple[str, str] | None:
    """`index name R G B`, with A or without, and FreeSurfer's class of tissue behind it.

    3D Slicer writes `_` for a space in a name, and may put ticks around it.
    """
    fields = line.split(None, 7)
    if not 5 <= len(fields) <= 7 or not all(map(_is_level, fields[2:6])):
        return None
    if not fields[-1].isdecimal() and len(fields) == 7:
        return None
    return fields[0], fields[1].strip("'")


def _described(line: str) -> tuple[str, str] | None:
    """`index R G B A visible mesh "name"`."""
    fields = line.split(None, 7)
    if len(fields) < 8 or not all(map(_is_level, fields[1:5])):
        return None
    name = fields[7]
    is_quoted = len(name) > 1 and name[0] == name[-1] == '"'
    is_whole = is_quoted and {fields[5], fields[6]} <= {"0", "1"}
    return (fields[0], name[1:-1]) if is_whole else None


def _is_level(text: str) -> bool:
    """Whether a text is a number from 0 to 255."""
    return bool(re.fullmatch(r"\d{1,3}(\.\d{1,20})?(e-\d\d?)?", text)) and float(text) <= 255


def _known(row: _Row, *titles: str) -> Callable[[str], bool]:
    """Tells a kind of tables by a comment at the beginning, or by the first line."""

    def knows(text: str) -> bool:
        first = next(_lines(text), None)
        begin = text[:_BEGIN].casefold()
        return first is not None and (
            row(first[1]) is not None or any(title in begin for title in titles)
        )

    return knows


def _reader(row: _Row) -> Callable[[str], list[Entry]]:
    def read(text: str) -> list[Entry]:
        found: list[Entry] = []
        for number, line in _lines(text):
            one = row(line)
            if one is None or not re.fullmatch(r"\d{1,5}", one[0], re.ASCII):
                raise no_legend(f"line {number} is not a line of a colour table", _REMEDY)
            if int(one[0]) and one[1] != NOT_USED:
                found.append(Entry(*one))
            if len(found) > HIGHEST:
                break
        return apart(found)

    return read


_REMEDY = "Save it again from the program that made it."
SLICER = LegendFormat(
    "colour table of 3D Slicer or FreeSurfer",
    _ENDINGS,
    _known(_colored, "# color table file", "#no. label name"),
    _reader(_colored),
)
ITK_SNAP = LegendFormat(
    "label descriptions of ITK-SNAP",
    _ENDINGS,
    _known(_described, "itk-snap label description file"),
    _reader(_described),
)
