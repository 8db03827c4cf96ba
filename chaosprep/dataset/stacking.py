"""A case of a stage directory as volumes in patient space: its images, its labels, its lattice."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.overlapping import refuse_overlaps
from chaosprep.dataset.records import Orientation, Slice, Spacing, Triple
from chaosprep.errors import FileError
from chaosprep.imaging.measured import padded
from chaosprep.imaging.space.geometry import slice_normal
from chaosprep.imaging.space.lattice import Lattice, Volume, stack_lattice
from chaosprep.imaging.space.nearest import ENOUGH, spread
from chaosprep.imaging.space.orientations import moved
from chaosprep.imaging.space.stacks import creep, find_lean, odd_steps
from chaosprep.imaging.windows import apply_table

_LEAVE_OUT = "Leave the case out with --on-error skip."
_UNEVEN = "Bring back missing slices, or leave the case out with --on-error skip."
_SHEARED = "Resample the series first, or leave the case out with --on-error skip."
_SPREAD = 2.01 * ENOUGH  # split allows ENOUGH on either side of the usual spacing
_INTEGERS = tuple(np.dtype(name) for name in ("u1", "i2", "u2", "i4"))


def originals(case: Case) -> tuple[Slice, ...]:
    """The slices of a case without augmented copies, in anatomical order."""
    return originals_of(case.slices)


def originals_of(rows: Sequence[Slice]) -> tuple[Slice, ...]:
    """These slices without augmented copies."""
    return tuple(row for row in rows if row.copy == 0)


def as_filed(rows: Sequence[Slice], volume: Volume) -> Volume:
    """The volume with its slices in the order of the file that the rows are frames of.

    In a NIfTI the third axis may run against the normal of the slices; DICOM has frames in any
    order. Rows whose files have no frames say nothing, and the volume stays as it is.
    """
    first, last = rows[0], rows[-1]
    if first.image.endswith(".dcm") or first.frame is None or last.frame is None:
        return volume
    return volume.backwards() if first.frame > last.frame else volume


class Placed(Protocol):
    """A slice as far as its place is concerned; a row of the table is one."""

    @property
    def id(self) -> str:
        """The slice's."""

    @property
    def rows(self) -> int:
        """Rows of the image."""

    @property
    def cols(self) -> int:
        """Columns of the image."""

    @property
    def position(self) -> Triple | None:
        """ImagePositionPatient, mm."""

    @property
    def orientation(self) -> Orientation | None:
        """ImageOrientationPatient."""

    @property
    def spacing(self) -> Spacing | None:
        """Between slices, rows, columns, mm."""


def case_lattice(rows: Sequence[Placed]) -> Lattice:
    """Where the voxels of a case's slices lie, (slices, rows, cols).

    Args:
        rows: the slices of one case without copies, in anatomical order.

    Raises:
        FileError: `no-original`, `geometry-unknown`, `geometry-mixed` (sizes, spacings or
            orientations differ), `gap` (a step between slices is not the spacing) or `sheared`.
    """
    if not rows:
        raise _not_a_volume("all of them are augmented copies", "no-original")
    planes = [_plane(row) for row in rows]
    first = planes[0]
    normal = slice_normal(first.orientation)
    from statistics import median

    along = [float((after.position - one.position) @ normal) for one, after in pairwise(planes)]
    between = (rows[0].spacing and rows[0].spacing[0]) or (median(along) if along else None)
    if not between or between <= 0:
        raise _not_a_volume("the distance between its slices is not known", "geometry-unknown")
    for row, plane in zip(rows, planes, strict=True):
        _check_alike(row, first, plane)
    for number in odd_steps(along, between)[:1]:
        apart = f"{along[number]:.3f} mm lie before {rows[number + 1].id}"
        raise _not_a_volume(f"{apart}, {between:.3f} mm between the others", "gap", _UNEVEN)
    if along:  # the mean step: the rounding of single positions does not add up
        between = sum(along) / len(along)
    if (off := creep([0.0, *np.cumsum(along).tolist()], between)) is not None:
        raise _not_a_volume(f"uneven steps between them add up to {off:.3g} mm", "gap", _UNEVEN)
    lean = find_lean(np.array([one.position for one in planes]), normal, min(first.spacing))
    if lean is not None:
        raise _not_a_volume(
            f"{lean}; {rows[lean.index].id} is the farthest off", "sheared", _SHEARED
        )
    spacing = between, *first.spacing
    return stack_lattice((len(rows), *first.shape), first.position, first.orientation, spacing)


def image_volume(case: Case) -> Volume:
    """The images of a case in modality units (HU for CT), (slices, rows, cols).

    The smallest of uint8, int16, uint16 and int32 that holds stored value x slope + intercept
    exactly, else float32. An image that was windowed to 8 bits is taken as it is shown.

    Raises:
        FileError: what `case_lattice` and `unit_plane` raise.
    """
    rows = originals(case)
    lattice = case_lattice(rows)
    planes = [unit_plane(case, row) for row in rows]
    return Volume(smallest(np.stack(planes)), lattice)


def unit_plane(case: Case, row: Slice) -> NDArray[Any]:
    """A slice of a case in modality units, (rows, cols), padding as dark as the case is anywhere.

    An image that was windowed to 8 bits is taken as it is shown.

    Raises:
        FileError: `polarity`, where a volume in these units would be the negative of the slices
            (MONOCHROME1); `padding`, where the case shows nothing else; what `Case.pixels` raises.
    """
    header, image = case.pixels(row)
    if row.window_source != "none":
        return image
    slope, intercept = header.rescale_slope, header.rescale_intercept
    if slope < 0:
        raise FileError(
            f"the pixels of {row.id} rise where its modality units fall (MONOCHROME1): a "
            "volume in these units would be the negative of its slices",
            "Run chaosprep convert without --keep-16bit and take the 8-bit images that it makes, "
            "or leave the case out with --on-error skip.",
            code="polarity",
        )
    told = msgspec.structs.replace(row, slope=slope, intercept=intercept)
    values, outside = modality_values(told, image), padded(header, image)
    return values if outside is None else _darkened(values, outside, case.lowest())


