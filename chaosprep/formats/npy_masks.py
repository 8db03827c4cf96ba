"""Label arrays in npy files: of one slice, or of a series in the order of its positions."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.mask_file import MaskFormat, Opening
from chaosprep.formats.npy import read_npy
from chaosprep.imaging.labels import Labels, as_labels, check_same_size

BY_ORDER = "the mask array has no geometry: its slices were taken in the order of the positions"


class NpyMask:
    """A 3-D array, (slices, rows, cols): its slices are the images in anatomical order.

    Raises:
        FileError: `mask-unreadable`, `mask-kind`, or `mask-count` where no rank can be told.
    """

    note = BY_ORDER
    names: Mapping[int, str] = {}

    def __init__(self, opening: Opening) -> None:
        self._voxels = read_npy(opening.data, dimensions=3)
        self._images = opening.images
        if not len(self._voxels) == opening.count == len(self._images):
            raise FileError(
                f"its {len(self._voxels)} slices cannot be told to {opening.count} images, "
                f"{len(self._images)} readable",
                "Bring back the missing files, or give the mask as NIfTI, which has positions.",
                code="mask-count",
            )

    def plane(self, index: int) -> NDArray[Any]:
        """The slice of that number. Raises `FileError`: `size-mismatch`."""
        plane: NDArray[Any] = self._voxels[index]
        check_same_size(plane.shape, self._images[index])
        return plane

    def surplus(self) -> None:
        """Nothing: the counts agree."""


def slice_labels(data: bytes) -> Labels:
    """The labels of one slice, (rows, cols), from a 2-D array.

    Raises:
        FileError: what `read_npy` and `as_labels` raise.
    """
    return as_labels(read_npy(data, dimensions=2))


NPY = MaskFormat(
    name="npy",
    endings=(".npy",),
    knows=lambda path, data: path.casefold().endswith(".npy"),
    of_slice=slice_labels,
    of_series=NpyMask,
)
