"""Apply a drawn transform to an image and its mask."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.augmentation.intensity import Intensity, Values
from chaosprep.augmentation.recipe import read_parameters
from chaosprep.augmentation.sampling import (
    IMAGE_DTYPES,
    MaskSampling,
    cast,
    check_pixels,
    resample,
    sample_image,
    sample_mask,
    value_range,
)
from chaosprep.augmentation.transform import Transform
from chaosprep.errors import FileError, UsageError


def apply(
    parameters: Mapping[str, Any],
    image: NDArray[Any],
    mask: NDArray[Any] | None,
    *,
    swap: Sequence[tuple[int, int]] = (),
    mask_sampling: MaskSampling = "nearest",
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the transformed image and mask; the same input gives the same pixels.

    (Another version of OpenCV, numpy or Pillow, or another processor, may round a few image pixels
    to the neighbouring grey level; nearest mask pixels stay the same.)

    ``parameters`` is what `draw` returned, or a manifest kept; ``image`` is (rows, cols) of uint8,
    uint16, int16 or float32, ``mask`` (rows, cols) of bool, uint8, uint16 or int16, or None. Dtypes
    are kept, and so are shapes, but for the steps of Augmentor that change them. The input is not
    changed. Image and mask go through one map in one step: the image is interpolated, then its grey
    values change, and it is clipped to its own range, rounded and cast; the mask takes its nearest
    pixel, or (``label``) the label with the greatest interpolated share. Where the transform
    mirrors (`mirrored`), ``swap`` names the pairs of mask values that change places: right and
    left kidney.

    Raises `ChaosprepError` (``augmentation-parameters``) for an unknown scheme, engine or
    operation, a missing or unknown key, or a number out of its range; `FileError` for pixels that
    do not fit (``mask-size``, and as in `sampling`); `UsageError` (``label-swap``) as in
    `swap_labels`, and (``augmentation-recipe``) where Augmentor cannot do a step on this shape.
    """
    transform = Transform(parameters, image.shape)
    return transformed(transform, image, mask, swap=swap, mask_sampling=mask_sampling)


def transformed(
    transform: Transform,
    image: NDArray[Any],
    mask: NDArray[Any] | None,
    *,
    sampled: NDArray[Any] | None = None,
    swap: Sequence[tuple[int, int]] = (),
    mask_sampling: MaskSampling = "nearest",
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Do as `apply`; ``sampled`` is what `sample_mask` made of the mask, where it is there."""
    check_pixels(image, IMAGE_DTYPES, "image")
    if mask is not None and mask.shape != image.shape:
        raise FileError(
            f"the mask has the shape {mask.shape} and its image {image.shape}",
            "Give each image the mask that was drawn on it.",
            "mask-size",
        )
    new_image = image_through(transform, image)
    if mask is None:
        return new_image, None
    return new_image, mask_through(transform, mask, sampled, swap, mask_sampling)


def mirrored(parameters: Mapping[str, Any]) -> bool:
    """Tell whether a drawn transform mirrors: a right kidney looks like a left one then.

    A flip of either kind and a transposition mirror, a quarter turn does not, and two mirrors are
    none. Raises `ChaosprepError` (``augmentation-parameters``) as `apply` does.
    """
    return read_parameters(parameters).mirrors()


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
    limits = np.iinfo(mask.dtype) if mask.dtype.kind in "iu" else None
    low, high = (0, 1) if limits is None else (limits.min, limits.max)
    if not all(low <= value <= high for value in values):
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


def image_through(
    transform: Transform,
    image: NDArray[Any],
    changes: Sequence[Intensity] | None = None,
    span: tuple[float, float] | None = None,
) -> NDArray[Any]:
    """Return the transformed image, (rows, cols) of its own dtype.

    ``changes`` of grey values are those that were drawn unless others are given. They happen on the
    image's own range unless ``span`` is given, which holds it: that of several images, in which
    equal values stay equal.
    """
    drawn = transform.drawn
    if changes is None:
        changes = [one for one in drawn.operations if isinstance(one, Intensity)]
    if not changes:
        return resample(image, transform.maps, drawn.interpolation, whole=transform.is_whole)
    sampled = sample_image(image, transform.maps, drawn.interpolation)
    return cast(_change(sampled, changes, *(span or value_range(image))), image.dtype)


def mask_through(
    transform: Transform,
    mask: NDArray[Any],
    sampled: NDArray[Any] | None,
    swap: Sequence[tuple[int, int]],
    mask_sampling: MaskSampling,
) -> NDArray[Any]:
    """Return the transformed mask, (rows, cols); the arguments are those of `transformed`."""
    new_mask = sample_mask(mask, transform.maps, mask_sampling) if sampled is None else sampled
    return swap_labels(new_mask, swap) if transform.drawn.mirrors() else new_mask


def _change(sampled: Values, changes: Sequence[Intensity], low: float, high: float) -> Values:
    """Change the grey values, in place, on the source's own range, from which none may leave."""
    if low == high:
        return sampled
    values = sampled
    values -= np.float32(low)
    values *= np.float32(1.0 / (high - low))
    for operation in changes:
        values = operation.change(values)
        np.clip(values, 0.0, 1.0, out=values)
    values *= np.float32(high - low)
    values += np.float32(low)
    return np.clip(values, low, high, out=values)
