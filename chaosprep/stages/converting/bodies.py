"""The values of a case within the body, by which it is normalized."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.records import Slice
from chaosprep.errors import FileError
from chaosprep.imaging.header import Header
from chaosprep.imaging.intensity.body import body_mask
from chaosprep.imaging.limits import size_text
from chaosprep.imaging.measured import Pixels, comparable, padded


def body_values(rows: Sequence[Slice], pixels: Sequence[Pixels]) -> NDArray[np.float64]:
    """The values of the body of a case, flat and `comparable`; none where all of it is padding.

    Args:
        rows: its slices, in anatomical order.
        pixels: what `upright` gives of each, as they were stored.

    Raises:
        FileError: `geometry-mixed`, the slices have several sizes.
    """
    shapes = list(dict.fromkeys(array.shape for _, array in pixels))
    if len(shapes) > 1:
        listed = " and ".join(map(size_text, shapes[:2]))
        raise FileError(
            f"its slices are {listed} pixels: the body is looked for in all of them together",
            "Convert the case without --normalize, or leave it out with --on-error skip.",
            code="geometry-mixed",
        )
    voxels = np.stack([comparable(header, array) for header, array in pixels])
    outside = np.stack([_outside(*one) for one in pixels])
    found: NDArray[np.float64] = voxels[body_mask(voxels, _spacing(rows[0]), outside)]
    return found


def _outside(header: Header, array: NDArray[Any]) -> NDArray[np.bool_]:
    found = padded(header, array)
    return np.zeros(array.shape, bool) if found is None else found


def _spacing(row: Slice) -> tuple[float, float, float]:
    """(slice, row, col) in mm; 1 where it is not known."""
    between, rows, cols = row.spacing or (None, 1.0, 1.0)
    return between or 1.0, rows, cols