def _darkened(
    values: NDArray[Any], outside: NDArray[np.bool_], lowest: float | None
) -> NDArray[Any]:
    if lowest is None:
        raise FileError(
            "every pixel of its slices is padding: they show nothing",
            "Check PixelPaddingValue and its range, or leave the case out with --on-error skip.",
            code="padding",
        )
    if values.dtype.kind in "iu" and lowest.is_integer():
        return np.where(outside, int(lowest), values.astype(np.int64))
    return np.where(outside, lowest, values)


def label_volume(case: Case, labels: dict[str, int]) -> Volume | None:
    """The masks of a case as a label map, uint8 (slices, rows, cols); None without masks.

    Args:
        case: the case.
        labels: organ -> label, as `organ_labels` gives it.

    Raises:
        FileError: `mask-missing` where only some slices have one, `mask-values` for a mask value
            that no organ has, and what `case_lattice` and `Case.mask` raise.
    """
    rows = originals(case)
    if not have_masks(rows):
        return None
    lattice = case_lattice(rows)
    planes = [label_plane(row, case.mask(row), labels) for row in rows]
    return Volume(np.stack(planes), lattice)


def have_masks(rows: Sequence[Slice]) -> bool:
    """Whether all slices of a case have a mask, or none has.

    Raises:
        FileError: `mask-missing` where only some have one.
    """
    lacking = [row.id for row in rows if row.mask is None]
    if lacking and len(lacking) < len(rows):
        raise FileError(
            f"{len(lacking)} of its {len(rows)} slices have no mask ({lacking[0]}, ...)",
            "Bring back their masks, or leave the case out with --on-error skip.",
            code="mask-missing",
        )
    return not lacking


def label_plane(row: Slice, mask: Any, labels: dict[str, int]) -> NDArray[np.uint8]:  # noqa: ANN401
    """A mask (rows, cols) with the labels of an export in place of its own values."""
    refuse_overlaps([row])
    if len(row.labels) == 1 and mask.dtype == np.uint8:  # most masks: several times as fast
        ((value, organ),) = row.labels.items()
        alone: NDArray[np.uint8] = (mask == value).view(np.uint8)
        if np.count_nonzero(alone) == np.count_nonzero(mask):
            alone *= np.uint8(labels[organ])
            return alone
    table = np.full(2**16, 255, np.uint8)
    table[[0, *row.labels]] = [0, *(labels[organ] for organ in row.labels.values())]
    plane: NDArray[np.uint8]
    plane = apply_table(mask, table[: 2**8]) if mask.dtype == np.uint8 else table[mask]
    if plane.size and plane.max() == 255:
        value = int(np.asarray(mask)[plane == 255][0])
        raise FileError(
            f"the mask of {row.id} holds {value}, which stands for no organ",
            "Run extract-labels first (extract-liver for grey levels), or check its labels.",
            code="mask-values",
        )
    return plane


def modality_values(row: Slice, image: NDArray[Any]) -> NDArray[Any]:
    """Stored values as modality units: integers where slope and intercept are, else float64."""
    if row.window_source != "none" or (row.slope, row.intercept) == (1.0, 0.0):
        return image
    exact = row.slope.is_integer() and row.intercept.is_integer()
    if image.dtype.kind in "iu" and exact and max(abs(row.slope), abs(row.intercept)) < 2**31:
        return image.astype(np.int64) * int(row.slope) + int(row.intercept)
    return image * row.slope + row.intercept


def smallest(voxels: NDArray[Any]) -> NDArray[Any]:
    """The same values in the first of uint8, int16, uint16, int32 that holds all, or float32."""
    if voxels.dtype.kind not in "iu":
        return voxels.astype(np.float32)
    low, high = int(voxels.min()), int(voxels.max())
    for kind in _INTEGERS:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return voxels.astype(kind)
    return voxels.astype(np.float32)


class _Plane(msgspec.Struct, frozen=True, eq=False):
    """Where a slice lies: (rows, cols), mm (3,), six cosines, mm per row and column."""

    shape: tuple[int, int]
    position: NDArray[np.float64]
    orientation: Orientation
    spacing: tuple[float, float]


def _plane(row: Placed) -> _Plane:
    spacing = row.spacing and row.spacing[1:]
    if row.position is None or row.orientation is None or not (spacing and min(spacing) > 0):
        reason = f"position, orientation or spacing of {row.id} are not known"
        raise _not_a_volume(reason, "geometry-unknown")
    return _Plane((row.rows, row.cols), np.array(row.position), row.orientation, spacing)


def _check_alike(row: Placed, first: _Plane, plane: _Plane) -> None:
    if not (
        plane.shape == first.shape
        and spread(plane.shape, plane.spacing, first.spacing) <= _SPREAD
        and moved(first.orientation, plane.orientation, plane.shape, plane.spacing)
        < ENOUGH * min(first.spacing)
    ):
        raise _not_a_volume(f"{row.id} differs in size, spacing or orientation", "geometry-mixed")


def _not_a_volume(reason: str, code: str, remedy: str = _LEAVE_OUT) -> FileError:
    return FileError(f"its slices do not make a volume: {reason}", remedy, code=code)
