"""Which sequences are wanted, and what a series of each must be: `--select` and `--series`."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from chaosprep.errors import UsageError
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.headers.criteria import Criterion, parse
from chaosprep.layouts.layout import Pick, Where
from chaosprep.toml import read_toml
from chaosprep.words import there_are

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}")
_PICKS: tuple[str, ...] = get_args(Pick)


@dataclass(frozen=True)
class Selection:
    """What one sequence is made of: of each patient the volume that fits all ``criteria``.

    ``sequence`` is what it is called; empty where a volume keeps its own name.
    """

    sequence: str
    criteria: tuple[Criterion, ...]
    pick: Pick | None = None

    def fits(self, volume: Volume) -> bool:
        """Whether a volume is all that it must be."""
        return all(one.holds(volume) for one in self.criteria)

    @property
    def names(self) -> bool:
        """Whether it asks for a series by what this is called."""
        return any(one.names for one in self.criteria)


def read_selections(where: Where) -> tuple[Selection, ...]:
    """What a user asked for; none where nothing was said.

    Raises:
        UsageError: `select` or `series-file`, it cannot be understood.
    """
    asked = tuple(parse(text, "--select") for text in where.select)
    if where.series is None:
        return (Selection("", asked, where.pick),) if asked else ()
    tables = _read(where.series).items()
    return tuple(_selection(name, table, asked, where.pick) for name, table in tables)


def series_text(path: str) -> str:
    """What a file of `--series` says, for the manifest.

    Raises:
        UsageError: `series-file`, it cannot be read.
    """
    return json.dumps(_read(path), ensure_ascii=False)


def _read(path: str) -> dict[str, dict[str, Any]]:
    tables = read_toml(Path(path), "series-file", "--series ")
    folded = [name.casefold() for name in tables]
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise _unfit(path, f"{name} is in no table", "Put a [name] above it.")
        if not _NAME.fullmatch(name) or folded.count(name.casefold()) > 1:
            raise _unfit(
                path,
                f"[{name}] cannot be the name of a sequence, or is also there in another case",
                "Name each with letters, digits, points and hyphens: [t1-in].",
            )
    if not tables:
        raise _unfit(path, "it names no sequence", "Write [t1-in], and below it what it must be.")
    return tables


def _selection(
    name: str, table: Mapping[str, Any], asked: Sequence[Criterion], pick: Pick | None
) -> Selection:
    place = f"--series [{name}]"
    said = {key: value for key, value in table.items() if key != "pick"}
    chosen = table.get("pick", pick)
    if chosen not in (None, *_PICKS):
        raise UsageError(f"{place}: pick = {chosen}", there_are(_PICKS, [str(chosen)]), "select")
    criteria = (parse(f"{key}={_written(value, key, place)}", place) for key, value in said.items())
    return Selection(name, (*criteria, *asked), chosen)


def _written(value: object, key: str, place: str) -> str:
    """A value of a table as `--select` has it; a list holds alternatives."""
    values = value if isinstance(value, list) and value else [value]
    for one in values:
        if not isinstance(one, str | int | float) or isinstance(one, bool):
            raise UsageError(
                f"{place}: {key}: it is neither a text nor a number",
                'Write EchoTime = "4..5", slices = 48 or SeriesDescription = ["*DUAL*", "*VIBE*"].',
                code="select",
            )
    return "|".join(map(str, values))


def _unfit(path: str, reason: str, remedy: str) -> UsageError:
    return UsageError(f"--series {path}: {reason}", remedy, "series-file")
