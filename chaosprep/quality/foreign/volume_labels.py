"""The values of a label volume: whole numbers that a legend names, neither none nor everywhere."""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.imaging.labels import MAX_LABELS, as_labels
from chaosprep.imaging.levels import level_histogram
from chaosprep.quality.foreign.volume_codes import volume_error


def label_faults(
    voxels: NDArray[Any], scale: tuple[float, float], named: Collection[int] | None
) -> tuple[list[FileError], NDArray[Any] | None, set[int]]:
    """What is odd about labels, code and reason; the labels as whole numbers; the values shown.

    Args:
        voxels: (i, j, k) of any real type, as they are meant.
        scale: the slope and intercept of the file.
        named: the values that have a name; None where nothing names any.
    """
    try:
        labels = as_labels(voxels)
    except FileError:
        return list(_why(voxels)), None, set()
    told = list(_form(voxels, scale))
    shown = {value for value in level_histogram(labels) if value}
    if not shown:
        told.append(volume_error("mask-empty", "the mask is empty"))
    elif labels.all():
        told.append(volume_error("mask-full", "the mask covers everything, no voxel is 0"))
    strange = sorted(shown - {*named}) if named is not None else []
    if strange:
        told.append(
            volume_error("labels", f"mask values that the legend does not name: {_some(strange)}")
        )
    return told, labels, shown


def _form(voxels: NDArray[Any], scale: tuple[float, float]) -> Iterator[FileError]:
    slope, intercept = scale
    if scale != (1.0, 0.0):
        yield volume_error(
            "mask-scaled", f"the header rescales labels, by {slope:.9g} and {intercept:.9g}"
        )
    elif voxels.dtype.kind == "f":
        yield volume_error(
            "mask-float", f"the labels are saved as {voxels.dtype.newbyteorder('=').name}"
        )


def _why(voxels: NDArray[Any]) -> Iterator[FileError]:
    """What keeps voxels from being labels: all of it."""
    finite = np.isfinite(voxels)
    if lost := int(voxels.size - np.count_nonzero(finite)):
        yield volume_error("not-finite", f"{lost} voxels of the mask are NaN or infinite")
    known = voxels[finite]
    odd = known[np.abs(known - np.rint(known)) > 1e-4]
    if odd.size:
        yield volume_error(
            "mask-fractions",
            (
                f"{odd.size} voxels of the mask hold fractions (such as {odd.flat[0]:.4g}): it was "
                "interpolated, or is not a label map"
            ),
        )
    if known.size and known.min() < 0:
        yield volume_error("mask-values", f"the mask holds values below 0 ({known.min():g})")
    if known.size and known.max() > np.iinfo(np.uint16).max:
        yield volume_error("mask-values", f"the mask holds values above 65535 ({known.max():g})")
    if not odd.size and len(np.unique(known)) > MAX_LABELS:
        yield volume_error(
            "mask-levels", f"the mask holds more than {MAX_LABELS} values, so it is not a label map"
        )


def _some(values: list[int]) -> str:
    return ", ".join(map(str, values[:8])) + (", ..." if len(values) > 8 else "")
