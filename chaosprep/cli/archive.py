"""What `chaosprep inspect` shows of a root that headers tell: a table a person can choose from."""

import shlex
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import click

from chaosprep.cli.output import say, told
from chaosprep.printable import printable
from chaosprep.quality.archive_rows import NUMBERS, kind_rows, spread, volume_row
from chaosprep.quality.archived import Archive, Kind, Other
from chaosprep.words import shortened

_RIGHT = (*NUMBERS, "St")
_LEAST, _LONGEST = 12, 40  # letters of a name
_LETTERS = dict.fromkeys(
    ("Description", "St", "Mod", "Plane", "Patients", "Slices", "Matrix", "mm", "TE b t"), 30
) | {"Masks": 40, "Taken": 30, "Taken or why not": 30}
"""The most letters of the other columns."""


def show(found: Archive, asked: Mapping[str, Any], *, whole: bool) -> None:
    """A line for each kind of series, or the volumes of each patient; then the rest, then the sum.

    ``asked`` are the options that somebody gave.
    """
    for line in _volumes(found) if whole or asked.get("patient") else _table(kind_rows(found)):
        click.echo(printable(line).rstrip())
    for line in told("Problem: ", found.problems, whole):
        say(line)
    for note in found.notes:
        say(f"Note: {note}")
    for line in (*_others(found.others), *_next(found, asked)):
        click.echo(printable(line))
    click.echo(found.told)


def _volumes(found: Archive) -> list[str]:
    """The volumes of each patient, below their id."""
    lines = []
    rows = [volume_row(view) for view in found.volumes]
    table = _table(rows)
    lines += table[:1]
    pairs = zip(found.volumes, table[1:], strict=True)
    for patient, own in groupby(pairs, lambda pair: pair[0].patient):
        lines += [patient, *(line for _, line in own)]
    return lines


def _table(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Rows as lines as wide as the terminal: what all rows lack is no column, names are cut.

    Descriptions are shown where there is room for them.
    """
    if not rows:
        return []
    several = len({row["Mod"] for row in rows}) > 1
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    names = [name for name in names if name != "Mod" or several]
    room = shutil.get_terminal_size((80, 24)).columns
    longest = min(_LONGEST, max(len(row["Series"]) for row in rows))
    if _width(rows, [name for name in names if name != "Series"]) + longest > room:
        names = [name for name in names if name != "Description"]
    wide = max(_LEAST, min(longest, room - _width(rows, names[1:])))
    cut = [{name: shortened(row[name], _LETTERS.get(name, wide)) for name in names} for row in rows]
    cut.insert(0, {name: name for name in names})
    widths = {name: max(len(row[name]) for row in cut) for name in names}
    return [
        " ".join(
            f"{text:>{widths[name]}}" if name in _RIGHT else f"{text:{widths[name]}}"
            for name, text in row.items()
        )
        for row in cut
    ]


def _width(rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> int:
    """The letters of some columns, with a space before each."""
    every = ([name, *(row[name][: _LETTERS[name]] for row in rows)] for name in names)
    return sum(1 + max(map(len, column)) for column in every)


def _others(others: Iterable[Other]) -> list[str]:
    """`Also there: localizer: 50 (3 slices each), report: 50`."""
    said = []
    for one in others:
        low, high = one.pictures
        each = f" ({spread(one.pictures, 'd')} slices each)" if high > 1 or low > 1 else ""
        said.append(f"{one.what}: {one.count}{each}")
    width = shutil.get_terminal_size((80, 24)).columns
    text = f"Also there: {', '.join(said)}"
    return textwrap.wrap(text, width, subsequent_indent="  ") if said else []


def _next(found: Archive, asked: Mapping[str, Any]) -> list[str]:
    """The command that comes next: what was asked for here, or the kind that most patients have."""
    given = {name: value for name, value in asked.items() if name not in ("jobs", "patient")}
    words = [
        word
        for name, value in given.items()
        for one in (
            [value] if isinstance(value, str) else value if isinstance(value, tuple) else []
        )
        for word in (f"--{name.replace('_', '-')}", str(one))
    ]
    words += ["--trust-folders"] if given.get("trust_folders") else []
    chosen = given.keys() & {"select", "series", "pick"}
    if not chosen:
        best = max(
            found.kinds, key=lambda kind: (sum(kind.refers.values()), kind.patients), default=None
        )
        if best is None:
            return []
        words += ["--select", f"name={best.name}"]
        words += ["--pick", _better_end(found, best)] if best.volumes > best.patients else []
    command = shlex.join(["chaosprep", "split", str(found.root), "-o", "split", *words])
    return [f"Next: {command}"]


def _better_end(found: Archive, kind: Kind) -> str:
    """Whether the first or the last of each patient's volumes of a kind has more often a mask."""
    own = [view for view in found.volumes if (view.name, view.plane) == (kind.name, kind.plane)]
    own.sort(key=lambda view: (view.study, view.series))
    last = {view.patient: bool(view.refers) for view in own}
    first = {view.patient: bool(view.refers) for view in reversed(own)}
    return "first" if sum(first.values()) > sum(last.values()) else "last"
