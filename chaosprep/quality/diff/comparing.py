"""One case of both sides, slice by slice: nothing is read whose bytes are known to be equal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chaosprep.errors import about
from chaosprep.imaging.limits import size_text
from chaosprep.quality.diff.found import CaseDiff, Changed, ImageChange, MaskChange
from chaosprep.quality.diff.sides import GEOMETRY, Hashes, Member, One, Plane

_NEAR = 1e-3  # mm, and of a cosine: what float32 in a header and rounded decimals come to

Vector = Any  # numbers of which some may be None, or None


@dataclass(frozen=True)
class Task:
    """A case of both sides, and what both can be compared by."""

    a: Member
    b: Member
    with_images: bool


def compare_case(task: Task) -> CaseDiff:
    """What came, went and changed among the slices of a case.

    Raises:
        FileError: one of the sides cannot be read.
    """
    first, second = task.a.read(), task.b.read()
    a, b = ({one.id: one for one in read.slices} for read in (first, second))
    images: list[ImageChange] = []
    masks: list[MaskChange] = []
    rows: list[Changed] = []
    same = rewritten = 0
    for id in sorted(a.keys() & b.keys()):
        with about(id):
            found = list(_pixels(task, a[id], b[id]))
        images += [one for one in found if isinstance(one, ImageChange)]
        masks += [one for one in found if isinstance(one, MaskChange)]
        rows += _row(a[id], b[id])
        same += not found
        rewritten += not found and _is_rewritten(a[id].bytes_, b[id].bytes_)
    return CaseDiff(
        id=task.a.id,
        came=tuple(sorted(b.keys() - a.keys())),
        went=tuple(sorted(a.keys() - b.keys())),
        images=tuple(images),
        masks=tuple(masks),
        rows=tuple(rows),
        same=same,
        rewritten=rewritten,
        problems=first.problems + second.problems,
    )


def _is_rewritten(a: Hashes | None, b: Hashes | None) -> bool:
    return a is not None and b is not None and a != b


def _pixels(task: Task, a: One, b: One) -> Iterator[ImageChange | MaskChange]:
    """What differs; files of equal bytes that are read alike are not opened."""
    read_alike = None in (a.reading, b.reading) or a.reading == b.reading
    first, second = (one.bytes_ if one.bytes_ and read_alike else (None, None) for one in (a, b))
    if None not in (a.bytes_, b.bytes_):
        a.check()
        b.check()
    if task.with_images and (first[0] is None or first[0] != second[0]):
        change = _image(a.id, a.image(), b.image())
        if change is not None:
            yield change
    if first[1] is None or first[1] != second[1]:
        yield from _masks(a, b)


def _image(id: str, a: Plane | None, b: Plane | None) -> ImageChange | None:
    if a is None or b is None:
        sizes = ("nothing" if plane is None else size_text(plane.shape) for plane in (a, b))
        return None if a is b else ImageChange(id, 0, 0.0, ", ".join(sizes))
    if a.shape != b.shape:
        return ImageChange(id, 0, 0.0, f"{size_text(a.shape)}, {size_text(b.shape)}")
    differ = (a != b) & ~(np.isnan(a) & np.isnan(b))
    pixels = int(np.count_nonzero(differ))
    if not pixels:
        return None
    apart = np.abs(a[differ].astype(np.float64) - b[differ].astype(np.float64))
    return ImageChange(id, pixels, float(apart.max()))


def _masks(a: One, b: One) -> Iterator[MaskChange]:
    first, second = a.mask(), b.mask()
    if first is None or second is None:
        if first is not second:
            yield MaskChange(a.id, "", 0, 0, 0, "mask came" if first is None else "mask went")
        return
    for organ in sorted(first.keys() | second.keys()):
        one, other = first.get(organ), second.get(organ)
        if one is not None and other is not None and one.shape != other.shape:
            sizes = f"{size_text(one.shape)}, {size_text(other.shape)}"
            yield MaskChange(a.id, "", 0, 0, 0, size=sizes)
            return
        before, now = (0 if plane is None else int(plane.sum()) for plane in (one, other))
        both = 0 if one is None or other is None else int((one & other).sum())
        if not before == now == both:
            yield MaskChange(a.id, organ, before, now, both)


def _row(a: One, b: One) -> Iterator[Changed]:
    """What differs in the columns that both have: in rows of tables exactly, else in space."""
    tables = a.row.keys() == b.row.keys() != {*GEOMETRY}
    for name in (name for name in a.row if name in b.row):
        one, other = a.row[name], b.row[name]
        if one != other and (tables or not _near(one, other)):
            texts = (f"{value}" if tables else _text(value) for value in (one, other))
            yield Changed(f"{a.id} {name}", *texts)


def _near(a: Vector, b: Vector) -> bool:
    """Whether places are equal but for the rounding of files; what one alone knows is passed."""
    pairs = zip(a or (), b or (), strict=False)
    return all(None in (one, other) or abs(one - other) <= _NEAR for one, other in pairs)


def _text(value: Vector) -> str:
    return ", ".join("unknown" if one is None else f"{one + 0.0:.6g}" for one in value or ())
