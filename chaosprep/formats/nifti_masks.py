"""NIfTI-1 volumes as masks for a whole series, cut by where their voxels lie in the patient."""

from collections.abc import Mapping
from pathlib import Path

from chaosprep.errors import FileError
from chaosprep.formats.nifti import read_lattice, read_voxels
from chaosprep.formats.stacks import Stack, one_type, surplus
from chaosprep.imaging.header import Header
from chaosprep.imaging.space.placing import Place, image_grid, locate


def cut_nifti(path: str, file: Path, data: bytes, images: Mapping[str, Header]) -> Stack:
    """Cut a NIfTI volume by geometry: each image gets the voxels that lie at its pixels.

    Args:
        path: the volume, for its errors.
        file: where it is.
        data: its bytes.
        images: the images in anatomical order.

    Raises:
        FileError: `mask-unreadable`, `mask-kind`, `too-large`, `mask-values`, or `mask-grid`
            where no image at all lies in it.
    """
    grid = read_lattice(file)
    places: dict[str, Place] = {}
    stack = Stack()
    for image, header in images.items():
        try:
            places[image] = locate(image_grid(header), grid)
        except FileError as error:
            stack.errors.append((image, error))
    if not places:
        if stack.errors:
            raise stack.errors[0][1]
        return stack
    voxels = read_voxels(data, grid.shape)
    stack.labels = one_type(
        {path: at.take(voxels, images[path].rows, images[path].cols) for path, at in places.items()}
    )
    used = {(at.across, int(at.start[at.across])) for at in places.values()}
    unused = grid.shape[next(iter(used))[0]] - len(used)
    if unused > 0:
        stack.errors.append((path, surplus(unused, "slices")))
    return stack
