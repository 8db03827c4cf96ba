"""What a report shows of one case: small pictures, outlines, areas and a histogram."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.augmentation.words import words
from chaosprep.dataset.case import Case
from chaosprep.dataset.outlines import organ_areas, outlines, svg_path
from chaosprep.dataset.records import Slice
from chaosprep.dataset.tiles import display_window, faced, grey, readable

Shown = Literal["all", "labelled", "none"]

SIZES = ((320, 72), (256, 68), (224, 60), (192, 52), (160, 45), (128, 40), (96, 35), (64, 30))
"""Longest side and WebP quality, tried in turn until a picture fits its share of the page."""

BINS: Final = 64
_UNITS: Final = 4  # of a path, per pixel


@dataclass(frozen=True)
class Picture:
    """One slice: a picture as data URI (none where the file cannot be read), and its outlines.

    Each outline is an organ, and the `d` of an SVG path.
    """

    row: Slice
    uri: str | None
    width: int
    height: int
    box: str
    outlines: list[tuple[str, str]]
    recipe: str


@dataclass(frozen=True)
class Values:
    """The histogram of a case's stored values, and the part of it that is shown black to white."""

    counts: tuple[int, ...]
    low: float
    high: float
    window: tuple[float, float]
    made: tuple[float, float] | None


@dataclass(frozen=True)
class CaseView:
    """Everything that the page says of a case; its first row tells what all of them share."""

    first: Slice
    originals: tuple[Picture, ...]
    copies: tuple[Picture, ...]
    hidden: int
    areas: dict[str, tuple[int, ...]]
    positions: tuple[int, ...]
    values: Values | None

    def picture_bytes(self) -> int:
        """How much of the page the pictures take."""
        return sum(len(picture.uri or "") for picture in (*self.originals, *self.copies))


def in_order(view: CaseView, order: Sequence[str]) -> CaseView:
    """The same view, its areas and outlines in the order of all organs of the dataset."""
    place = {organ: at for at, organ in enumerate(order)}

    def sorted_(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
        return tuple(
            replace(one, outlines=sorted(one.outlines, key=lambda line: place[line[0]]))
            for one in pictures
        )

    return replace(
        view,
        originals=sorted_(view.originals),
        copies=sorted_(view.copies),
        areas={organ: view.areas[organ] for organ in order if organ in view.areas},
    )


def is_shown(row: Slice, shown: Shown) -> bool:
    """Whether the page has a picture of this slice."""
    return shown == "all" or (shown == "labelled" and any(row.pixels.values()))


def view_case(case: Case, shown: Shown, original_bytes: int, copy_bytes: int) -> CaseView:
    """Read a case and make its view; a file that cannot be read is an empty tile.

    Args:
        case: the case.
        shown: which of its slices get a picture.
        original_bytes: what the picture of an original may have.
        copy_bytes: what that of a copy may have.
    """
    originals = [row for row in case.slices if not row.copy]
    copies = [row for row in case.slices if row.copy and is_shown(row, shown)]
    images = {row.id: readable(case.filled, row) for row in originals}
    arrays = {id: array for id, array in images.items() if array is not None}
    window = display_window(case, arrays)
    counted = [case.measured(row, arrays[row.id]) for row in originals if row.id in arrays]
    first = case.slices[0]
    return CaseView(
        first=first,
        originals=tuple(
            _picture(case, row, arrays.get(row.id), window, original_bytes)
            for row in originals
            if is_shown(row, shown)
        ),
        copies=tuple(
            _picture(case, row, readable(case.filled, row), window, copy_bytes) for row in copies
        ),
        hidden=sum(not is_shown(row, shown) for row in case.slices),
        areas={
            organ: tuple(row.pixels.get(organ, 0) for row in originals)
            for organ in dict.fromkeys(organ for row in originals for organ in row.pixels)
        },
        positions=tuple(row.slice for row in originals),
        values=_values(first, counted, window),
    )


def _picture(
    case: Case, row: Slice, array: NDArray[Any] | None, window: tuple[float, float], limit: int
) -> Picture:
    mask, turn = readable(case.mask, row), faced(case)
    found = () if mask is None else organ_areas(row, turn(mask))
    lines = [(organ, svg_path(outlines(inside), _UNITS)) for organ, inside in found]
    rows, cols = turn.shape(*((row.rows, row.cols) if mask is None else mask.shape))
    uri = None if array is None else webp(turn(grey(array, window)), limit)
    height, width = turn.shape(*((row.rows, row.cols) if array is None else array.shape))
    box = f"0 0 {cols * _UNITS} {rows * _UNITS}"
    return Picture(row, uri, width, height, box, lines, ", ".join(words(row.augmentation or {})))


def webp(picture: NDArray[np.uint8], limit: int) -> str:
    """Encode (rows, cols) as WebP in a data URI: the first of `SIZES` of at most `limit` bytes."""
    import cv2

    data = b""
    for side, quality in SIZES:
        scale = min(1.0, side / max(picture.shape))
        cols, rows = (max(1, round(n * scale)) for n in reversed(picture.shape))
        small = cv2.resize(picture, (cols, rows), interpolation=cv2.INTER_AREA)
        data = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
        if len(data) <= limit:
            break
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"


def _values(first: Slice, arrays: list[NDArray[Any]], window: tuple[float, float]) -> Values | None:
    """Count the values of the originals; `made` is the window that 8-bit images came by."""
    finite = [array[np.isfinite(array)] if array.dtype.kind == "f" else array for array in arrays]
    finite = [array for array in finite if array.size]
    if not finite:
        return None
    low = float(min(array.min() for array in finite))
    high = float(max(array.max() for array in finite))
    counts = np.zeros(BINS, np.int64)
    for array in finite:
        counts += np.histogram(array, BINS, (low, max(high, low + 1e-9)))[0]
    made = first.window if arrays[0].dtype == np.uint8 else None
    return Values(tuple(counts.tolist()), low, high, window, made)
