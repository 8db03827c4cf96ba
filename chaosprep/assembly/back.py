"""Slices of a resized case on the pixels that they came from."""

from typing import Any

from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stacking import unit_plane
from chaosprep.imaging.space.undoing import Undoing, undo_image


def images_back(
    case: Case, rows: tuple[Slice, ...], ways: list[Undoing | None]
) -> list[NDArray[Any]]:
    """The images in modality units on their old pixels; what is lost has the case's lowest."""
    planes = [unit_plane(case, row) for row in rows]
    fill = min(float(plane.min()) for plane in planes)
    return [
        plane if way is None else undo_image(way, plane, fill)
        for plane, way in zip(planes, ways, strict=True)
    ]
