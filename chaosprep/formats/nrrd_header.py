"""The header of a NRRD file: lines of text (teem.sourceforge.net/nrrd/format.html)."""

import re
from dataclasses import dataclass

from chaosprep.formats.stored import MOST_HEADER, is_list, unreadable

_MAGIC = re.compile(rb"NRRD000[1-5]\r?\n")
_END = re.compile(rb"\n\r?\n")

# By their names without spaces: some may be written with one or without.
_SYNONYMS = {"centers": "centerings"}
_FIELDS = frozenset(
    (
        "type",
        "dimension",
        "sizes",
        "encoding",
        "endian",
        "datafile",
        "lineskip",
        "byteskip",
        "content",
        "blocksize",
        "number",
        "min",
        "max",
        "oldmin",
        "oldmax",
        "sampleunits",
        "spacings",
        "thicknesses",
        "axismins",
        "axismaxs",
        "centerings",
        "labels",
        "units",
        "kinds",
        "space",
        "spacedimension",
        "spaceunits",
        "spaceorigin",
        "spacedirections",
        "measurementframe",
    )
)


@dataclass(frozen=True)
class NrrdHeader:
    """The fields of a header by their names in small letters, without spaces; its key/value pairs.

    ``begin`` is the byte behind it.
    """

    fields: dict[str, str]
    pairs: dict[str, str]
    begin: int


def parse(data: bytes) -> NrrdHeader:
    """Read the header of a NRRD file.

    Raises:
        FileError: `mask-unreadable`; a field that stands there twice, or is none, too.
    """
    found = _MAGIC.match(data)
    end = _END.search(data, found.end() - 1 if found else 0, MOST_HEADER)
    if not found or (end is None and len(data) > MOST_HEADER):
        raise unreadable("NRRD")
    begin = len(data) if end is None else end.end()
    text = data[found.end() : begin].decode("utf-8", "replace")
    fields: dict[str, str] = {}
    pairs: dict[str, str] = {}
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line or line.startswith("#"):
            continue
        name, _, value = line.partition(":")
        field = name.replace(" ", "").casefold()
        field = _SYNONYMS.get(field, field)
        if field in _FIELDS and not value.startswith("="):
            if field in fields:
                raise unreadable("NRRD")
            fields[field] = value.strip()
            if field == "datafile" and is_list(fields[field]):
                break
            continue
        key, assigned, value = line.partition(":=")
        if not assigned:
            raise unreadable("NRRD")
        pairs[_plain(key)] = _plain(value)
    return NrrdHeader(fields, pairs, begin)


def _plain(text: str) -> str:
    r"""A key or value with `\n` and `\\` as what they stand for."""
    return re.sub(r"\\([n\\])", lambda found: "\n" if found[1] == "n" else "\\", text)
