"""The kinds of mask files: a new one is one file and one line of `MASKS`."""

from collections.abc import Mapping
from pathlib import Path

from chaosprep.errors import FileError
from chaosprep.formats import npy_masks
from chaosprep.formats.mask_file import MaskFile, MaskFormat, Opening
from chaosprep.formats.nifti_masks import NIFTI
from chaosprep.formats.pictures import PICTURE
from chaosprep.formats.seg import SEG
from chaosprep.formats.stacks import Stack, cut
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import Labels

MASKS: tuple[MaskFormat, ...] = (npy_masks.NPY, NIFTI, SEG, PICTURE)
"""The first that knows a file reads it; a picture is what nothing else knows."""


def mask_format(path: str, data: bytes = b"") -> MaskFormat:
    """What kind of mask a file is, by its path and its bytes."""
    return next(one for one in MASKS if one.knows(path, data))


def slice_labels(path: str, data: bytes, header: Header) -> Labels | None:
    """The labels of one slice, (rows, cols); None for a picture, kept as it is.

    Raises:
        FileError: `size-mismatch`, `mask-kind` (a volume), `mask-unreadable` or `mask-values`.
    """
    of_slice = mask_format(path, data).of_slice
    if of_slice is None:
        raise FileError(
            "a volume stands where the mask of one slice should",
            "Name it as the patient's: a pattern of masks without {slice}, that fits one file.",
            code="mask-kind",
        )
    return of_slice(data, header)


def cut_mask(root: Path, path: str, data: bytes, images: Mapping[str, Header], count: int) -> Stack:
    """Cut the one mask of a series to its images; what is wrong with all of it is one error.

    Args:
        root: the dataset root.
        path: the mask's file, relative to it.
        data: its bytes.
        images: the images in anatomical order, as far as they can be read.
        count: how many there should be.
    """
    try:
        mask = _open_on(Opening(root / path, data, [*images.values()], count))
        # Where an image cannot be read, what is left over may well be its mask.
        return cut(path, mask, [*images], are_all=len(images) == count)
    except FileError as error:
        return Stack(errors=[(path, error)])


def _open_on(opening: Opening) -> MaskFile:
    of_series = mask_format(opening.file.name, opening.data).of_series
    if of_series is None:
        raise FileError(
            "one picture stands where the mask of a whole series should",
            "Give masks as PNG with {slice} in their pattern, or one npy, NIfTI or DICOM SEG.",
            code="mask-kind",
        )
    return of_series(opening)


def is_volume(path: str) -> bool:
    """Whether a file's ending says that it holds more than one slice."""
    found = mask_format(path)
    return found.of_series is not None and found.of_slice is None
