"""What results show in a notebook: tables, lines and pictures as HTML by itself, all escaped."""

from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import PurePath
from typing import Any, Final

from chaosprep.printable import printable

MOST: Final = 30
"""Rows of a table, or lines, at most: what goes into a notebook is saved with it."""
_LEFT, _RIGHT = "left", "right"


def text(told: str) -> str:
    """A text of others as HTML shows it, as one line."""
    from html import escape

    return escape(printable(told))


def title(told: str) -> str:
    """A line above the rest."""
    return f"<p>{text(told)}</p>"


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Collection[str] = (),
    more: str = "",
) -> str:
    """A table, whose words stand at the left and whose numbers at the right.

    Args:
        heads: what stands above the columns.
        rows: the cells of each row.
        numbers: the heads of columns of numbers.
        more: where the rest of the rows is, if there are more than `MOST`; empty shows all.
    """
    every = list(rows)
    few = every[:MOST] if more else every
    sides = [_RIGHT if head in numbers else _LEFT for head in heads]
    made = [_row("th", heads, sides), *(_row("td", row, sides) for row in few)]
    return f"<table>{''.join(made)}</table>{_left(len(every) - len(few), more)}"


def _row(tag: str, cells: Sequence[str], sides: Sequence[str]) -> str:
    made = (
        f'<{tag} style="text-align:{side}">{text(cell)}</{tag}>'
        for cell, side in zip(cells, sides, strict=True)
    )
    return f"<tr>{''.join(made)}</tr>"


def lines(told: Iterable[str], *, more: str = "") -> str:
    """Lines below each other, as they stand in a terminal; `more` as in `table`."""
    every = list(told)
    few = every[:MOST] if more else every
    block = f"<pre>{'<br>'.join(map(text, few))}</pre>" if few else ""
    return f"{block}{_left(len(every) - len(few), more)}"


def _left(count: int, more: str) -> str:
    return title(f"and {count} more in {more}") if count > 0 else ""


def picture(png: bytes, told: str, width: int | None = None) -> str:
    """A PNG in the page itself, with a text for whoever cannot see it; `width` in pixels."""
    wide = "" if width is None else f' width="{width}"'
    data = b64encode(png).decode()
    return f'<img src="data:image/png;base64,{data}"{wide} alt="{text(told)}">'


def link(path: PurePath, told: str) -> str:
    """A link to a file below the folder of the notebook, on a page of its own."""
    from urllib.parse import quote

    return f'<p><a href="{quote(path.as_posix())}" target="_blank">{text(told)}</a></p>'


@dataclass(frozen=True)
class Picture:
    """A picture that a notebook shows; ``png`` is the file that it would be."""

    png: bytes = field(repr=False)

    def _repr_png_(self) -> bytes:
        return self.png


def shown_by(module: str, function: str) -> Callable[[Any], str | None]:
    """A `_repr_html_` that a function of another module makes, imported when it is called.

    A class of results stands below the tables that are made of it.
    """

    def _repr_html_(self: object) -> str | None:
        made: str | None = getattr(import_module(module), function)(self)
        return made

    _repr_html_.__doc__ = "What a notebook shows."
    return _repr_html_
