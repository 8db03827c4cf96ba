"""What `--labels` says: which structure each value, grey level or colour of the masks shows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError, UsageError
from chaosprep.facts import Code, Label, Legend
from chaosprep.files import read_regular
from chaosprep.formats.legends.entries import (
    HIGHEST,
    Color,
    Entry,
    Key,
    LevelRange,
    key_of,
    key_text,
    without_background,
)
from chaosprep.formats.legends.joining import joined
from chaosprep.formats.legends.mapping import mapped, read_json
from chaosprep.formats.legends.table import MOST, endings, read_entries
from chaosprep.known import LEVELS, owner
from chaosprep.toml import read_toml
from chaosprep.words import there_are

_TOML = ".toml"


@dataclass(frozen=True)
class LabelTable:
    """Which structure each value, grey level or colour of the masks shows.

    Attributes:
        legend: value -> label, for the whole dataset; never 0, the background.
        keys: what stands in the masks, and its value, in the order in which it was given. All are
            whole numbers, which are their values; or all grey levels; or all colours.
        known: the name of the known table that this is.
    """

    legend: Legend
    keys: tuple[tuple[Key, int], ...]
    known: str | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the masks hold the labels themselves, and not levels or colours."""
        return all(isinstance(key, int) for key, _ in self.keys)

    @property
    def is_identity(self) -> bool:
        """Whether no stored value changes: numbers, none of which is called the background."""
        return all(key == value for key, value in self.keys)

    @property
    def ranges(self) -> tuple[tuple[int, int, int], ...]:
        """Lowest and highest stored value, and the label: ascending, 0 first; none of colours."""
        found = [
            (key.low, key.high, value) if isinstance(key, LevelRange) else (key, key, value)
            for key, value in self.keys
            if not isinstance(key, Color)
        ]
        is_told = not found or any(low == 0 for low, _, _ in found)
        return tuple(sorted(found if is_told else [(0, 0, 0), *found]))

    @property
    def colors(self) -> dict[tuple[int, int, int], int]:
        """Red, green and blue -> label, black included; none of numbers and levels."""
        found: dict[tuple[int, int, int], int] = {
            key.channels: value for key, value in self.keys if isinstance(key, Color)
        }
        return {(0, 0, 0): 0, **found} if found else {}

    def lookup(self) -> NDArray[np.uint16]:
        """The label of every stored value, (65536,).

        A number that has no name stays what it is; a level of no structure is 0 (see `listed`).
        """
        table = np.arange(HIGHEST + 1, dtype=np.uint16) * np.uint16(self.is_kept)
        for low, high, value in self.ranges:
            table[low : high + 1] = value
        return table

    def listed(self) -> NDArray[np.bool_]:
        """Which stored values the table speaks of, (65536,); of 0 it always does."""
        table = np.zeros(HIGHEST + 1, np.bool_)
        for low, high, _ in self.ranges:
            table[low : high + 1] = True
        return table


def table_of(entries: Iterable[Entry]) -> LabelTable:
    """The table of a legend's entries.

    Raises:
        FileError: `labels`, they contradict each other, or a key or a name is none.
    """
    return LabelTable(*joined(entries))


def known_table(name: str) -> LabelTable:
    """A table of grey levels that is known by name (`known.LEVELS`)."""
    codes: Mapping[str, Code] = owner(name).codes
    organs = LEVELS[name].organs
    legend = {one.label: Label(one.name, codes.get(one.name)) for one in organs}
    return LabelTable(legend, tuple((LevelRange(o.low, o.high), o.label) for o in organs), name)


def parse_labels(text: str) -> LabelTable:
    """The table that a text of `--labels` says.

    That is `1=liver,2=spleen`, with whole numbers, grey levels (`55..70=liver`) or colours
    (`#ff0000=liver`); the name of a known table; the path of a legend; or such a legend's JSON
    itself. Numbers stay the values of the labels; where there are levels or colours, structures are
    numbered from 1, in their order, and one that comes again has several keys.

    Raises:
        UsageError: `labels`, it says none, or contradicts itself.
    """
    text = text.strip()
    if text in LEVELS:
        return known_table(text)
    try:
        return table_of(_entries(text))
    except FileError as error:
        raise UsageError(f"--labels: {error.reason}", error.remedy, "labels") from error


def table_text(table: LabelTable) -> str:
    """A table as a text of `--labels`, which `parse_labels` reads again.

    It holds no path, whatever file the table came from. Where a name has a comma, or a structure a
    code, it is JSON.
    """
    if table.known is not None:
        return table.known
    labels = {0: Label("background"), **table.legend}
    said = {key_text(key): labels[value] for key, value in table.keys}
    if any("," in label.name or label.code for label in said.values()):
        plain = {key: label if label.code else label.name for key, label in said.items()}
        return msgspec.json.encode(plain).decode()
    return ",".join(f"{key}={label.name}" for key, label in said.items())


def _entries(text: str) -> Iterable[Entry]:
    if text.startswith("{"):
        return read_json(text)
    first, equals, _ = text.partition("=")
    is_file = text.casefold().endswith((_TOML, *endings()))
    if is_file and key_of(first) is None:
        return _of_file(text)
    if not equals:
        raise UsageError(
            f"--labels: {text!r} is not KEY=NAME, and no table or legend of that name is known",
            f"Write 1=liver,2=spleen, or give a file ({', '.join((_TOML, *endings()))}) or a "
            f"table. {there_are(LEVELS, [text])}",
            code="labels",
        )
    return [*_inline(text)]


def _inline(text: str) -> Iterator[Entry]:
    for part in text.split(","):
        key, equals, name = part.partition("=")
        if not equals:
            raise UsageError(
                f"--labels: {part.strip()[:40]!r} is not KEY=NAME",
                "Write 1=liver,2=spleen; names with a comma go into a file.",
                code="labels",
            )
        yield Entry(key.strip(), name)


def _of_file(text: str) -> Iterable[Entry]:
    """The entries of a file that a person named."""
    path = Path(text)
    if path.suffix.casefold() == _TOML:
        return without_background(mapped(read_toml(path, "labels", "--labels: ")))
    try:
        data = read_regular(path, follow=True, most=MOST)
    except FileError as error:
        is_missing = error.code == "file-missing"
        reason = "there is no such file, nor a table of that name" if is_missing else error.reason
        remedy = f"Check the path. {there_are(LEVELS, [text])}" if is_missing else error.remedy
        raise FileError(f"{text}: {reason}", remedy, "labels") from error
    try:
        return read_entries(path.name, data)
    except FileError as error:
        raise FileError(f"{text}: {error.reason}", error.remedy, "labels") from error
