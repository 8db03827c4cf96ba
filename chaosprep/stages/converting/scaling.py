"""What convert says of how a case is scaled, in its table, so that nobody counts again."""

from collections.abc import Mapping
from typing import Any

import msgspec
from numpy.typing import NDArray

from chaosprep.dataset.records import LARGEST, CaseScaling, Slice
from chaosprep.dataset.stacking import originals_of
from chaosprep.errors import FileError
from chaosprep.imaging.measured import Pixels, lowest_unit


def with_scaling(rows: tuple[Slice, ...], written: Mapping[str, NDArray[Any]]) -> tuple[Slice, ...]:
    """The rows of a case with how it is scaled for a network, by the values that were `written`.

    Whoever reads the files finds the same. None stands for it in copies, and where the
    values are none that a table can have, or the slices cannot be compared: who reads them says so.
    """
    found = _found(originals_of(rows), written)
    return tuple(msgspec.structs.replace(row, scaling=None if row.copy else found) for row in rows)


def counted(rows: tuple[Slice, ...]) -> tuple[Slice, ...]:
    """The rows of a case, whose scaling says of how many slices it is."""
    return tuple(
        msgspec.structs.replace(row, scaling=msgspec.structs.replace(row.scaling, slices=len(rows)))
        if row.scaling
        else row
        for row in rows
    )


def _found(rows: tuple[Slice, ...], written: Mapping[str, NDArray[Any]]) -> CaseScaling | None:
    def pixels(row: Slice) -> Pixels:
        return header_of(row, written[row.id]), written[row.id]

    def lowest() -> float | None:
        some = any(row.padding is not None for row in rows)
        return lowest_unit(map(pixels, rows)) if some else None

    if not rows:
        return None
    from chaosprep.dataset.scaling import header_of, measured_scaling, recorded

    try:
        scaling = measured_scaling(rows, pixels, lowest)
    except FileError:
        return None
    numbers = (scaling.low, scaling.high, scaling.lowest or 0.0)
    fits = scaling.low < scaling.high and all(abs(number) <= LARGEST for number in numbers)
    return recorded(scaling, len(rows)) if fits else None
