"""What is measured of a case, to compare it with the others of its dataset."""

import msgspec


class StructureValues(msgspec.Struct, frozen=True, kw_only=True):
    """A structure in one case.

    `ml` is its volume (None where voxels have no known size), `voxels` their number. `jump` is the
    largest change of its area between neighbouring slices, its first and last aside, as a share of
    its largest area; `gaps` counts slices without it between slices that show it. `holes` counts
    background that it encloses in a slice, `islands` its parts in space beside one (a gap parts
    nothing). `centre` is where it lies, (slice, row, col), each 0..1 of the case's extent.
    """

    ml: float | None
    voxels: int
    jump: float
    holes: int
    islands: int
    centre: tuple[float, float, float]
    gaps: int = 0


class CaseValues(msgspec.Struct, frozen=True, kw_only=True):
    """A case in numbers: `shape` is (slices, rows, cols), `spacing` the same order in mm.

    `percentiles` are the 1st, 50th and 99th of its pixels in the units that the files have; `file`
    is what a message may name. Cases of one `sequence` are compared with each other. `structures`
    are those that it shows.
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
