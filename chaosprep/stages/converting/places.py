"""Where the slices of a case lie, and where those that are asked for will."""

from collections.abc import Sequence

import msgspec

from chaosprep.dataset.records import Orientation, Slice, Spacing, Triple
from chaosprep.dataset.stacking import case_lattice
from chaosprep.errors import FileError
from chaosprep.imaging.space.grids import Grid, plan_axis, plan_grid
from chaosprep.imaging.space.lattice import pixel_position
from chaosprep.stages.converting.params import ConvertParams

_MOST_SLICES = 65535
_MOST_VOXELS = 2**31


class Place(msgspec.Struct, frozen=True):
    """A slice's place: how its id ends (``s007``), its number in the case, and as a row has it."""

    id: str
    slice: int
    rows: int
    cols: int
    position: Triple | None
    orientation: Orientation | None
    spacing: Spacing | None

    @classmethod
    def of(cls, row: Slice) -> "Place":
        """That of a row."""
        where = row.position, row.orientation, row.spacing
        return cls(row.id.removeprefix(f"{row.case}_"), row.slice, row.rows, row.cols, *where)


def slice_grid(place: Place | Slice, shape: tuple[int, int], params: ConvertParams) -> Grid:
    """The grid on which a slice of ``shape`` (rows, cols) is written where slices stay.

    Raises:
        FileError: what `plan_grid` raises.
    """
    return plan_grid(
        shape,
        place.spacing[1:] if place.spacing else None,
        spacing=params.in_plane,
        size=params.rows_cols(),
        fit=params.fit,
    )


def moved_by(place: Place | Slice, grid: Grid) -> tuple[Triple | None, Spacing | None]:
    """The position and spacing of a slice on a new grid."""
    spacing, position = place.spacing, place.position
    if place.spacing and place.position and place.orientation:
        offset = grid.rows.offset, grid.cols.offset
        position = pixel_position(place.position, place.orientation, place.spacing[1:], *offset)
    if place.spacing:
        rows, cols = place.spacing[1] * grid.rows.step, place.spacing[2] * grid.cols.step
        spacing = (place.spacing[0], round(rows, 9), round(cols, 9))
    return position, spacing


def wanted_places(places: Sequence[Place], params: ConvertParams) -> tuple[Place, ...]:
    """Where the slices of a case will lie by `--spacing` and `--size`.

    Where slices stay, each keeps its number, also one that gets other pixels.

    Raises:
        FileError: what `restacked_places` raises.
    """
    made = restacked_places(places, params)
    return tuple(_in_plane(place, params) for place in places) if made is None else made


def _in_plane(place: Place, params: ConvertParams) -> Place:
    grid = slice_grid(place, (place.rows, place.cols), params)
    if grid.is_identity:
        return place
    rows, cols = grid.shape
    position, spacing = moved_by(place, grid)
    return msgspec.structs.replace(place, rows=rows, cols=cols, position=position, spacing=spacing)


def restacked_places(places: Sequence[Place], params: ConvertParams) -> tuple[Place, ...] | None:
    """The slices of a case at the wanted distance; None where they stay.

    They are centred on the old ones, and numbered from 0.

    Raises:
        FileError: what `case_lattice` and `plan_grid` raise, `spacing-unfit`.
    """
    if params.between is None:
        return None
    lattice, first = case_lattice(places), places[0]
    assert first.orientation is not None
    between = round(lattice.spacing[0], 6)
    grid = slice_grid(first, (first.rows, first.cols), params)
    step = params.between / between
    _check_number(len(places) / step, step, grid, params.between)
    axis = plan_axis(len(places), step, None, "both")
    if axis.is_identity:
        return None
    offsets = axis.offset, grid.rows.offset, grid.cols.offset
    origin, onward = lattice.origin + lattice.steps @ offsets, lattice.steps[:, 0] * step
    (rows, cols), (_, spacing) = grid.shape, moved_by(first, grid)
    assert spacing is not None
    width = max(3, len(str(axis.size - 1)))
    return tuple(
        Place(
            id=f"s{number:0{width}}",
            slice=number,
            rows=rows,
            cols=cols,
            position=_rounded(*(origin + onward * number).tolist()),
            orientation=first.orientation,
            spacing=(round(between * step, 9), *spacing[1:]),
        )
        for number in range(axis.size)
    )


def _rounded(x: float, y: float, z: float) -> Triple:
    return round(x, 6), round(y, 6), round(z, 6)


def _check_number(slices: float, step: float, grid: Grid, between: float) -> None:
    """Refuse more slices than can be held, and those of more old ones than can be weighed."""
    rows, cols = grid.shape
    if max(slices, step) > _MOST_SLICES or slices * rows * cols > _MOST_VOXELS:
        raise FileError(
            f"with {between:g} mm between slices it would have {slices:.6g} of {rows} x {cols}",
            "Give another --spacing.",
            code="spacing-unfit",
        )
