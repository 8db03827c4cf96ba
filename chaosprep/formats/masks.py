"""The masks of a series in whatever form they come: pictures, arrays, volumes, segmentations."""

from collections.abc import Mapping
from pathlib import Path

from chaosprep.errors import FileError
from chaosprep.formats.dicom.reading import is_dicom
from chaosprep.formats.nifti_masks import cut_nifti
from chaosprep.formats.npy import read_npy
from chaosprep.formats.pictures import mask_size
from chaosprep.formats.seg import cut_segmentation
from chaosprep.formats.stacks import Stack, cut_npy
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import Labels, as_labels, check_same_size
from chaosprep.privacy.identity import read_identity


def slice_labels(path: str, data: bytes, header: Header) -> Labels | None:
    """The labels of one slice, (rows, cols), from a 2-D npy; None for a picture, kept as it is.

    Raises:
        FileError: `size-mismatch`, `mask-kind` (a volume), `mask-unreadable` or `mask-values`.
    """
    if is_volume(path) or is_dicom(data):
        raise FileError(
            "a volume stands where the mask of one slice should",
            "Name it as the patient's: a pattern of masks without {slice}, that fits one file.",
            code="mask-kind",
        )
    if not path.casefold().endswith(".npy"):
        check_same_size(mask_size(data), header)
        return None
    array = read_npy(data, dimensions=2)
    check_same_size(array.shape, header)
    return as_labels(array)


def cut_mask(
    root: Path, path: str, data: Mapping[str, bytes], images: Mapping[str, Header], count: int
) -> Stack:
    """Cut the one mask of a series to its images; what is wrong with all of it is one error.

    Args:
        root: the dataset root.
        path: the mask's file, relative to it: 3-D npy, NIfTI or DICOM SEG.
        data: file -> its bytes, the mask's and the images'.
        images: the images in anatomical order, as far as they can be read.
        count: how many there should be.
    """
    try:
        stack = _cut(root, path, data, images, count)
    except FileError as error:
        return Stack(errors=[(path, error)])
    if len(images) < count:  # what is left over may well be the mask of the others
        stack.errors = [found for found in stack.errors if found[1].code != "mask-surplus"]
    return stack


def is_volume(path: str) -> bool:
    """Whether a file's ending says that it holds more than one slice."""
    return path.casefold().endswith((".nii", ".nii.gz"))


def _cut(
    root: Path, path: str, data: Mapping[str, bytes], images: Mapping[str, Header], count: int
) -> Stack:
    if path.casefold().endswith(".npy"):
        return cut_npy(data[path], images, count)
    if is_volume(path):
        return cut_nifti(path, root / path, data[path], images)
    if is_dicom(data[path]):
        identities = {image: read_identity(data[image]) for image in images}
        if len({id(data[image]) for image in images}) < len(images):  # frames share a file
            raise FileError(
                "a DICOM SEG of a multi-frame image is not read",
                "Give the mask as a NIfTI volume.",
                code="mask-frames",
            )
        uids = {image: found.get("SOPInstanceUID", "") for image, found in identities.items()}
        return cut_segmentation(path, data[path], images, uids)
    raise FileError(
        "one picture stands where the mask of a whole series should",
        "Give masks as PNG with {slice} in their pattern, or one npy, NIfTI or DICOM SEG.",
        code="mask-kind",
    )
