"""Where the pictures of a series lie: which way, how far apart, and at which places of a stack."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.header import Orientation
from chaosprep.imaging.space.geometry import SAME_POSITION, slice_normal
from chaosprep.imaging.space.nearest import ENOUGH, spread
from chaosprep.imaging.space.orientations import SAME_ORIENTATION
from chaosprep.layouts.headers.head import Head

Parts = list[list[Head]]

_MOST_WAYS = 256  # in one series; more are refused as they are
_NAMED = 0.9  # of a normal along one axis of the patient: up to 26 degrees off
_PLANES = ("sagittal", "coronal", "axial")
_APART = 1.0  # mm within the plane: another stack


def by_orientation(heads: Sequence[Head]) -> Parts:
    """The pictures by the way they lie; those that do not say it go with the most.

    In a part no direction cosine varies by more than `SAME_ORIENTATION`, as `order_series` asks.
    """
    ways = Counter(head.orientation for head in heads if head.orientation)
    owner: dict[Orientation, int] = {}
    left = [way for way, _ in sorted(ways.items(), key=lambda one: (-one[1], one[0]))]
    number = 0
    while left:
        cosines = np.array(left, np.float64)
        alike = _alike(cosines) if number < _MOST_WAYS else np.ones(len(left), bool)
        owner |= {way: number for way, is_alike in zip(left, alike, strict=True) if is_alike}
        left = [way for way, is_alike in zip(left, alike, strict=True) if not is_alike]
        number += 1
    parts: Parts = [[] for _ in range(max(number, 1))]
    for head in heads:
        parts[owner[head.orientation] if head.orientation else 0].append(head)
    return parts


def _alike(cosines: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of these lie as the first does."""
    off = np.abs(cosines - cosines[0]).max(axis=1)
    near = np.asarray(off <= SAME_ORIENTATION)
    if np.ptp(cosines[near], axis=0).max() > SAME_ORIENTATION:
        near = np.asarray(off <= SAME_ORIENTATION / 2)
    return near


def by_pixel_spacing(heads: Sequence[Head]) -> Parts:
    """The pictures by their pixel spacing, as far apart as `find_spacings` asks."""
    counts = Counter(head.pixel_spacing for head in heads if head.pixel_spacing)
    usual: list[tuple[float, float]] = []
    owner: dict[tuple[float, float], int] = {}
    shape = (heads[0].rows, heads[0].cols)
    for spacing, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        near = (n for n, one in enumerate(usual) if spread(shape, spacing, one) <= ENOUGH)
        found = next(near, None)
        if found is None:
            found = len(usual)
            if found < _MOST_WAYS:
                usual.append(spacing)
        owner[spacing] = found
    parts: Parts = [[] for _ in range(len(usual) + 1)]
    for head in heads:
        parts[owner[head.pixel_spacing] if head.pixel_spacing else 0].append(head)
    return [part for part in parts if part]


def find_places(heads: Sequence[Head]) -> list[int | None]:
    """The number of each picture's place along the normal, from 0; None where it has no position.

    Closer than `SAME_POSITION` is one place. All None where the pictures are no stack.
    """
    found: list[int | None] = [None] * len(heads)
    placed = [n for n, head in enumerate(heads) if head.position and head.orientation]
    if not placed:
        return found
    cosines = np.array([heads[n].orientation for n in placed], np.float64)
    if np.ptp(cosines, axis=0).max() > SAME_ORIENTATION:
        return found
    try:
        normal = slice_normal(np.median(cosines, axis=0))
    except FileError:
        return found
    positions = np.array([heads[n].position for n in placed], np.float64)
    along = np.round(positions @ normal, 6)
    order = np.argsort(along, kind="stable")
    steps = np.diff(along[order], prepend=along[order[0]]) > SAME_POSITION
    for index, place in zip(order, np.cumsum(steps), strict=True):
        found[placed[index]] = int(place)
    return found


def step_of(heads: Sequence[Head]) -> float | None:
    """The usual step between places along the normal, mm, of one stack; None where there is one."""
    placed = [head for head in heads if head.position and head.orientation]
    if len(placed) < 2:
        return None
    try:
        cosines = np.array([head.orientation for head in placed], np.float64)
        normal = slice_normal(np.median(cosines, axis=0))
    except FileError:
        return None
    along = np.sort(np.array([head.position for head in placed], np.float64) @ normal)
    steps = np.diff(along)
    steps = steps[steps > SAME_POSITION]
    return round(float(np.median(steps)), 3) if steps.size else None


def sides(heads: Sequence[Head]) -> list[str]:
    """Where in its plane each picture lies, as a name; the same within `_APART` mm."""
    found = [""] * len(heads)
    placed = [n for n, head in enumerate(heads) if head.position and head.orientation]
    for axis in (slice(0, 3), slice(3, 6)):
        across = {
            n: float(np.dot(heads[n].position or (), (heads[n].orientation or ())[axis]))
            for n in placed
        }
        number, last = 0, -np.inf
        for n in sorted(placed, key=across.__getitem__):
            number += across[n] - last > _APART
            last = across[n]
            found[n] += f"{number},"
    return found


def plane_of(heads: Sequence[Head]) -> str:
    """`axial`, `coronal`, `sagittal`, `oblique`, or empty where nothing says it.

    The plane is named by the axis of the patient that its normal is within 26 degrees of.
    """
    ways = [head.orientation for head in heads if head.orientation]
    try:
        normals = [abs(slice_normal(way)) for way in dict.fromkeys(ways)]
    except FileError:
        return ""
    if not normals:
        return ""
    names = {_PLANES[int(np.argmax(one))] if one.max() >= _NAMED else "oblique" for one in normals}
    return names.pop() if len(names) == 1 else "oblique"
