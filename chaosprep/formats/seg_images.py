"""Which images a DICOM SEG was made on: those that it lists, and those of their series or stack."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.seg_file import Frame, References
from chaosprep.imaging.header import Header
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.imaging.space.nearest import ENOUGH
from chaosprep.imaging.space.placing import image_grid, locate

NEAR = 0.05  # mm between the planes of a frame and its image


def unlisted(images: Sequence[Header], references: References) -> set[int]:
    """The images that a SEG does not list; none where it lists nothing."""
    if not references.images:
        return set()
    found = enumerate(images)
    return {at for at, image in found if image.sop_instance_uid not in references.images}


def foreign(images: Sequence[Header], references: References, frames: Sequence[Frame]) -> set[int]:
    """The images that a SEG was not made on: neither listed, nor of its series or stack.

    One that is not listed must lie in its frame of reference and on its grid, and be of the
    referenced series. Its series may be unknown, or another one where every image has its own (some
    anonymisers make it so); then it must lie a whole number of steps away, and another image be
    listed, or the frame of reference be known to be the same.
    """
    strange = unlisted(images, references)
    asked = strange if references.images else {*range(len(images))}
    series = [image.evidence.get("SeriesInstanceUID", "") for image in images]
    own = references.series or {series[at] for at in range(len(images)) if at not in strange} - {""}
    some_listed = len(strange) < len(images)
    one_each = some_listed and len(set(series)) == len(images)
    planes = _Planes(frames, images)

    def belongs(at: int) -> bool:
        here, there = images[at].evidence.get("FrameOfReferenceUID", ""), references.space
        if here and there and here != there:
            return False
        if at not in strange:  # nothing is listed: the place decides
            return True
        if series[at] in own:
            return not planes.are_off(images[at])
        if series[at] and own and not one_each:
            return False
        return (some_listed or bool(here and there)) and planes.have(images[at])

    return {at for at in asked if not belongs(at)}


class _Planes:
    """The stack that the planes of a SEG's frames stand in; of one plane, that of the images."""

    def __init__(self, frames: Sequence[Frame], images: Sequence[Header]) -> None:
        self._step = next((frame.step for frame in frames if frame.step), None)
        grids = [frame.grid for frame in frames if frame.grid is not None]
        self._grid = grids[0] if grids else None
        if not grids:
            return
        self._along = normal = grids[0].steps[:, 2]
        places = [image.image_position_patient for image in images]
        of_images = [np.array(place) for place in places if place is not None]
        for origins in ([grid.origin for grid in grids], of_images):
            heights = [float(normal @ origin) for origin in origins]
            length = max(heights, default=0.0) - min(heights, default=0.0)
            if length > NEAR:  # a tilted stack does not run along its normal
                low, high = origins[np.argmin(heights)], origins[np.argmax(heights)]
                self._along = (high - low) / length
                steps = np.diff(sorted(heights))
                self._step = self._step or float(steps[steps > NEAR].min(initial=length))
                return

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
        return abs(steps - round(steps)) <= ENOUGH

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
