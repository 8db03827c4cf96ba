"""The orientation of a series: one for all of its slices, with rows and columns at right angles."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.header import Header, Orientation
from chaosprep.imaging.space.nearest import ENOUGH, SAME_PLACE, nearest_axes

SAME_ORIENTATION = 1e-3  # per direction cosine: 0.06 degrees, above the rounding of headers
_PLANES = ("sagittal", "coronal", "axial")  # by the axis of the patient that the normal is next to
_SHOWN = 3
_OTHER = "Move them to a folder of their own: a case is one stack of slices."
_FRAMES = "Export each stack of the file as a file of its own."


def orthogonal(orientation: Sequence[float]) -> Orientation:
    """The nearest six cosines of two unit vectors at right angles, to 12 decimals.

    The plane that they span stays, and so does the normal; see `nearest_axes`.
    """
    axes = nearest_axes(np.reshape(np.asarray(orientation, np.float64), (2, 3)).T)
    a, b, c, d, e, f = (round(float(value), 12) + 0.0 for value in axes.T.ravel())
    return a, b, c, d, e, f


def moved(
    before: Sequence[float],
    after: Sequence[float],
    shape: tuple[int, int],
    spacing: Sequence[float],
) -> float:
    """How far the farthest pixel moves, mm, where an image of one first pixel is turned.

    `before` and `after` are six cosines each, `shape` is rows and columns, `spacing` is mm between
    rows and between columns.
    """
    change = np.subtract(after, before)
    right = change[:3] * spacing[1] * (shape[1] - 1)
    down = change[3:] * spacing[0] * (shape[0] - 1)
    return max(float(np.linalg.norm(way)) for way in (right, down, right + down))


def straighten(headers: Sequence[Header]) -> tuple[dict[int, Orientation], tuple[str, ...]]:
    """The orientations that had to be made orthogonal, by index, and what to say of it.

    Those by which no pixel moves farther than `SAME_PLACE` stay as they are. Every header has an
    orientation. Raises `FileError` ``orientation-skewed`` where a pixel would move by `ENOUGH` of
    its size or more.
    """
    settled: dict[int, Orientation] = {}
    skewed: list[int] = []
    most = 0.0
    for index, header in enumerate(headers):
        cosines = header.image_orientation_patient
        assert cosines is not None
        spacing = header.pixel_spacing or (1.0, 1.0)
        straight, off = _nearest(cosines, (header.rows, header.cols), spacing)
        if off >= ENOUGH * min(spacing):
            skewed.append(index)
        elif off > SAME_PLACE:
            settled[index] = straight
            most = max(most, off / min(spacing))
    if skewed:
        raise _skewed(headers[skewed[0]], len(skewed), len(headers))
    if not settled:
        return {}, ()
    note = (
        "ImageOrientationPatient was not quite at right angles or of unit length and was made so: "
        f"pixels move by up to {most:.2g} of their size"
    )
    return settled, (note,)


def turned(headers: Sequence[Header]) -> str | None:
    """Say how far slices are turned against the first of them; None below `ENOUGH` of a pixel."""
    first = headers[0].image_orientation_patient
    most, degrees = 0.0, 0.0
    for header in headers:
        cosines = header.image_orientation_patient
        assert first is not None
        assert cosines is not None
        if cosines == first:
            continue
        spacing = header.pixel_spacing or (1.0, 1.0)
        pixels = moved(first, cosines, (header.rows, header.cols), spacing) / min(spacing)
        if pixels > most:
            most, degrees = pixels, _angle(np.array(first), np.array(cosines))
    if most < ENOUGH:
        return None
    return f"slices are turned by up to {degrees:.2g} degrees, {most:.2g} pixels"


@lru_cache(maxsize=64)  # the slices of a series share one
def _nearest(
    cosines: Orientation, shape: tuple[int, int], spacing: tuple[float, float]
) -> tuple[Orientation, float]:
    straight = orthogonal(cosines)
    return straight, moved(cosines, straight, shape, spacing)


def _skewed(header: Header, count: int, total: int) -> FileError:
    right, down = np.reshape(header.image_orientation_patient or (), (2, 3))
    lengths = np.linalg.norm(right), np.linalg.norm(down)
    angle = float(np.degrees(np.arccos(np.clip(right @ down / np.prod(lengths), -1, 1))))
    which = "" if count == total else f" in {count} of {total} slices"
    reason = f"rows and columns are not at right angles{which}: {angle:.2f} degrees"
    if max(abs(length - 1) for length in lengths) > abs(np.cos(np.radians(angle))):
        reason = (
            f"the direction cosines of rows and columns are not of unit length{which}: "
            f"{lengths[0]:.4g} and {lengths[1]:.4g}"
        )
    remedy = (
        "Export the series again from its source: a wrong ImageOrientationPatient puts voxels in "
        "wrong places. Or leave the case out with --on-error skip."
    )
    return FileError(reason, remedy, "orientation-skewed")


def common_orientation(headers: Sequence[Header], names: Sequence[str]) -> NDArray[np.float64]:
    """The median per cosine, (6,): the same for any input order, and that of every clean series.

    `names` are what the headers are called in messages. Raises `FileError` ``orientation-mixed``
    where a cosine varies by more than `SAME_ORIENTATION`.
    """
    cosines = np.array([header.image_orientation_patient for header in headers], np.float64)
    if np.ptp(cosines, axis=0).max() > SAME_ORIENTATION:
        raise _mixed(cosines, headers, names)
    return np.asarray(np.median(cosines, axis=0), dtype=np.float64)


def _mixed(
    cosines: NDArray[np.float64], headers: Sequence[Header], names: Sequence[str]
) -> FileError:
    """Say how many lie which way, the most first, and who the others are."""
    groups = _alike(cosines)
    first = cosines[groups[0][0]]
    told = [f"{len(groups[0])} {_plane(first)}"]
    for group in groups[1 : _SHOWN + 1]:
        plane, angle = _plane(cosines[group[0]]), _angle(first, cosines[group[0]])
        how = f" turned by {angle:.3g} degrees" if plane == _plane(first) else ""
        told.append(f"{len(group)} {plane}{how}")
    if len(groups) > _SHOWN + 1:
        told.append(f"{len(groups) - _SHOWN - 1} more")
    strangers = [index for group in groups[1:] for index in group]
    files = list(dict.fromkeys(names[index] for index in strangers if names and names[index]))
    more = ", ..." if len(files) > _SHOWN else ""
    which = f" ({', '.join(files[:_SHOWN])}{more})" if files else ""
    remedy = _FRAMES if any(headers[index].frames > 1 for index in strangers) else _OTHER
    reason = f"the slices lie in {len(groups)} orientations: {', '.join(told)}{which}"
    return FileError(reason, remedy, "orientation-mixed")


def _alike(cosines: NDArray[np.float64]) -> list[list[int]]:
    """The indices of slices that lie the same way, the largest group first."""
    groups, left = [], np.arange(len(cosines))
    while len(left):
        near = np.abs(cosines[left] - cosines[left[0]]).max(axis=1) <= SAME_ORIENTATION
        groups.append([int(index) for index in left[near]])
        left = left[~near]
    return sorted(groups, key=len, reverse=True)


def _plane(cosines: NDArray[np.float64]) -> str:
    normal = np.abs(np.cross(cosines[:3], cosines[3:]))
    return _PLANES[int(normal.argmax())] if normal.max() > SAME_ORIENTATION else "of no plane"


def _angle(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The degrees by which the axes of one image are turned against another's."""
    frames = []
    for cosines in (one, other):
        right, down = cosines[:3], cosines[3:]
        frames.append(np.column_stack([right, down, np.cross(right, down)]))
    half = float(np.linalg.norm(frames[0] - frames[1])) / 8**0.5  # the sine of half the angle
    return float(np.degrees(2 * np.arcsin(min(half, 1.0))))
