"""NIfTI-1 volumes of labels, cut by where their voxels lie in the patient."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.mask_file import MaskFormat, Opening, surplus
from chaosprep.formats.nifti import read_nifti, read_voxels
from chaosprep.formats.nifti_header import lattice_of, parse, unsure, without_size
from chaosprep.imaging.labels import as_labels
from chaosprep.imaging.space.lattice import Volume
from chaosprep.imaging.space.placing import Place, image_grid, locate


class NiftiMask:
    """A volume of labels: each image gets the voxels that lie at its pixels.

    Raises:
        FileError: what `lattice_of` and `read_voxels` raise, or `mask-grid` where it does not say
            where it lies, or no image at all lies in it.
    """

    note = None
    names: Mapping[int, str] = {}

    def __init__(self, opening: Opening) -> None:
        self._images = opening.images
        header = parse(opening.data)
        grid = lattice_of(header)
        if not header.is_placed:
            raise FileError(
                "the file does not say where its voxels lie: its qform_code and sform_code are 0",
                "Write it again with the geometry of its image, or give an npy array (slices, "
                "rows, cols), which is taken in anatomical order.",
                code="mask-grid",
            )
        self._shape = grid.shape
        self._places: dict[int, Place] = {}
        self._errors: dict[int, FileError] = {}
        for index, image in enumerate(opening.images):
            try:
                plane = image_grid(image)
                self._places[index] = locate(plane, grid.turned_to(plane, unsure(header)))
            except FileError as error:
                self._errors[index] = error
        if self._errors and not self._places:
            raise self._errors[0]
        self._voxels = read_voxels(opening.data, self._shape)

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


def label_volume(data: bytes) -> Volume:
    """The labels of a volume, uint8 or uint16 (slices, rows, cols), on its own lattice.

    Raises:
        FileError: what `read_nifti` and `as_labels` raise, or `geometry-unknown`.
    """
    volume = read_nifti(data)
    lengths = np.array(volume.lattice.spacing)
    if not (np.isfinite([*lengths, *volume.lattice.origin]).all() and lengths.min() > 0):
        raise without_size()
    return Volume(as_labels(volume.voxels), volume.lattice)


_ENDINGS = (".nii", ".nii.gz")
NIFTI = MaskFormat(
    name="NIfTI",
    endings=_ENDINGS,
    knows=lambda path, data: path.casefold().endswith(_ENDINGS),
    of_series=NiftiMask,
    volume=lambda file, data: label_volume(data),
)
