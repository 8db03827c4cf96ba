"""What notebooks show of a dataset or a case: a table and a few pictures, as HTML by itself."""

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chaosprep import html
from chaosprep.dataset.descriptor import SplitCounts
from chaosprep.dataset.outlines import organ_names
from chaosprep.dataset.records import Slice, Split
from chaosprep.dataset.tiles import (
    Colour,
    Shown,
    display_window,
    draw,
    faced,
    grey,
    organ_colours,
    spread,
)
from chaosprep.errors import ChaosprepError

PICTURES: Final = 6
"""At most so many, of so many cases: what is not shown is not read, however much there is."""

_SIDE: Final = 144  # pixels
_HEADS = ("", "patients", "cases", "slices")


def shown(
    title: str,
    directory: Path,
    cases: Sequence[Shown],
    counts: Mapping[Split, SplitCounts] | None = None,
) -> str:
    """The HTML: a title, a table of the sides, and the fullest slices of cases spread evenly.

    It names ids, paths and organs, no value of a header. What cannot be read is a line that says
    so.
    """
    parts = [f"<p>{html.text(title)}<br><code>{html.text(str(directory))}</code></p>"]
    if counts:
        sides = [_side(side, count) for side, count in counts.items() if count.cases]
        parts.append(html.table(_HEADS, sides, numbers=_HEADS[1:]))
    try:
        chosen = spread(cases, PICTURES)
    except (ChaosprepError, OSError) as error:
        return "".join([*parts, _line(error)])
    colours = organ_colours(chosen)
    pictures = [one for case in chosen for one in _pictures(case, PICTURES // len(chosen), colours)]
    style = "display:flex;flex-wrap:wrap;gap:6px"
    parts.append(f'<div style="{style}">{"".join(pictures)}</div>')
    masked = (row for case in chosen for row in case.slices if row.mask)
    shown = {organ for row in masked for organ in organ_names(row)}
    named = (_named(organ, colour) for organ, colour in colours.items() if organ in shown)
    parts.append(f"<p>{' '.join(named)}</p>")
    return "".join(parts)


def _side(side: Split, count: SplitCounts) -> list[str]:
    return [side, *map(str, (count.patients, count.cases, count.slices))]


def _pictures(case: Shown, count: int, colours: Mapping[str, Colour]) -> Iterator[str]:
    """The fullest slices of a case, or what is wrong with them."""
    read = []
    for row in _fullest(case.slices, count):
        try:
            read.append((row, case.filled(row), case.mask(row)))
        except (ChaosprepError, OSError) as error:
            yield _line(error, f"{row.id}: ")
    window, turn = display_window(case, {row.id: image for row, image, _ in read}), faced(case)
    for row, image, mask in read:
        yield _figure(row, draw(row, grey(image, window), mask, _SIDE, colours, turn))


def _fullest(rows: tuple[Slice, ...], count: int) -> list[Slice]:
    """The originals whose organs cover most, in their order; without any, those in the middle."""
    originals = [row for row in rows if not row.copy] or list(rows)

    def emptiness(at: int) -> tuple[int, int]:
        return -sum(originals[at].pixels.values()), abs(2 * at + 1 - len(originals))

    return [originals[at] for at in sorted(sorted(range(len(originals)), key=emptiness)[:count])]


def _figure(row: Slice, tile: NDArray[np.uint8]) -> str:
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(tile).save(stream, "PNG")
    drawn = html.picture(stream.getvalue(), row.id, _SIDE)
    caption = html.text(f"{row.id}, {row.split}")
    return f'<figure style="margin:0">{drawn}<figcaption>{caption}</figcaption></figure>'


def _named(organ: str, colour: Colour) -> str:
    return f'<span style="color:rgb{colour}">&#9632;</span> {html.text(organ)}'


def _line(error: Exception, place: str = "") -> str:
    return html.title(f"{place}{error}")
