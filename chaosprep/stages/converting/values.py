"""What the stored values of a case become: one rule for all of its slices."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.imaging.header import Header
from chaosprep.imaging.measured import Pixels, measured
from chaosprep.imaging.series_window import find_window
from chaosprep.imaging.space.grids import Grid
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.stages.converting.pixels import Made, stored_slice, windowed_slice
from chaosprep.stages.converting.reading import Read

Rule = Callable[[Header, NDArray[Any], Grid], Made]
"""Makes of a slice (rows, cols) what is written of it on a grid.

Raises:
    FileError: the slice cannot be written so.
"""


def rule_for(case: Case, found: Read, params: ConvertParams) -> Rule:
    """The rule that parameters ask for, settled by the slices of a case.

    Raises:
        FileError: what `find_window` or `normalized_rule` raises.
    """
    pixels = list(found.pixels.values())
    if params.normalize is not None and pixels:
        from chaosprep.stages.converting.normalizing import normalized_rule

        return normalized_rule(case, found, params)
    if params.keeps:
        fill = _darkest(pixels) if params.regrids else 0.0
        return partial(_stored, fill=fill, format=params.format)
    kind = params.window_kind()
    if params.window_scope == "case" and pixels:
        window = find_window(pixels, kind)
        return lambda header, array, grid: windowed_slice(header, array, grid, window)
    return lambda header, array, grid: windowed_slice(
        header, array, grid, find_window([(header, _seen(array, grid))], kind)
    )


def _seen(array: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """The pixels of a slice that lie within its case; all where none does."""
    beyond = grid.beyond
    return array if beyond is None or beyond.all() else array[~beyond]


def _stored(header: Header, array: NDArray[Any], grid: Grid, *, fill: float, format: str) -> Made:
    return stored_slice(header, array, grid, fill, format)


def _darkest(pixels: Sequence[Pixels]) -> float:
    found = (measured(*one) for one in pixels)
    return float(min((values.min() for values in found if values.size), default=0))
