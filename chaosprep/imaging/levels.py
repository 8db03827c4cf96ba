"""Organs and the grey levels that stand for them in masks."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.facts import Known, Organ
from chaosprep.imaging.png.filters import Part
from chaosprep.imaging.windows import count_values

_ODD = 128  # no label of a mask
_WHITE = 248  # an organ that begins here is painted white; else 255 alone is a binary mask


def level_histogram(mask: NDArray[np.integer], part: Part | None = None) -> dict[int, int]:
    """Count the pixels of each grey level of a mask of any shape, lowest level first.

    Where it is known that all outside a ``part`` (rows, cols) is 0, only that is looked at.
    """
    if part is not None:
        shown = level_histogram(mask[part])
        if outside := mask.size - sum(shown.values()):
            shown[0] = shown.get(0, 0) + outside
        return dict(sorted(shown.items()))
    if mask.dtype == np.uint8 and mask.size and (found := _one_level(mask)) is not None:
        return found
    if mask.dtype.kind in "iu" and mask.dtype.itemsize <= 2 and mask.size:
        low, counted = count_values(mask)
        return {low + int(at): int(counted[at]) for at in np.flatnonzero(counted)}
    levels, counts = np.unique(mask, return_counts=True)
    return {int(level): int(count) for level, count in zip(levels, counts, strict=True)}


def _one_level(mask: NDArray[np.integer]) -> dict[int, int] | None:
    """Count as `level_histogram`, in a quarter of its time, where one level stands beside 0."""
    level, shown = int(mask.max()), int(np.count_nonzero(mask))
    if shown != np.count_nonzero(mask == level) and level:
        return None
    counts = (0, mask.size - shown), (level, shown)
    return {value: count for value, count in counts if count}


def describe_levels(histogram: Mapping[int, int], limit: int = 8) -> str:
    """Write a histogram as ``0: 60000, 63: 5000, ... 12 more levels``.

    Where there are more than ``limit`` levels, the most frequent ones are shown.
    """
    frequent = sorted(histogram, key=lambda level: (-histogram[level], level))[:limit]
    text = ", ".join(f"{level}: {histogram[level]}" for level in sorted(frequent))
    more = len(histogram) - len(frequent)
    return f"{text}, ... {more} more level{'s' if more > 1 else ''}" if more else text


def check_levels(
    histogram: Mapping[int, int],
    organs: Sequence[Organ],
    known: Known,
    mask: NDArray[np.integer] | None = None,
) -> None:
    """Check that each level of a mask's histogram, but 0, belongs to one of a data set's organs.

    Raises `FileError` ``mask-levels``; its remedy names the option that would take the mask. The
    ``mask`` itself, (rows, cols), tells it whether the levels are labels or interpolated ones.
    """
    levels = {level for level in histogram if level != 0}
    if _is_binary(levels, organs):
        reason = f"a binary mask, not one of {known.name}'s grey levels: "
    elif any(_is_stranger(level, organs) for level in levels):
        ranges = ", ".join(f"{organ.name} {organ.low}-{organ.high}" for organ in organs)
        reason = f"grey levels outside every organ's range ({ranges}): "
    else:
        return
    exact = mask is not None and not is_interpolated(mask, organs)
    remedy = _remedy(levels, known, exact=exact)
    raise FileError(reason + describe_levels(histogram), remedy, "mask-levels")


def select(mask: NDArray[np.integer], low: int, high: int) -> NDArray[np.bool_]:
    """Give the pixels of one organ, boolean and of the mask's shape: ``low <= level <= high``."""
    return np.asarray((mask >= low) & (mask <= high), dtype=np.bool_)


def label_map(mask: NDArray[np.integer], organs: Sequence[Organ]) -> NDArray[np.uint8]:
    """Replace grey levels by the organs' labels; uint8, of the mask's shape; the rest becomes 0."""
    labels = np.zeros(mask.shape, dtype=np.uint8)
    for organ in organs:
        labels[select(mask, organ.low, organ.high)] = organ.label
    return labels


def level_table(values: NDArray[np.uint8], organs: Sequence[Organ]) -> bytes:
    """Write for `relabel` what each of 256 levels becomes, but for those that are of no organ.

    Those are the levels that `check_levels` would refuse of a mask of one level: it refuses no mask
    without one of them.
    """
    table = enumerate(values.tolist())
    return bytes(_ODD if _is_odd(level, organs) else value for level, value in table)


