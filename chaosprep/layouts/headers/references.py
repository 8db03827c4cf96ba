"""Volumes by what a SEG or a structure set refers to: their images, series, frames of reference."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.dicom.kinds import sop_class
from chaosprep.formats.rtstruct import SOP_CLASS
from chaosprep.formats.rtstruct_file import open_structures, reading
from chaosprep.formats.seg_file import read_references
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.imaging.space.nearest import ENOUGH
from chaosprep.imaging.space.placing import locate
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.headers.grids import lattice_of
from chaosprep.layouts.headers.head import Refers


@dataclass(frozen=True)
class Referred:
    """The volumes that a mask may be of.

    ``certain`` where it refers to their images or series; else it shares their frame of reference.
    """

    volumes: tuple[Volume, ...]
    certain: bool


class References:
    """The volumes by the UIDs of their images, series and frames of reference."""

    def __init__(self, volumes: Sequence[Volume]) -> None:
        self._of_file: dict[str, dict[Volume, None]] = defaultdict(dict)
        self._of_frame: dict[tuple[str, int], dict[Volume, None]] = defaultdict(dict)
        self._of_series: dict[str, dict[Volume, None]] = defaultdict(dict)
        self._of_space: dict[str, dict[Volume, None]] = defaultdict(dict)
        for volume in volumes:
            for head in volume.heads:
                uid = head.sop_instance_uid
                self._of_file[uid][volume] = None
                if head.frame is not None:
                    self._of_frame[uid, head.frame + 1][volume] = None
            said = [head.evidence for head in volume.heads]
            for series in {one.get("SeriesInstanceUID", "") for one in said}:
                self._of_series[series][volume] = None
            for space in {one.get("FrameOfReferenceUID", "") for one in said}:
                self._of_space[space][volume] = None

    def find(self, refers: Refers) -> Referred:
        """The volumes of the images that a mask refers to, else of the series, else of the space.

        None of them where nothing that it refers to is there.
        """
        found: dict[Volume, None] = {}
        in_part = {uid for uid, _ in refers.frames}
        for uid in sorted(refers.instances - in_part):
            found |= self._of_file.get(uid, {})
        for frame in sorted(refers.frames):
            found |= self._of_frame.get(frame) or self._of_file.get(frame[0], {})
        for uid in () if found else sorted(refers.series - {""}):
            found |= self._of_series.get(uid, {})
        if found or refers.instances or refers.series - {""}:
            return Referred(tuple(found), certain=True)
        space = refers.frame_of_reference
        return Referred(tuple(self._of_space.get(space, {}) if space else ()), certain=False)


def fitting(volumes: Sequence[Volume], data: bytes) -> tuple[Volume, ...]:
    """Those of some volumes on which a SEG or a structure set lies with all of its planes.

    None where it has no planes.

    Args:
        volumes: those that it may be of.
        data: the bytes of its file.

    Raises:
        FileError: what `read_references` and `open_structures` raise.
    """
    lies = _contours(data) if sop_class(data) == SOP_CLASS else _frames(data)
    lattices = ((volume, lattice_of(volume.heads)) for volume in volumes)
    return tuple(one for one, lattice in lattices if lattice is not None and lies(lattice))


def _frames(data: bytes) -> Callable[[Lattice], bool]:
    """Whether all frames of a SEG lie in the planes of a stack, pixel on pixel."""
    grids = [frame.grid for frame in read_references(data)[1] if frame.grid is not None]

    def lies(stack: Lattice) -> bool:
        return bool(grids) and all(_is_in(grid, stack) for grid in grids)

    return lies


def _is_in(grid: Lattice, stack: Lattice) -> bool:
    try:
        locate(grid, stack)
    except FileError:
        return False
    return True


def _contours(data: bytes) -> Callable[[Lattice], bool]:
    """Whether all contours of a structure set lie in the planes of a stack, inside its area."""
    with reading():
        rois, _ = open_structures(data)
        points = [one.points for roi in rois for one in roi.contours() if len(one.points) > 2]

    def lies(stack: Lattice) -> bool:
        if not points or not abs(np.linalg.det(stack.steps)) > 0:
            return False
        inverse = np.linalg.inv(stack.steps)
        return all(_are_in((one - stack.origin) @ inverse.T, stack.shape) for one in points)

    return lies


def _are_in(voxels: NDArray[np.float64], shape: tuple[int, int, int]) -> bool:
    """Whether points, (points, 3) rows, columns and slices, lie in one slice and its area."""
    slices = voxels[:, 2]
    place = np.rint(slices[0])
    inside = (voxels[:, :2] > -1).all() and (voxels[:, :2] < shape[:2]).all()
    return bool((np.abs(slices - place) <= ENOUGH).all() and 0 <= place < shape[2] and inside)
