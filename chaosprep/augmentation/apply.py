"""Apply a drawn transform to an image and its mask."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.augmentation.draw import Parameters
from chaosprep.augmentation.geometry import (
    IMAGE_DTYPES,
    check_pixels,
    compose,
    coordinate_maps,
    resample_image,
    resample_mask,
)
from chaosprep.errors import ChaosprepError, FileError, UsageError


def apply(
    parameters: Mapping[str, Any],
    image: NDArray[Any],
    mask: NDArray[Any] | None,
    *,
    swap: Sequence[tuple[int, int]] = (),
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the transformed image and mask; the same input gives the same pixels.

    (Another OpenCV version or processor may round a few image pixels to the neighbouring grey
    level; mask pixels stay the same.)

    ``parameters`` is what `draw` returned, or a manifest kept; ``image`` is (rows, cols) of uint8,
    uint16, int16 or float32, ``mask`` (rows, cols) of bool, uint8, uint16 or int16, or None. Shapes
    and dtypes are kept and the input is not changed. The image is interpolated (cubic), the mask
    takes its nearest pixel, both through one map and in one step. Where the transform flips,
    ``swap`` names the pairs of mask values that change places: right and left kidney.

    Raises `ChaosprepError` (``augmentation-parameters``) for an unknown scheme or engine, a missing
    or unknown key, or a number out of its range; `FileError` for pixels that do not fit
    (``mask-size``, and as in `geometry`); `UsageError` (``label-swap``) as in `swap_labels`.
    """
    checked = _checked(parameters)
    check_pixels(image, IMAGE_DTYPES, "image")
    if mask is not None and mask.shape != image.shape:
        raise FileError(
            f"the mask has the shape {mask.shape} and its image {image.shape}",
            "Give each image the mask that was drawn on it.",
            "mask-size",
        )
    rows, cols = image.shape
    maps = coordinate_maps(compose(checked, rows, cols), rows, cols)
    new_image = resample_image(image, maps)
    if mask is None:
        return new_image, None
    new_mask = resample_mask(mask, maps)
    return new_image, swap_labels(new_mask, swap) if checked["flip"] else new_mask


def swap_labels(mask: NDArray[Any], pairs: Sequence[tuple[int, int]]) -> NDArray[Any]:
    """Return a mask in which the two values of each pair change places.

    The mask has any shape, and integers or bool. Raises `UsageError` (``label-swap``) where a value
    stands in the pairs twice, or does not fit in the mask's dtype.
    """
    values = [value for pair in pairs for value in pair]
    if len(set(values)) != len(values):
        raise UsageError(
            "a mask value is swapped more than once", "Name each value once.", "label-swap"
        )
    if not all(_fits(value, mask.dtype) for value in values):
        raise UsageError(
            f"a mask value to swap does not fit in {mask.dtype}",
            "Name values that the mask can hold.",
            "label-swap",
        )
    swapped = mask.copy()
    for first, second in pairs:
        swapped[mask == first] = second
        swapped[mask == second] = first
    return swapped


def _fits(value: int, dtype: np.dtype[Any]) -> bool:
    if dtype.kind not in "iu":
        return value in (0, 1)
    limits = np.iinfo(dtype)
    return bool(limits.min <= value <= limits.max)


def _checked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as `Parameters` types them, or say what is wrong with them."""
    try:
        return msgspec.structs.asdict(msgspec.convert(dict(parameters), Parameters))
    except msgspec.ValidationError as error:
        raise ChaosprepError(
            f"the augmentation parameters cannot be applied: {error}",
            "Take them unchanged from a manifest that this version of chaosprep reads.",
            "augmentation-parameters",
        ) from error
