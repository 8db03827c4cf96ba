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
        read: gives the voxels (i, j, k); called once a place is found.
        unsure: the radians that the lattice may be turned by, for want of digits.
        names: label -> what it stands for.
        overlaps: what painted the voxels, where structures may lie on one.

    Raises:
        FileError: what `read` raises, or `mask-grid` where no image at all lies in it.
    """

    note = None

    def __init__(
        self,
        images: Sequence[Header],
        lattice: Lattice,
        read: Callable[[], NDArray[Any]],
        *,
        unsure: float = 0.0,
        names: Mapping[int, str] | None = None,
        overlaps: Overlaps | None = None,
    ) -> None:
        self.names = names or {}
        self._images = images
        self._shape = lattice.shape
        self._painted = overlaps
        self._places: dict[int, Place] = {}
        self._errors: dict[int, FileError] = {}
        for index, image in enumerate(images):
            try:
                plane = image_grid(image)
                self._places[index] = locate(plane, lattice.turned_to(plane, unsure))
            except FileError as error:
                self._errors[index] = error
        if self._errors and not self._places:
            raise self._errors[0]
        self._voxels = read()

    @property
    def overlaps(self) -> Mapping[int, tuple[int, ...]]:
        """Value -> the labels of all structures that lie where it stands."""
        return {} if self._painted is None else self._painted.values

    def plane(self, index: int) -> NDArray[Any]:
        """The voxels at the pixels of an image. Raises `FileError`: what `locate` raises."""
        if index in self._errors:
            raise self._errors[index]
        header = self._images[index]
        return self._places[index].take(self._voxels, header.rows, header.cols)

    def surplus(self) -> FileError | None:
        """The error of slices that no image lies in; none where images do not lie on the grid."""
        if any(error.code == "mask-grid" for error in self._errors.values()):
            return None
        used = {(at.across, int(at.start[at.across])) for at in self._places.values()}
        unused = self._shape[next(iter(used))[0]] - len(used) if used else 0
        return surplus(unused, "slices") if unused > 0 else None


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
