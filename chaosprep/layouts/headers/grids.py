"""Volumes by the grids that they lie on: which of them a mask that says its place lies on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.mask_file import Lies
from chaosprep.imaging.space.lattice import Lattice, plane_lattice
from chaosprep.imaging.space.nearest import SAME_PLACE
from chaosprep.imaging.space.orientations import SAME_ORIENTATION
from chaosprep.imaging.space.placing import locate
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.headers.head import Head

_CELL = 8.0  # mm; the middles of one grid, rounded twice, are nearer
_DIGITS = 4  # of mm: volumes of one grid are asked once
_LOOSE = 0.2  # of a step: what is nearer is looked at
_FAR = 1e6  # mm: nothing of a patient lies there
_FLAT = 1e-6  # mm^3: axes that span less are none

Cell = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Grid:
    """The grid of a stack of slices, (rows, cols, slices), and who has which volumes on it."""

    lattice: Lattice
    by_person: dict[str, list[Volume]] = field(default_factory=dict)

    def holds(self, lies: Lies) -> bool:
        """Whether a mask lies on the grid, voxel on pixel; all of it, where it is not cropped.

        Axes may be exchanged and run backwards.
        """
        rows, cols, count = self.lattice.shape
        mask = lies.lattice
        if not lies.cropped and sorted(mask.shape) != sorted(self.lattice.shape):
            return False
        found = []
        for at in (0, count - 1):
            origin = self.lattice.origin + at * self.lattice.steps[:, 2]
            plane = Lattice((rows, cols, 1), origin, self.lattice.steps)
            try:
                place = locate(plane, mask.turned_to(plane, lies.unsure), cropped=lies.cropped)
            except FileError:
                return False
            found.append(int(place.start[place.across]))
        if lies.cropped:
            return abs(found[1] - found[0]) == count - 1
        return {*found} == {0, count - 1}


class Grids:
    """The grids of many volumes; those without positions, or of several stacks, have none."""

    def __init__(self, volumes: Iterable[Volume]) -> None:
        grids: dict[tuple[int, ...], Grid] = {}
        for volume in volumes:
            if (lattice := lattice_of(volume.heads)) is not None:
                numbers = np.concatenate([lattice.origin, lattice.steps.ravel()])
                places = np.rint(numbers * 10**_DIGITS).astype(np.int64)
                grid = grids.setdefault((*lattice.shape, *places.tolist()), Grid(lattice))
                grid.by_person.setdefault(volume.person, []).append(volume)
        self._grids = [*grids.values()]
        self._near: dict[Cell, list[Grid]] = defaultdict(list)
        for grid in self._grids:
            self._near[_cell(grid.lattice)].append(grid)

    def fitting(self, lies: Lies) -> list[Grid]:
        """The grids that a mask lies on, voxel on pixel."""
        if not _is_somewhere(lies.lattice):
            return []
        near = self._around if lies.cropped else self._beside
        return [grid for grid in near(lies.lattice) if grid.holds(lies)]

    def of_other_length(self, lattice: Lattice) -> Grid | None:
        """The grid of the same area, in the same planes, that has more or fewer slices."""
        if not _is_somewhere(lattice):
            return None
        inverses, origins, shapes = self._arrays
        at = np.einsum("gij,gjc->gic", inverses, lattice.corners() - origins[:, :, None])
        low, high = at.min(axis=2), at.max(axis=2)
        ends = shapes - 1
        alike = (np.abs(low[:, :2]) < _LOOSE) & (np.abs(high - ends)[:, :2] < _LOOSE)
        meet = (high[:, 2] > -_LOOSE) & (low[:, 2] < ends[:, 2] + _LOOSE)
        differ = np.prod(shapes, axis=1) != np.prod(lattice.shape)
        found = np.flatnonzero(alike.all(axis=1) & meet & differ)
        return self._grids[int(found[0])] if found.size else None

    def _beside(self, lattice: Lattice) -> Iterator[Grid]:
        """The grids of as many voxels whose middles are near."""
        shape, cell = _cell(lattice)
        for off in product((-1, 0, 1), repeat=3):
            yield from self._near.get((shape, tuple(map(sum, zip(cell, off, strict=True)))), ())

    def _around(self, lattice: Lattice) -> Iterator[Grid]:
        """The grids of which the first voxel of a cropped mask is one."""
        inverses, origins, shapes = self._arrays
        at = np.einsum("gij,gj->gi", inverses, lattice.origin - origins)
        near = (np.abs(at - np.rint(at)) < _LOOSE) & (at > -0.5) & (at < shapes - 0.5)
        return (self._grids[number] for number in np.flatnonzero(near.all(axis=1)).tolist())

    @cached_property
    def _arrays(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Of all grids: their inverse steps, origins and shapes."""
        every = [grid.lattice for grid in self._grids]
        steps = np.array([one.steps for one in every], np.float64).reshape(-1, 3, 3)
        origins = np.array([one.origin for one in every], np.float64).reshape(-1, 3)
        return np.linalg.inv(steps), origins, np.array([one.shape for one in every]).reshape(-1, 3)


def lattice_of(heads: Sequence[Head]) -> Lattice | None:
    """The lattice of the slices of a volume, (rows, cols, slices), in the order along their normal.

    None where they do not say where they lie, or not all in one direction. Steps between slices are
    all taken for equal: the first and the last one lie where they should.
    """
    first = heads[0]
    if first.orientation is None or first.pixel_spacing is None:
        return None
    positions = np.array([head.position for head in heads if head.position], np.float64)
    turned = np.array([head.orientation for head in heads if head.orientation], np.float64)
    if not len(positions) == len(turned) == len(heads):
        return None
    shape = first.rows, first.cols
    plane = plane_lattice(shape, first.position or (), first.orientation, first.pixel_spacing)
    if (
        not np.abs(turned - first.orientation).max() <= SAME_ORIENTATION
        or not abs(np.linalg.det(plane.steps)) > _FLAT
    ):
        return None
    heights = positions @ plane.steps[:, 2]
    low, high = int(heights.argmin()), int(heights.argmax())
    count = 1 + int((np.diff(np.sort(heights)) > SAME_PLACE).sum())
    steps = plane.steps.copy()
    if count > 1:
        steps[:, 2] = (positions[high] - positions[low]) / (count - 1)
    return Lattice((*shape, count), positions[low], steps)


def _is_somewhere(lattice: Lattice) -> bool:
    return bool((np.abs([*lattice.origin, *lattice.steps.ravel()]) < _FAR).all())


def _cell(lattice: Lattice) -> Cell:
    """The sizes of the axes in any order, and where its middle is, to some mm."""
    middle = lattice.corners().mean(axis=1)
    cell = np.clip(np.floor(middle / _CELL), -(2**40), 2**40).astype(np.int64)
    return tuple(sorted(lattice.shape)), tuple(cell.tolist())
