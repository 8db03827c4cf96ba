"""Slices of a resized case on the pixels that they came from."""

from typing import Any

from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Normalized, Slice
from chaosprep.dataset.resized import WayBack
from chaosprep.dataset.stacking import unit_plane
from chaosprep.errors import FileError
from chaosprep.imaging.intensity.piecewise import Piecewise


def images_back(
    case: Case, rows: tuple[Slice, ...], back: WayBack, *, normalized: bool = True
) -> list[NDArray[Any]]:
    """The images in modality units on their old pixels; what is lost has the case's lowest.

    What was normalized stays so, or gets the units that it had before.

    Raises:
        FileError: what `unit_plane` raises; `polarity`, these units fall where the image gets
            brighter.
    """
    planes = [unit_plane(case, row) for row in rows]
    if not normalized:
        planes = [
            _before(row.normalization, plane) if row.normalization else plane
            for row, plane in zip(rows, planes, strict=True)
        ]
    return back.images(planes, min(float(plane.min()) for plane in planes))


def _before(told: Normalized, plane: NDArray[Any]) -> NDArray[Any]:
    """Normalized values (rows, cols) in the units that they had before."""
    if told.start[0] > told.start[-1]:
        raise FileError(
            "its pixels rise where its modality units fall (MONOCHROME1): a volume in "
            "these units would be the negative of its slices",
            "Leave --undo-normalization out, or leave the case out with --on-error skip.",
            code="polarity",
        )
    return Piecewise(told.start, told.end).undo(plane)
