"""Where the pictures of a series lie: which way, how far apart, and at which places of a stack."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.header import Orientation
from chaosprep.imaging.space.geometry import SAME_POSITION, slice_normal
from chaosprep.imaging.space.nearest import ENOUGH, spread
from chaosprep.imaging.space.orientations import SAME_ORIENTATION
from chaosprep.layouts.headers.head import Head

Parts = list[list[Head]]

_MOST_WAYS, _MOST_SPACINGS = 256, 32  # in one series; more are refused as they are
_NAMED = 0.9  # of a normal along one axis of the patient: up to 26 degrees off
_PLANES = ("sagittal", "coronal", "axial")
SHORT_PLANES = {"axial": "ax", "coronal": "cor", "sagittal": "sag", "oblique": "obl"}
"""What `plane_of` gives, in few letters."""
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
            if found < _MOST_SPACINGS:
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
    normal = _common_normal([heads[n].orientation for n in placed])
    if normal is None:
        return found
    positions = np.array([heads[n].position for n in placed], np.float64)
    with np.errstate(all="ignore"):
        along = np.round(positions @ normal, 6)
        order = np.argsort(along, kind="stable")
        steps = np.diff(along[order], prepend=along[order[0]]) > SAME_POSITION
    for index, place in zip(order, np.cumsum(steps), strict=True):
        found[placed[index]] = int(place)
    return found


def _common_normal(ways: Sequence[Orientation | None]) -> NDArray[np.float64] | None:
    """The normal of slices that lie one way, as `order_series` takes it; None of any others."""
    different = set(filter(None, ways))
    if len(different) == 1:
        return _normal(different.pop())
    cosines = np.array(ways, np.float64)
    with np.errstate(all="ignore"):
        if not np.ptp(cosines, axis=0).max() <= SAME_ORIENTATION:
            return None
    a, b, c, d, e, f = map(float, np.median(cosines, axis=0))
    return _normal((a, b, c, d, e, f))


@lru_cache(maxsize=4096)  # the slices of a series, and many series, share one
def _normal(way: Orientation) -> NDArray[np.float64] | None:
    try:
        with np.errstate(all="ignore"):
            return slice_normal(way)
    except FileError:
        return None


def heights_of(heads: Sequence[Head]) -> NDArray[np.float64] | None:
    """Where slices lie along their normal, mm; None where one does not say it, or of no stack."""
    if len(heads) < 2 or not all(head.position and head.orientation for head in heads):
        return None
    normal = _common_normal([head.orientation for head in heads])
    if normal is None:
        return None
    with np.errstate(all="ignore"):
        return np.array([head.position for head in heads], np.float64) @ normal


def step_of(heads: Sequence[Head]) -> float | None:
    """The usual step between places along the normal, mm; None for one place, or no stack."""
    heights = heights_of([head for head in heads if head.position and head.orientation])
    if heights is None:
        return None
    with np.errstate(all="ignore"):
        steps = np.diff(np.sort(heights))
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
    ways = {head.orientation for head in heads if head.orientation}
    normals = [normal for way in ways if (normal := _normal(way)) is not None]
    names = {_named(np.abs(normal)) for normal in normals}
    if not names:
        return ""
    return names.pop() if len(names) == 1 else "oblique"


def _named(normal: NDArray[np.float64]) -> str:
    return _PLANES[int(np.argmax(normal))] if normal.max() >= _NAMED else "oblique"
