"""One mask for a whole series: what it is cut into, and how an npy is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.npy import read_npy
from chaosprep.imaging.header import Header
from chaosprep.imaging.labels import Labels, as_labels, check_same_size

BY_ORDER = "the mask array has no geometry: its slices were taken in the order of the positions"


@dataclass
class Stack:
    """A mask cut up: image path -> label array (rows, cols), and file -> what is wrong with it."""

    labels: dict[str, NDArray[Any]] = field(default_factory=dict)
    errors: list[tuple[str, FileError]] = field(default_factory=list)
    note: str | None = None


def cut_npy(data: bytes, images: Mapping[str, Header], count: int) -> Stack:
    """Cut a 3-D npy, (slices, rows, cols): its slices are the images in anatomical order.

    Args:
        data: the npy's bytes.
        images: the readable images in anatomical order.
        count: how many images the series has; where one cannot be read, no rank can be told.

    Raises:
        FileError: `mask-unreadable`, `mask-kind`, `mask-count` or `mask-values`.
    """
    voxels = read_npy(data, dimensions=3)
    if not len(voxels) == count == len(images):
        raise FileError(
            f"its {len(voxels)} slices cannot be told to {count} images, {len(images)} readable",
            "Bring back the missing files, or give the mask as NIfTI, which has positions.",
            code="mask-count",
        )
    stack = Stack(note=BY_ORDER)
    planes: dict[str, NDArray[Any]] = {}
    for (image, header), plane in zip(images.items(), voxels, strict=True):
        try:
            check_same_size(plane.shape, header)
            planes[image] = plane
        except FileError as error:
            stack.errors.append((image, error))
    stack.labels = one_type(planes)
    return stack


def one_type(planes: Mapping[str, NDArray[Any]]) -> dict[str, Labels]:
    """Label arrays (`as_labels`) of one type for all, so that a case's masks are alike."""
    labels = {path: as_labels(plane) for path, plane in planes.items()}
    kind = np.result_type(*labels.values()) if labels else np.uint8
    return {path: array.astype(kind, copy=False) for path, array in labels.items()}


def surplus(count: int, what: str) -> FileError:
    """The error of a mask that has more than the images."""
    return FileError(
        f"no image belongs to {count} of its {what}",
        "Bring back the missing images, or cut the mask to those that there are.",
        code="mask-surplus",
    )
