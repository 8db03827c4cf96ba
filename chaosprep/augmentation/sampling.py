"""Resample an image and its mask through one map (`geometry.Maps`)."""

import math
from functools import cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.augmentation.geometry import Maps
from chaosprep.errors import FileError

Interpolation = Literal["cubic", "linear", "lanczos4"]
MaskSampling = Literal["nearest", "label"]
Method = Interpolation | Literal["nearest"]

IMAGE_DTYPES = ("uint8", "uint16", "int16", "float32")  # go through float32 without loss
MASK_DTYPES = ("bool", "uint8", "uint16", "int16")  # that `cv2.remap` takes (bool as bytes)
PAD: Final = 4  # pixels that the widest interpolation (lanczos4) reads beyond the image
LARGEST_SIDE: Final = 32766 - 2 * PAD  # `cv2.remap` has signed 16-bit coordinates
STEPS: Final = 32  # between pixels: ``cv::INTER_TAB_SIZE`` of OpenCV's imgproc.hpp
ROUNDING: Final = np.float32(1.5 * 2**23 / STEPS)
"""A float32 above all coordinates whose last digit is one step; the half keeps it there."""


def value_range(image: NDArray[Any]) -> tuple[float, float]:
    """Return the least and the greatest value of an image.

    Raises `FileError` (``pixel-values``) for NaN or infinity.
    """
    low, high = float(image.min()), float(image.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise FileError(
            "the pixels hold NaN or infinity", "Replace these pixels first.", "pixel-values"
        )
    return low, high


def reserve(pixels: int) -> None:
    """Let the C library keep the memory of one picture's arrays for the next picture.

    glibc gives freed memory back to the system unless it has seen a larger piece come and go
    (mallopt(3), M_MMAP_THRESHOLD), and then each array costs page faults: 196 per pair of 256 x 256
    pixels, which nearly doubled the time. So here a larger piece comes and goes, untouched.
    """
    np.empty(8 * pixels, np.float32)


def sample_image(
    image: NDArray[Any], maps: Maps, interpolation: Interpolation = "cubic"
) -> NDArray[np.float32]:
    """Resample an image (rows, cols) to the shape of the maps, float32, neither rounded nor cast.

    Values never leave the image's own [minimum, maximum]: what the curve overshoots is clipped,
    and what lies outside the image gets its minimum. Raises `FileError` as `check_pixels` (for
    `IMAGE_DTYPES`) and `value_range` do.
    """
    return _sampled(image, maps, interpolation, np.dtype(np.float32))


def resample(
    image: NDArray[Any], maps: Maps, interpolation: Interpolation = "cubic", *, whole: bool = False
) -> NDArray[Any]:
    """Do as `sample_image` and `cast` together: (rows, cols) of the image's own type.

    ``whole`` says that the maps hold whole numbers only, so that there is nothing to interpolate.
    """
    if whole and image.dtype.kind == "u":
        return _sampled(image, maps, "nearest", image.dtype)
    # Of uint16, OpenCV makes the same sums in the same order, for curves in a fifth more time.
    return cast(sample_image(image, maps, interpolation), image.dtype)


def _sampled(image: NDArray[Any], maps: Maps, method: Method, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Interpolate in ``dtype``; the result stays within the image's own range."""
    import cv2

    check_pixels(image, IMAGE_DTYPES, "image")
    reserve(maps[0].size)
    low, high = value_range(image)
    sampled = _remap(image, maps, getattr(cv2, f"INTER_{method.upper()}"), low, dtype)
    return np.clip(sampled, dtype.type(low), dtype.type(high), out=sampled)


def sample_mask(mask: NDArray[Any], maps: Maps, method: MaskSampling = "nearest") -> NDArray[Any]:
    """Resample a mask (rows, cols) to the shape of the maps, in its own dtype; 0 outside.

    ``nearest`` takes the nearest pixel; ``label`` interpolates each label's area linearly and takes
    the greatest (of equal ones the lowest value), which gives smoother borders. No label is made
    that was not there. Raises `FileError` as `check_pixels` does for `MASK_DTYPES`.
    """
    import cv2

    check_pixels(mask, MASK_DTYPES, "mask")
    if not mask.any():
        return np.zeros(maps[0].shape, mask.dtype)
    source = np.ascontiguousarray(mask.view(np.uint8) if mask.dtype == np.bool_ else mask)
    if method == "label":
        return _sample_labels(source, maps).view(mask.dtype)
    # Nearest rounds the full coordinate (measured on 4.12 and 5.0): no offset against the image.
    sampled: NDArray[Any] = cv2.remap(
        source, *maps, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    return sampled.view(mask.dtype)


def cast(values: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Cast to an image's type; integers are rounded to the nearest, ties to even.

    ``values`` must lie within the type's range, as `sample_image` leaves them; they may be changed.
    """
    if dtype.kind in "iu":
        np.rint(values, out=values)
    return values.astype(dtype, copy=False)


def check_pixels(pixels: NDArray[Any], dtypes: tuple[str, ...], what: str) -> None:
    """Raise `FileError` unless these are (rows, cols) of one of these dtypes.

    The codes are ``pixel-type`` and ``image-shape``.
    """
    if pixels.dtype not in _types(dtypes):
        raise FileError(
            f"the {what} has pixels of type {pixels.dtype}",
            f"Convert it to one of {', '.join(dtypes)} first.",
            "pixel-type",
        )
    if pixels.ndim != 2 or not 0 < min(pixels.shape) <= max(pixels.shape) <= LARGEST_SIDE:
        shape = " x ".join(map(str, pixels.shape))
        raise FileError(
            f"the {what} has the shape {shape}",
            f"Give one slice of rows x cols, each side from 1 to {LARGEST_SIDE}.",
            "image-shape",
        )


@cache
def _types(names: tuple[str, ...]) -> frozenset[np.dtype[Any]]:
    return frozenset(map(np.dtype, names))


def _remap(
    source: NDArray[Any], maps: Maps, method: int, outside: float, dtype: np.dtype[Any]
) -> NDArray[Any]:
    import cv2

    # Padded here: beside the edge, OpenCV 4 adds and subtracts the border value and loses digits.
    pad = PAD if outside else 0
    padded = _framed(source, outside, dtype) if pad else np.ascontiguousarray(source, dtype)
    # OpenCV 4 rounds coordinates to these steps and OpenCV 5 does not: do it for both. A float32 of
    # this size has no digits below a step, so adding it rounds (to even), as rint would in 4 steps.
    x, y = (axis + ROUNDING for axis in maps)
    x -= ROUNDING - pad
    y -= ROUNDING - pad
    sampled = cv2.remap(padded, x, y, method, borderMode=cv2.BORDER_CONSTANT, borderValue=outside)
    return np.asarray(sampled, dtype)


def _framed(source: NDArray[Any], outside: float, dtype: np.dtype[Any]) -> NDArray[Any]:
    rows, cols = source.shape
    padded = np.full((rows + 2 * PAD, cols + 2 * PAD), outside, dtype)
    padded[PAD : PAD + rows, PAD : PAD + cols] = source
    return padded


def _sample_labels(mask: NDArray[Any], maps: Maps) -> NDArray[Any]:
    import cv2

    best = np.zeros(maps[0].shape, mask.dtype)
    most = np.full(maps[0].shape, -1.0, np.float32)
    for label in sorted({0, *np.unique(mask).tolist()}):
        share = _remap(mask == label, maps, cv2.INTER_LINEAR, label == 0, np.dtype(np.float32))
        greater = share > most
        best[greater] = label
        most[greater] = share[greater]
    return best
