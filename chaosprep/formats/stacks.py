"""The mask of a whole series, cut into the planes of its images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.formats.mask_file import MaskFile
from chaosprep.imaging.labels import Labels, as_labels


@dataclass
class Stack:
    """A mask cut up: image -> label array (rows, cols), and file -> what is wrong with it.

    ``names`` are what the labels stand for, as far as the mask says so.
    """

    labels: dict[str, NDArray[Any]] = field(default_factory=dict)
    errors: list[tuple[str, FileError]] = field(default_factory=list)
    note: str | None = None
    names: Mapping[int, str] = field(default_factory=dict)


def cut(path: str, mask: MaskFile, images: Sequence[str], *, are_all: bool) -> Stack:
    """Cut a mask into the planes of its images, all of one type (`as_labels`).

    Args:
        path: the mask's file, for its errors.
        mask: opened on the images.
        images: what each is called, in the order in which the mask was opened on them.
        are_all: whether the series has no other image, so that what is left over is surplus.

    Raises:
        FileError: `mask-values`, where a plane holds no labels.
    """
    stack = Stack(note=mask.note, names=mask.names)
    planes: dict[str, NDArray[Any]] = {}
    for index, image in enumerate(images):
        try:
            planes[image] = mask.plane(index)
        except FileError as error:
            stack.errors.append((image, error))
    stack.labels = {**_alike(planes)}
    left = mask.surplus()
    if left is not None and are_all:
        stack.errors.append((path, left))
    return stack


def _alike(planes: Mapping[str, NDArray[Any]]) -> dict[str, Labels]:
    """Label arrays of one type for all, so that a case's masks are alike."""
    labels = {image: as_labels(plane) for image, plane in planes.items()}
    kind = np.result_type(*labels.values()) if labels else np.uint8
    return {image: array.astype(kind, copy=False) for image, array in labels.items()}


def surplus(count: int, what: str) -> FileError:
    """The error of a mask that has more than the images."""
    return FileError(
        f"no image belongs to {count} of its {what}",
        "Bring back the missing images, or cut the mask to those that there are.",
        code="mask-surplus",
    )
