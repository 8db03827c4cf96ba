"""The kinds of files that say what values stand for: a new one is one file and one line."""

from chaosprep.formats.legends.color_tables import ITK_SNAP, SLICER
from chaosprep.formats.legends.columns import CSV, TSV
from chaosprep.formats.legends.entries import Entry, LegendFormat, no_legend, without_background
from chaosprep.formats.legends.mapping import JSON

LEGENDS: tuple[LegendFormat, ...] = (JSON, SLICER, ITK_SNAP, CSV, TSV)
MOST = 2**22
"""The largest legend in bytes."""


def endings() -> tuple[str, ...]:
    """The endings of files that can be legends."""
    return tuple(dict.fromkeys(ending for one in LEGENDS for ending in one.endings))


def legend_format(name: str, data: bytes) -> LegendFormat | None:
    """What kind of legend a file is, by its name and its text; None where it is none."""
    text = _text(data)
    fitting = (one for one in LEGENDS if name.casefold().endswith(one.endings))
    return next((one for one in fitting if one.knows(text)), None)


def read_entries(name: str, data: bytes) -> list[Entry]:
    """What a legend says, by the file's name and bytes, without the background.

    Raises:
        FileError: `labels`, it cannot be understood; the reason does not name the file.
    """
    found = legend_format(name, data)
    if found is None:
        kinds = [one.name for one in LEGENDS if name.casefold().endswith(one.endings)]
        raise no_legend(f"it is no {' and no '.join(kinds) or 'legend'}", "Check what it is.")
    return without_background(found.read(_text(data)))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise no_legend("it is not UTF-8 text", "Save it as UTF-8.") from error
