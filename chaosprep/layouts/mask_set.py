"""Cases with their masks alone, wherever these come from: to be measured."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.organs import unnamed
from chaosprep.dataset.stacking import Placed, case_lattice
from chaosprep.errors import FileError, Problem, about
from chaosprep.files import read_regular
from chaosprep.formats.masks import read_plane
from chaosprep.imaging.levels import level_histogram
from chaosprep.imaging.limits import check_bytes
from chaosprep.imaging.space.lattice import Lattice

Organs = tuple[str, ...]
BINARY = (1, 255)
"""What tools write for `yes`."""
UNNAMED = "mask"
"""The only structure of masks that nobody names."""


@dataclass(frozen=True, eq=False)
class CaseMasks:
    """The masks of a case as one label map: uint8 (slices, rows, cols), 0 or place in organs + 1.

    ``names`` are the slices' names, in order; a volume has none. ``files`` are their other names,
    those of the reference's own files. Without a ``lattice`` the size of voxels is not known.
    ``is_placed``: the lattice says where the voxels lie, not their size alone; ``is_cropped``:
    nothing is shown beyond it. ``before`` gives the same masks on the pixels that a stage resized,
    or None where cropping lost some of them. ``is_restacked``: its slices were made anew, and their
    names are not those of the slices that they came from.
    """

    voxels: NDArray[np.uint8]
    names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    lattice: Lattice | None = None
    is_placed: bool = True
    is_cropped: bool = False
    before: Callable[[], "CaseMasks | None"] | None = None
    is_restacked: bool = False


@dataclass(frozen=True)
class MaskCase:
    """A case before its masks are read; it pickles.

    ``id`` is what cases are matched by, ``organs`` what its masks may show. ``read`` reads
    the masks for some organs, others counting as background, and raises `FileError` for what is
    wrong with the case.
    """

    id: str
    patient: str
    organs: Organs
    read: Callable[[Organs], CaseMasks]
    split: str | None = None
    sequence: str | None = None


@dataclass(frozen=True)
class MaskSet:
    """Masks of one layout: what they are, their cases by id, and their organs in order.

    ``values`` and ``labels`` are what stands for each organ in pictures and in volumes that do not
    say it themselves. ``in_mm``: it knows the size of its voxels. ``in_patients``: it knows whose
    each case is; otherwise each is a patient of its own. ``is_unnamed``: nothing says what the
    values stand for, and the organs are called `mask` or `label-1`, `label-2`, ... ``is_volumes``:
    a case is one file, whose name it has. ``sources`` are the names of the files that cases were
    predicted on, without their ending, as far as that is written down.
    """

    kind: str
    path: Path
    members: Mapping[str, MaskCase]
    organs: Organs
    values: Mapping[int, str]
    labels: Mapping[int, str]
    in_mm: bool = True
    in_patients: bool = True
    is_unnamed: bool = False
    is_volumes: bool = False
    problems: tuple[Problem, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)


def plane_of(file: Path) -> NDArray[Any]:
    """The mask of a slice from a file of its own, whole numbers (rows, cols).

    Raises:
        FileError: with the file's name.
    """
    with about(file.name):
        return read_plane(file.name, read_regular(file))


def stack(planes: Iterable[NDArray[np.uint8]], count: int) -> NDArray[np.uint8]:
    """Slices of one size, (rows, cols) each, read one after the other, as a volume of ``count``.

    Raises:
        FileError: `size-mismatch`, `too-large` or `no-original`.
    """
    found: list[NDArray[np.uint8]] = []
    for plane in planes:
        check_bytes(count * plane.size, 1)
        if found and plane.shape != found[0].shape:
            sizes = " and ".join(f"{one.shape[0]}x{one.shape[1]}" for one in (found[0], plane))
            raise FileError(
                f"its slices have different sizes: {sizes}",
                "Give the slices of each size a folder of their own, on both sides.",
                code="size-mismatch",
            )
        found.append(plane)
    if not found:
        raise FileError(
            "all of its slices are augmented copies", "Leave the case out.", code="no-original"
        )
    return np.stack(found)


def as_organs(
    array: NDArray[Any],
    values: Mapping[int, str],
    organs: Sequence[str],
    file: str,
    lone: Container[int] | None = None,
) -> NDArray[np.uint8]:
    """Turn the values of a mask into places in `organs` + 1; any shape.

    Where the values stand for one organ only, a file with one value shows that organ: whichever
    value it is, or one of ``lone``.

    Raises:
        FileError: `mask-values`, a value stands for no organ.
    """
    shown = [value for value in level_histogram(array) if value]
    known = set(values.values())
    if len(known) == 1 and len(shown) == 1 and (lone is None or shown[0] in lone):
        values = dict.fromkeys(shown, next(iter(known)))
    strange = [value for value in shown if value not in values]
    if strange:
        legend = ", ".join(f"{value} {organ}" for value, organ in sorted(values.items()))
        reason = (
            f"it holds {', '.join(map(str, strange[:8]))}, which stands for no organ ({legend})"
        )
        with about(file):
            raise FileError(reason, "Save it with the reference's values.", "mask-values")
    table = np.zeros(max(shown, default=0) + 1, np.uint8)
    for value in shown:
        organ = values[value]
        table[value] = organs.index(organ) + 1 if organ in organs else 0
    found: NDArray[np.uint8] = table[array]
    return found


def name_values(values: Iterable[int]) -> dict[int, str]:
    """Names for what no file explains: `mask` for a single value, `label-1`, `label-2`, ... ."""
    found = sorted(set(values) - {0})
    if len(found) < 2:
        return {found[0] if found else 1: UNNAMED}
    return {value: unnamed(value) for value in found}


def in_order(values: Mapping[int, str]) -> Organs:
    """The organs in the order of their lowest values."""
    return tuple(dict.fromkeys(values[value] for value in sorted(values)))


def known_lattice(slices: Sequence[Placed]) -> Lattice | None:
    """The lattice of a case's slices; None where their geometry is not known.

    Raises:
        FileError: what else `case_lattice` raises.
    """
    try:
        return case_lattice(slices)
    except FileError as error:
        if error.code == "geometry-unknown":
            return None
        raise


def name_twice(id: str, stem: str) -> Problem:
    """The problem of two files that differ in their ending or folder only."""
    reason = f"two files have the name {stem} and differ only in their ending or folder"
    return Problem(code="name-twice", id=id, reason=reason, remedy="Keep one of them.")
