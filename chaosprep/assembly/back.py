"""Slices of a resized case on the pixels that they came from."""

from typing import Any

from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.dataset.resized import WayBack
from chaosprep.dataset.stacking import unit_plane


def images_back(case: Case, rows: tuple[Slice, ...], back: WayBack) -> list[NDArray[Any]]:
    """The images in modality units on their old pixels; what is lost has the case's lowest."""
    planes = [unit_plane(case, row) for row in rows]
    return back.images(planes, min(float(plane.min()) for plane in planes))
