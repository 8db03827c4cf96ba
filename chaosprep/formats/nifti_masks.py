"""NIfTI-1 volumes of labels, cut by where their voxels lie in the patient."""

from functools import partial

from chaosprep.formats.mask_file import Lies, MaskFormat, Opening
from chaosprep.formats.nifti import read_lattice, read_voxels
from chaosprep.formats.nifti_header import lattice_of, parse, unsure
from chaosprep.formats.volume_mask import VolumeMask, as_volume, without_place
from chaosprep.imaging.space.lattice import Volume


def nifti_mask(opening: Opening) -> VolumeMask:
    """A NIfTI-1 file laid on images.

    Raises:
        FileError: what `nifti_place`, `read_voxels` and `VolumeMask` raise.
    """
    place = nifti_place(opening.data)
    read = partial(read_voxels, opening.data, place.lattice.shape)
    return VolumeMask(opening.images, place.lattice, read, unsure=place.unsure)


def nifti_place(data: bytes) -> Lies:
    """Where the voxels lie, by the header.

    Raises:
        FileError: what `lattice_of` raises, or `mask-grid` where it does not say it.
    """
    header = parse(data)
    lattice = lattice_of(header)
    if not header.is_placed:
        raise without_place("its qform_code and sform_code are 0")
    return Lies(lattice, unsure(header))


def label_volume(data: bytes) -> Volume:
    """The labels of a volume, uint8 or uint16 (slices, rows, cols), on its own lattice.

    Raises:
        FileError: what `read_nifti` and `as_volume` raise.
    """
    lattice = read_lattice(data)
    return as_volume(lattice, partial(read_voxels, data, lattice.shape))


_ENDINGS = (".nii", ".nii.gz")
NIFTI = MaskFormat(
    name="NIfTI",
    endings=_ENDINGS,
    knows=lambda path, data: path.casefold().endswith(_ENDINGS),
    of_series=nifti_mask,
    volume=lambda file, data: label_volume(data),
    lies=nifti_place,
)
