"""What is measured of a case, to compare it with the others of its dataset."""

import msgspec


class StructureValues(msgspec.Struct, frozen=True, kw_only=True):
    """A structure in one case.

    `ml` is its volume (None where voxels have no known size), `voxels` their number. `jump` is the
    largest change of its area between neighbouring slices, as a share of its largest area. `holes`
    and `islands` count background enclosed by it, and its parts beside the largest. `centre` is
    where it lies, (slice, row, col), each 0..1 of the case's extent. None: it was not looked at.
    """

    ml: float | None
    voxels: int
    jump: float
    holes: int | None = None
    islands: int | None = None
    centre: tuple[float, float, float] | None = None


class CaseValues(msgspec.Struct, frozen=True, kw_only=True):
    """A case in numbers: `shape` is (slices, rows, cols), `spacing` the same order in mm.

    `percentiles` are the 1st, 50th and 99th of its pixels in the units that the files have; `file`
    is what a message may name. Cases of one `sequence` are compared with each other.
    """

    id: str
    patient: str
    side: str
    sequence: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float] | None
    percentiles: tuple[float, float, float] | None
    structures: dict[str, StructureValues]
    file: str | None = None
