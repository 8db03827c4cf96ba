"""Which slices of a mask lie on which images, by the planes that both name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.header import Header
from chaosprep.imaging.space.placing import Place, image_grid, locate

_NEAR = 0.05  # mm between the planes of a mask and its image


@dataclass(frozen=True)
class Laid:
    """Slices of a mask on images, all by their numbers.

    ``places`` are image -> the slice of the mask and where the image lies in it, ``errors`` image
    -> what is wrong with its slice, ``left`` the slices that lie on no image.
    """

    places: dict[int, tuple[int, Place]] = field(default_factory=dict)
    errors: dict[int, FileError] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)


def is_placed(header: Header) -> bool:
    """Whether a header says where all of its pixels lie."""
    try:
        image_grid(header)
    except FileError:
        return False
    return True


def is_elsewhere(image: Header, mask: Header) -> bool:
    """Whether the two name different frames of reference: places in these do not compare."""
    here, there = (one.evidence.get("FrameOfReferenceUID", "") for one in (image, mask))
    return here != there and "" not in (here, there)


def lay(images: Sequence[Header], masks: Sequence[Header]) -> Laid:
    """Find the image in whose plane each slice of a mask lies, in whatever order they are.

    Raises:
        FileError: `mask-grid`, a slice of the mask does not say where it lies or names another
            frame of reference, or what `locate` raises where none of them lies on any image.
    """
    if not all(map(is_placed, masks)):
        raise FileError(
            "the mask does not say where its slices lie: position, orientation or spacing is "
            "missing",
            "Export it again with the geometry of its images, or give each slice a mask of its own "
            "name: put {slice} in the pattern of masks.",
            code="mask-grid",
        )
    grids = [image_grid(mask) for mask in masks]
    if any(is_elsewhere(image, mask) for image in images[:1] for mask in masks):
        raise FileError(
            "mask and images name different frames of reference, so their places cannot be "
            "compared",
            "Export the masks in the frame of reference of their images, or pair them by name: "
            "put {slice} in the pattern of masks.",
            code="mask-grid",
        )
    known = [at for at, image in enumerate(images) if is_placed(image)]
    origins = np.array([images[at].image_position_patient for at in known]).reshape(-1, 3)
    laid = Laid()
    for number, grid in enumerate(grids):
        normal = grid.steps[:, 2]
        apart = np.abs((origins - grid.origin) @ normal)
        if not apart.size or not apart.min() <= _NEAR:
            laid.left.append(number)
            continue
        _put(laid, images, known[int(apart.argmin())], number, masks[number])
    if grids and known and not (laid.places or laid.errors):
        locate(image_grid(images[known[0]]), grids[0])
    return laid


def _put(laid: Laid, images: Sequence[Header], at: int, number: int, mask: Header) -> None:
    """Lay a slice of a mask on the image in whose plane it is."""
    if at in laid.places or at in laid.errors:
        laid.places.pop(at, None)
        laid.errors[at] = FileError(
            "several slices of the mask lie in the plane of this image",
            "Keep one mask for each image.",
            code="mask-several",
        )
        return
    try:
        laid.places[at] = number, place_on(images[at], mask)
    except FileError as error:
        laid.errors[at] = error


def place_on(image: Header, mask: Header) -> Place:
    """Where an image lies in the one slice of a mask that is in its plane.

    Raises `FileError` ``mask-grid``, also where the two lie in different planes.
    """
    grid = image_grid(mask)
    apart = (np.array(image.image_position_patient, float) - grid.origin) @ grid.steps[:, 2]
    if not abs(apart) <= _NEAR:
        raise FileError(
            "the mask lies in a different plane from the image that its name says",
            "Rename the masks; if they are numbered on their own, leave {slice} out of their "
            "pattern (masks/{patient}): they are then matched by place.",
            code="mask-grid",
        )
    return locate(image_grid(image), grid)


def turned(labels: NDArray[Any], place: Place) -> NDArray[Any]:
    """The one slice of a mask, (rows, cols), as the image has its pixels: flipped and swapped.

    As `Place.take` does, but for one plane that is covered whole, and without an index for each
    pixel.
    """
    steps = int(place.down.sum()), int(place.right.sum())
    plane = labels.T if place.down[1] else labels
    return np.ascontiguousarray(plane[:: steps[0], :: steps[1]])