def relabel(mask: NDArray[np.integer], table: bytes, part: Part) -> NDArray[np.uint8] | None:
    """Replace the grey levels of a mask (rows, cols) by a `level_table`, in one pass.

    Outside ``part``, all of it is 0. Returns (rows, cols) uint8, or None where the levels have to
    be looked into first: one is of no organ, or they are of more than 8 bits.
    """
    if mask.dtype != np.uint8:
        return None
    shown = mask[part]
    found = shown.tobytes().translate(table)
    if _ODD in found:
        return None
    labels = np.full(mask.shape, table[0], np.uint8)
    labels[part] = np.frombuffer(found, np.uint8).reshape(shown.shape)
    return labels


def _is_binary(levels: set[int], organs: Sequence[Organ]) -> bool:
    """Whether somebody painted 255, which may lie in an organ's range but is not its level."""
    return levels == {255} and not any(organ.low >= _WHITE for organ in organs)


def _is_stranger(level: int, organs: Sequence[Organ]) -> bool:
    return not any(organ.low <= level <= organ.high for organ in organs)


def _is_odd(level: int, organs: Sequence[Organ]) -> bool:
    return level != 0 and (_is_stranger(level, organs) or _is_binary({level}, organs))


def areas(histogram: Mapping[int, int], organs: Sequence[Organ]) -> dict[str, int]:
    """Give the pixels of each organ that a mask's `level_histogram` shows at all."""
    found = {
        organ.name: sum(n for level, n in histogram.items() if organ.low <= level <= organ.high)
        for organ in organs
    }
    return {name: pixels for name, pixels in found.items() if pixels}


def label_areas(mask: NDArray[np.integer], labels: Mapping[int, str]) -> dict[str, int]:
    """Give the pixels of each organ that a mask's values may stand for, also where it is 0."""
    areas = dict.fromkeys(labels.values(), 0)
    for value, organ in labels.items():
        areas[organ] += int(np.count_nonzero(mask == value))
    return areas


class Level(msgspec.Struct, frozen=True):
    """One grey level of a mask: its pixels, and how they lie.

    `solid`: any has only its own level around it. `between`: how many lie strictly between the
    lowest and the highest level around them.
    """

    pixels: int
    solid: bool
    between: int


def mask_levels(mask: NDArray[Any]) -> dict[float, Level] | None:
    """The levels of a mask (rows, cols) but 0; None for fractions or more than 256 levels."""
    import cv2

    values, index = np.unique(mask, return_inverse=True)
    if len(values) > 256 or not np.array_equal(values, np.rint(values)):
        return None
    order = index.reshape(mask.shape).astype(np.uint8)
    around = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(order, around), cv2.dilate(order, around)
    counts = [
        np.bincount(order[where], minlength=len(values))
        for where in (np.full(order.shape, True), low == high, (low < order) & (order < high))
    ]
    return {
        float(value): Level(int(pixels), bool(solid), int(between))
        for value, pixels, solid, between in zip(values, *counts, strict=True)
        if value
    }


def rim(levels: Mapping[float, Level], labels: Collection[float]) -> dict[float, Level]:
    """Those levels that interpolation made: no ``labels``, and mostly between two other levels."""
    return {
        value: level
        for value, level in levels.items()
        if value not in labels and 2 * level.between >= level.pixels
    }


def is_interpolated(mask: NDArray[np.integer], organs: Sequence[Organ]) -> bool:
    """Whether levels of no organ look like rims between labels, not like labels of their own."""
    levels = mask_levels(mask)
    if levels is None:
        return True
    solid = {value for value, level in levels.items() if level.solid}
    return any(_is_stranger(int(value), organs) for value in rim(levels, solid))


def _remedy(levels: set[int], known: Known, *, exact: bool) -> str:
    for name, table in known.levels.items():
        if levels <= table.exact and levels & table.telling:
            return f"These are the levels of the {table.release}: use --levels {name}."
    if levels in ({1}, {255}):
        (level,) = levels
        return f"Say what it shows: chaosprep split --labels {level}=liver, or whatever it is."
    if exact:
        return (
            f"It is a label map with numbers other than {known.name}'s: say what they stand for, "
            "chaosprep split --labels 1=liver,2=spleen, and take organs by name: extract-labels."
        )
    return (
        "The mask may have been interpolated; the original one is better. "
        "--lenient-masks takes the levels in range and counts the rest as background."
    )
