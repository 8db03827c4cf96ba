"""The kinds of mask files: a new one is one file and one line of `MASKS`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.formats import Formats
from chaosprep.formats.mask_file import MaskFormat, Opening, Overlapping
from chaosprep.formats.pictures import PICTURE
from chaosprep.formats.plugged import plugged
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import Labels, as_labels, check_same_size
from chaosprep.imaging.space.lattice import Volume

MASKS = Formats[MaskFormat](
    "npy:NPY_MASK",
    "nifti_masks:NIFTI",
    "nrrd:NRRD",
    "metaimage:METAIMAGE",
    "dicom_masks:DICOM_IMAGE",
    "rtstruct:RTSTRUCT",
    "seg:SEG",
)
"""The first that knows a file reads it; a picture is what nothing else knows."""


def mask_format(path: str, data: bytes = b"") -> MaskFormat:
    """What kind of mask a file is, by its path and its bytes."""
    ours = next((one for one in MASKS if one.knows(path, data)), None)
    others = plugged(MaskFormat) if ours is None else ()
    return ours or next((one for one in others if one.knows(path, data)), PICTURE)


def slice_labels(path: str, data: bytes, header: Header) -> Labels | None:
    """The labels of one slice, (rows, cols); None for a picture, kept as it is.

    Raises:
        FileError: `size-mismatch`, `mask-kind` (a volume), `mask-unreadable` or `mask-values`.
    """
    found = mask_format(path, data)
    if found.size is not None:
        check_same_size(found.size(data), header)
        return None
    labels = read_plane(path, data)
    check_same_size(labels.shape, header)
    return labels


def read_plane(path: str, data: bytes) -> Labels:
    """The labels of a file that is the mask of one slice, (rows, cols).

    Raises:
        FileError: `mask-kind` (a volume), `mask-unreadable` or `mask-values`.
    """
    of_slice = mask_format(path, data).of_slice
    if of_slice is None:
        raise FileError(
            "a volume is where the mask of one slice should be",
            "Name it as the patient's: a pattern of masks without {slice}, that fits one file.",
            code="mask-kind",
        )
    return of_slice(data)


@dataclass
class Stack:
    """A mask cut up: image -> label array (rows, cols), and file -> what is wrong with it.

    ``names`` are what the labels stand for, as far as the mask says so; ``overlaps`` has the values
    that stand for several of them.
    """

    labels: dict[str, NDArray[Any]] = field(default_factory=dict)
    errors: list[tuple[str, FileError]] = field(default_factory=list)
    note: str | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    overlaps: Mapping[int, tuple[int, ...]] = field(default_factory=dict)


def cut_mask(
    root: Path,
    path: str,
    data: bytes,
    images: Mapping[str, Header],
    count: int,
    may_say: Callable[[str], bool] = lambda text: False,
    takes: Callable[[str], bool] = lambda name: True,
    threshold: float | None = None,
) -> Stack:
    """Cut the one mask of a series into the planes of its images, all of one type (`as_labels`).

    What is wrong with all of it, or in the same way with several images, is one error.

    Args:
        root: the dataset root.
        path: the mask's file, relative to it.
        data: its bytes.
        images: the images in anatomical order, as far as they can be read.
        count: how many there should be.
        may_say: whether a text of the file holds nothing that identifies the patient.
        takes: whether the structure of a name is wanted.
        threshold: the part of 1 from which on a fractional mask shows a structure.
    """
    file = root / path
    try:
        of_series = mask_format(file.name, data).of_series
        if of_series is None:
            raise _of_no_series(file)
        shown = [*images.values()]
        mask = of_series(Opening(file, data, shown, count, may_say, takes, threshold))
        stack = Stack(note=mask.note, names=mask.names)
        failed: list[tuple[str, FileError]] = []
        for index, image in enumerate(images):
            try:
                stack.labels[image] = mask.plane(index)
            except FileError as error:
                failed.append((image, error))
        stack.errors += once(failed, "images", path)
        if isinstance(mask, Overlapping):
            stack.overlaps = mask.overlaps
        meeting = len(stack.overlaps)
        labels = {image: as_labels(plane, meeting) for image, plane in stack.labels.items()}
        kind = np.result_type(*labels.values()) if labels else np.uint8
        stack.labels = {image: plane.astype(kind, copy=False) for image, plane in labels.items()}
        left = mask.surplus()
    except FileError as error:
        return Stack(errors=[(path, error)])
    # Where an image cannot be read, what is left over may well be its mask.
    if left is not None and len(images) == count:
        stack.errors.append((path, left))
    return stack


def _of_no_series(file: Path) -> FileError:
    """The error of a mask of a whole series that is none."""
    if file.suffix.casefold() == ".dcm":
        return FileError(
            "its name ends in .dcm, but it does not begin as a DICOM file does",
            "Copy it again from its source; where only DICOM's preamble is missing, DCMTK's "
            "dcmconv writes it.",
            code="mask-kind",
        )
    return FileError(
        "one picture is where the mask of a whole series should be",
        "Give masks as PNG with {slice} in their pattern, or one npy, NIfTI, NRRD, MetaImage, "
        "DICOM SEG or RTSTRUCT.",
        code="mask-kind",
    )


def once(
    failed: list[tuple[str, FileError]], what: str, path: str | None = None
) -> Iterator[tuple[str, FileError]]:
    """What is wrong in the same way with several files or images as one error with their count.

    It is told of the file that ``path`` names, else of the first.
    """
    alike: dict[str, list[tuple[str, FileError]]] = {}
    for place, error in failed:
        alike.setdefault(error.code, []).append((place, error))
    for found in alike.values():
        place, error = found[0]
        if len(found) > 1:
            first = "" if len({other.reason for _, other in found}) == 1 else "the first of "
            reason = f"{error.reason} ({first}{len(found)} {what})"
            place, error = path or place, FileError(reason, error.remedy, error.code)
        yield place, error


def is_volume(path: str) -> bool:
    """Whether a file's ending says that it holds more than one slice."""
    return mask_format(path).of_slice is None


def plane_endings() -> tuple[str, ...]:
    """The endings of files that can be the mask of one slice."""
    every = (*MASKS, PICTURE, *plugged(MaskFormat))
    return tuple(ending for one in every if one.of_slice for ending in one.endings)


def volume_endings() -> tuple[str, ...]:
    """The endings of files that say themselves where their voxels lie."""
    every = (*MASKS, *plugged(MaskFormat))
    return tuple(ending for one in every if one.volume for ending in one.endings)


def beside(path: str, data: bytes) -> tuple[str, ...]:
    """The paths of other files that a mask's file is part of; none where it cannot be read."""
    names = mask_format(path, data).beside
    try:
        return (
            ()
            if names is None
            else tuple(str(PurePosixPath(path).with_name(n)) for n in names(data))
        )
    except FileError:
        return ()


def read_volume(file: Path, data: bytes) -> Volume:
    """The labels of a file that says itself where they lie, on that lattice.

    Raises:
        FileError: `mask-kind`, it does not say it, and what its format raises.
    """
    volume = mask_format(file.name, data).volume
    if volume is None:
        raise FileError("it is not a volume", "Give one as NIfTI.", code="mask-kind")
    return volume(file, data)
