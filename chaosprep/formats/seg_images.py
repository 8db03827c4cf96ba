"""Which images a DICOM SEG was made on: those that it lists, and those of their series or stack."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.seg_file import Frame, References
from chaosprep.imaging.header import Header
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.imaging.space.placing import THROUGH_PLANE, image_grid, locate

NEAR = 0.05  # mm between the planes of a frame and its image


def unlisted(images: Sequence[Header], references: References) -> set[int]:
    """The images that a SEG does not list; none where it lists nothing."""
    if not references.images:
        return set()
    found = enumerate(images)
    return {at for at, image in found if image.sop_instance_uid not in references.images}


def foreign(images: Sequence[Header], references: References, frames: Sequence[Frame]) -> set[int]:
    """The images that a SEG was not made on.

    What it does not list is its own all the same, and empty, where it lies in its frame of
    reference and in the planes' stack, and is of the referenced series. The series may be another
    one only where every image has a series of its own (some anonymisers), or nobody says it; then
    some image must be listed, or the frame of reference be the same, and the distance be a multiple
    of the step between planes.
    """
    strange = unlisted(images, references)
    series = [image.evidence.get("SeriesInstanceUID", "") for image in images]
    own = references.series or {series[at] for at in range(len(images)) if at not in strange} - {""}
    alone = len(set(series)) == len(images)
    known = len(strange) < len(images)
    planes = _Planes([frame for frame in frames if frame.grid is not None])
    found: set[int] = set()
    for at, image in enumerate(images):
        space = image.evidence.get("FrameOfReferenceUID", "")
        same = space == references.frame_of_reference and bool(space)
        if at not in strange and references.images:
            continue
        if space and references.frame_of_reference and not same:
            found.add(at)
        elif at in strange and series[at] in own:
            if planes.are_off(image):
                found.add(at)
        elif at in strange:
            another = bool(series[at] and own) and not (alone and known)
            if another or not (known or same) or not planes.have(image):
                found.add(at)
    return found


class _Planes:
    """The stack that the planes of a SEG's frames stand in."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._grid = next((frame.grid for frame in frames), None)
        self._along = np.zeros(3)
        self._step = next((frame.step for frame in frames if frame.step), None)
        if self._grid is None:
            return
        normal = self._grid.steps[:, 2]
        self._along = normal
        origins = [frame.grid.origin for frame in frames if frame.grid is not None]
        places = [float(normal @ (origin - self._grid.origin)) for origin in origins]
        first, last = int(np.argmin(places)), int(np.argmax(places))
        length = places[last] - places[first]
        if length > NEAR:  # a tilted stack does not run along its normal
            self._along = (origins[last] - origins[first]) / length
            steps = np.diff(sorted(places))
            self._step = self._step or float(steps[steps > NEAR].min())

    def are_off(self, image: Header) -> bool:
        """Whether an image that says where it lies is on another grid than the frames."""
        if self._grid is None or image.image_position_patient is None:
            return False
        return self._moved(image) is None

    def have(self, image: Header) -> bool:
        """Whether an image lies in the stack, a whole number of steps away."""
        moved = self._moved(image)
        if moved is None or not self._step:
            return False
        steps = moved / self._step
        return abs(steps - round(steps)) <= THROUGH_PLANE

    def _moved(self, image: Header) -> float | None:
        """The mm along the normal from the first frame to an image on the same grid."""
        if self._grid is None:
            return None
        try:
            grid = image_grid(image)
            off: NDArray[np.float64] = grid.origin - self._grid.origin
            moved = float(self._grid.steps[:, 2] @ off)
            origin = self._grid.origin + moved * self._along
            locate(grid, Lattice(self._grid.shape, origin, self._grid.steps))
        except FileError:
            return None
        return moved
