"""The slices of a case as `convert` reads them, with what stands in the way of some."""

from dataclasses import replace

import msgspec
from msgspec import UNSET, UnsetType

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import BiasField, Slice
from chaosprep.errors import FileError, Problem
from chaosprep.imaging.measured import Pixels, among, check_polarity, looked_up, upright
from chaosprep.running.stage import each_slice
from chaosprep.stages.converting.params import ConvertParams


class Read(msgspec.Struct, frozen=True):
    """The rows that could be read, the pixels of each by its id, and the problems of the others.

    Unless they are to be windowed, the pixels are `upright`. `bias` is the field that was divided
    out of them; None where none could be found, UNSET where none was asked for.
    """

    rows: tuple[Slice, ...]
    pixels: dict[str, Pixels]
    problems: tuple[Problem, ...]
    bias: BiasField | UnsetType | None = UNSET


def read_case(case: Case, params: ConvertParams) -> Read:
    """Read the slices of a case; none of them where their values cannot be compared."""
    pixels: dict[str, Pixels] = {}
    inverted: set[bool] = set()

    def read(row: Slice) -> Slice:
        header, array = case.image_with_header(row, params.max_pixels)
        inverted.add(header.inverted)
        if odd := among(header, array):
            header = replace(header, notes=(*header.notes, *odd))
        found = looked_up(header, array)
        pixels[row.id] = found if params.shows else upright(*found)
        return row

    readable = each_slice(case.slices, read)
    try:
        check_polarity(inverted)
    except FileError as error:
        return Read((), {}, (*readable.problems, Problem.of(error, case.id)))
    return Read(readable.slices, pixels, readable.problems)
