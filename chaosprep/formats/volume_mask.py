"""A volume of labels that says where its voxels lie: laid on images, or measured by itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.mask_file import surplus
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import as_labels
from chaosprep.imaging.overlaps import Overlaps
from chaosprep.imaging.space.lattice import Lattice, Volume
from chaosprep.imaging.space.placing import Place, image_grid, locate


class VolumeMask:
    """A volume of labels: each image gets the voxels that lie at its pixels.

    Args:
        images: the images in anatomical order.
        lattice: where the voxels lie, indexed (i, j, k).
        read: gives the voxels (i, j, k), or layers of them (i, j, k, layer); called once a place is
            found.
        unsure: the radians that the lattice may be turned by, for want of digits.
        names: label -> what it stands for.
        paint: makes the labels (rows, cols) of a plane of layers (rows, cols, layer).
        overlaps: what it paints with, where structures may lie on one voxel.
        cropped: whether there is nothing where the voxels do not reach; that is noted.

    Raises:
        FileError: what `read` raises, or `mask-grid` or `mask-missing` where no image at all lies
            in it.
    """

    note: str | None = None

    def __init__(
        self,
        images: Sequence[Header],
        lattice: Lattice,
        read: Callable[[], NDArray[Any]],
        *,
        unsure: float = 0.0,
        names: Mapping[int, str] | None = None,
        paint: Callable[[NDArray[Any]], NDArray[Any]] = np.asarray,
        overlaps: Overlaps | None = None,
        cropped: bool = False,
    ) -> None:
        self.names = names or {}
        self._images = images
        self._shape = lattice.shape
        self._paint, self._painted = paint, overlaps
        self._cropped = cropped
        self._places: dict[int, Place] = {}
        self._errors: dict[int, FileError] = {}
        for index, image in enumerate(images):
            try:
                plane = image_grid(image)
                turned = lattice.turned_to(plane, unsure)
                self._places[index] = locate(plane, turned, cropped=cropped)
            except FileError as error:
                self._errors[index] = error
        if self._errors and not self._places:
            raise self._errors[0]
        if cropped:
            self._crop()
        self._voxels = read()

    @property
    def overlaps(self) -> Mapping[int, tuple[int, ...]]:
        """Value -> the labels of all structures that lie where it stands."""
        return {} if self._painted is None else self._painted.values

    def plane(self, index: int) -> NDArray[Any]:
        """The voxels at the pixels of an image.

        Raises:
            FileError: what `locate` raises, or its layers cannot be painted.
        """
        if index in self._errors:
            raise self._errors[index]
        header, place = self._images[index], self._places[index]
        take = place.take_within if self._cropped else place.take
        return self._paint(take(self._voxels, header.rows, header.cols))

    def surplus(self) -> FileError | None:
        """The error of slices that no image lies in; none where images do not lie on the grid."""
        if any(error.code == "mask-grid" for error in self._errors.values()):
            return None
        used = self._used()
        unused = self._shape[next(iter(used))[0]] - len(used) if used else 0
        return surplus(unused, "slices") if unused > 0 else None

    def _used(self) -> set[tuple[int, int]]:
        """The slices that images lie in: the axis that stands on them, and the place along it."""
        every = {(at.across, int(at.start[at.across])) for at in self._places.values()}
        return {(axis, place) for axis, place in every if 0 <= place < self._shape[axis]}

    def _crop(self) -> None:
        """Note that the voxels do not reach all of the images. Raises where they reach none."""
        used = self._used()
        if self._places and not used:
            raise FileError(
                "the mask does not reach any of the images",
                "Find the mask that was drawn on this series.",
                code="mask-missing",
            )
        across = {axis for axis, _ in used}
        area = sorted(self._shape[axis] for axis in {0, 1, 2} - across)
        images = (self._images[index] for index in self._places)
        full = all(area == sorted((image.rows, image.cols)) for image in images)
        if not full or len(used) < len(self._places):
            self.note = (
                "the mask is cropped to its structures: beyond its area and slices there are none"
            )


def as_volume(lattice: Lattice, read: Callable[[], NDArray[Any]]) -> Volume:
    """The labels, uint8 or uint16 (slices, rows, cols), on their own lattice.

    Args:
        lattice: where the voxels lie, indexed (i, j, k).
        read: gives the voxels (i, j, k).

    Raises:
        FileError: what `read` and `as_labels` raise, or `geometry-unknown`.
    """
    if not (np.isfinite([*lattice.spacing, *lattice.origin]).all() and min(lattice.spacing) > 0):
        raise without_size()
    i, j, k = lattice.shape
    turned = Lattice((k, j, i), lattice.origin, lattice.steps[:, ::-1])
    return Volume(as_labels(read().T), turned)


def without_size() -> FileError:
    """The error of a header that does not tell how large its voxels are."""
    return FileError(
        "the header gives its voxels no size above 0",
        "Write it again with the image's geometry.",
        code="geometry-unknown",
    )


def without_place(why: str) -> FileError:
    """The error of a header that does not tell where its voxels lie; `why` as a clause."""
    return FileError(
        f"the file does not say where its voxels lie: {why}",
        "Write it again with the geometry of its image, or give an npy array (slices, rows, "
        "cols), which is taken in anatomical order.",
        code="mask-grid",
    )
