"""Montages: the slices of cases side by side, masks as outlines; also as one picture (`preview`).

A dark sheet with a band for each case, for a slide or an issue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chaosprep.dataset.case import Case
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.records import Slice
from chaosprep.dataset.tiles import (
    Colour,
    display_window,
    draw,
    faced,
    grey,
    organ_colours,
    readable,
    spread,
)
from chaosprep.errors import FileError, UsageError, called
from chaosprep.files import read_regular
from chaosprep.running.page import PICTURE, check_place, new_file
from chaosprep.words import shortened, there_are

if TYPE_CHECKING:
    from PIL.Image import Image

_GAP: Final = 4
_BAND: Final = 26
_MOST_ACROSS: Final = 12
_DARK: Final = (16, 20, 24)
_LIGHT: Final = (226, 232, 238)
_MAX_SIDE: Final = 16_000  # pixels; what PNG readers and slide programs still open


@dataclass(frozen=True)
class Sheet:
    """What `preview` drew: cases and slices on it, its size, and where it is."""

    path: Path
    cases: int
    slices: int
    width: int
    height: int

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows: the picture; nothing where it is gone."""
        try:
            return read_regular(self.path)
        except FileError:
            return None


@called(case="cases")
def preview(
    directory: str | Path,
    output: str | Path,
    *,
    cases: Sequence[str] = (),
    per_case: int = 8,
    tile: int = 160,
    overwrite: bool = False,
) -> Sheet:
    """Draw the slices of a stage directory with their masks' outlines as one PNG.

    Args:
        directory: what a stage made.
        output: the .png file to write, outside the directory; an earlier sheet is replaced.
        cases: the ids to draw; by default all.
        per_case: at most this many slices of a case, evenly spread over it; 0 draws all.
        tile: side of one slice's tile in pixels.
        overwrite: replace a file that chaosprep did not make.

    Raises:
        ManifestError: the directory is unfinished, or its manifest not to be trusted.
        UsageError: an unknown case, a name that is no .png, or a sheet too large to open.
        ChaosprepError: something else stands there, another run writes it, or it cannot be written.
    """
    dataset, output = open_dataset(directory), Path(output)
    check_place(output, dataset.directory, PICTURE)
    strangers = sorted(set(cases) - {case.id for case in dataset.cases}) if cases else []
    if strangers:
        raise UsageError(
            f"{', '.join(strangers)}: no such case",
            there_are([case.id for case in dataset.cases], strangers),
            "case-unknown",
        )
    chosen = [case for case in dataset.cases if not cases or case.id in cases]
    bands = [(case, _some(case, per_case)) for case in chosen]
    across = min(max((len(rows) for _, rows in bands), default=1), _MOST_ACROSS)
    with new_file(output, PICTURE, overwrite) as save:
        image = _draw(bands, across, tile, organ_colours(dataset.cases))
        stream = BytesIO()
        image.save(stream, "PNG", optimize=True)
        save(stream.getvalue())
    return Sheet(output, len(bands), sum(len(rows) for _, rows in bands), *image.size)


def _some(case: Case, count: int) -> list[Slice]:
    rows = [row for row in case.slices if not row.copy] or list(case.slices)
    return spread(rows, count or len(rows))


def _band_height(rows: Sequence[Slice], across: int, tile: int) -> int:
    return _BAND + -(-len(rows) // across) * (tile + _GAP) + _GAP


def _draw(
    bands: list[tuple[Case, list[Slice]]], across: int, tile: int, colours: Mapping[str, Colour]
) -> "Image":
    from PIL import Image, ImageDraw, ImageFont

    wide = across * (tile + _GAP)
    tall = sum(_band_height(rows, across, tile) for _, rows in bands)
    if max(tall, wide) > _MAX_SIDE:
        raise UsageError(
            f"the sheet would be {tall} pixels high",
            "Choose cases with --case, or lower --per-case or --tile.",
            "sheet-size",
        )
    image = Image.new("RGB", (max(wide + _GAP, 320), max(tall, 1)), _DARK)
    pen, font, top = ImageDraw.Draw(image), ImageFont.load_default(13), 0
    for case, rows in bands:
        name = shortened(case.id, (image.width - 60) // 8)
        pen.text((_GAP + 2, top + 7), f"{name}   {case.split}", _LIGHT, font)
        images = {row.id: readable(case.filled, row) for row in rows}
        arrays = {id: array for id, array in images.items() if array is not None}
        window, turn = display_window(case, arrays), faced(case)
        for index, row in enumerate(rows):
            left = _GAP + index % across * (tile + _GAP)
            down = top + _BAND + index // across * (tile + _GAP)
            if row.id in arrays:
                picture = grey(arrays[row.id], window)
                drawn = draw(row, picture, readable(case.mask, row), tile, colours, turn)
                image.paste(Image.fromarray(drawn), (left, down))
            else:
                pen.rectangle((left, down, left + tile, down + tile), outline=_LIGHT)
            pen.text((left + 4, down + 2), shortened(f"{row.slice}", tile // 8), _LIGHT, font)
        top += _band_height(rows, across, tile)
    return image
