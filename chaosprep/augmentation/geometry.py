"""Where each output pixel comes from: all operations composed into one map, one resampling.

Coordinates are (col, row) in pixels: pixel centres at whole numbers, the centre of the image at
((cols - 1) / 2, (rows - 1) / 2). A matrix is 3 x 3 float64 and takes an OUTPUT (col, row, 1) to the
INPUT (col, row, 1) that it shows. Angles are true where pixels are square.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError

Matrix = NDArray[np.float64]
Maps = tuple[NDArray[np.float32], NDArray[np.float32]]

IMAGE_DTYPES = ("uint8", "uint16", "int16", "float32")
"""Pixel types that go through float32 and back without loss; 32-bit integers do not."""

MASK_DTYPES = ("bool", "uint8", "uint16", "int16")
"""Mask types that `cv2.remap` takes (bool as bytes)."""

PAD = 2
"""Pixels that cubic interpolation reads beyond the image."""

LARGEST_SIDE = 32766 - 2 * PAD
"""`cv2.remap` keeps coordinates in signed 16-bit numbers, and wants sides below 32767."""

STEPS = 32
"""Sub-pixel steps of cubic interpolation: ``cv::INTER_TAB_SIZE`` of OpenCV's imgproc.hpp."""


def rotation_inverse(degrees: float, rows: int, cols: int) -> Matrix:
    """Undo a rotation about the centre; ``degrees`` > 0 is counter-clockwise on screen."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = (cols - 1) / 2, (rows - 1) / 2
    return np.array(
        [[cos, -sin, x - cos * x + sin * y], [sin, cos, y - sin * x - cos * y], [0.0, 0.0, 1.0]]
    )


def flip_inverse(cols: int) -> Matrix:
    """Undo a left-right flip (which is its own inverse)."""
    return np.array([[-1.0, 0.0, cols - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def zoom_inverse(factor: float, row: float, col: float, rows: int, cols: int) -> Matrix:
    """Undo the enlarging of a window of ``factor`` of each side to the full size.

    ``row`` and ``col`` place the window within its free play, 0 top or left to 1 bottom or right.
    Pixel areas are kept together, as when the crop is resized: the window's outer edges, not its
    outer pixel centres, go to the edges of the image.
    """
    x, y = (1.0 - factor) * (col * cols - 0.5), (1.0 - factor) * (row * rows - 0.5)
    return np.array([[factor, 0.0, x], [0.0, factor, y], [0.0, 0.0, 1.0]])


def compose(parameters: Mapping[str, Any], rows: int, cols: int) -> Matrix:
    """Return the one matrix of a drawn transform (fields as in `draw.Parameters`).

    The picture is rotated, then flipped, then zoomed; going from output to input undoes these
    from the last to the first.
    """
    matrix = rotation_inverse(parameters["rotation"], rows, cols)
    if parameters["flip"]:
        matrix = matrix @ flip_inverse(cols)
    place = parameters["zoom_row"], parameters["zoom_col"]
    return matrix @ zoom_inverse(parameters["zoom"], *place, rows, cols)


def coordinate_maps(matrix: Matrix, rows: int, cols: int) -> Maps:
    """Return the input col and the input row of every output pixel, each (rows, cols) float32."""
    col = np.arange(cols, dtype=np.float64)[np.newaxis, :]
    row = np.arange(rows, dtype=np.float64)[:, np.newaxis]
    x, y = (a * col + (b * row + c) for a, b, c in matrix[:2])
    return x.astype(np.float32), y.astype(np.float32)


def resample_image(image: NDArray[Any], maps: Maps) -> NDArray[Any]:
    """Resample an image (rows, cols) by cubic interpolation, in its own dtype.

    Values never leave the image's own [minimum, maximum]: what the cubic curve overshoots is
    clipped, and what lies outside the image gets its minimum. Integers are rounded to the nearest,
    ties to even. Takes uint8, uint16, int16 and float32; raises `FileError` (``pixel-type``,
    ``image-shape``, ``pixel-values``) for other types (32-bit integers do not fit in the float32 of
    the interpolation), for other shapes, and for NaN or infinity.
    """
    import cv2

    check_pixels(image, IMAGE_DTYPES, "image")
    low, high = float(image.min()), float(image.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise FileError(
            "the pixels hold NaN or infinity", "Replace these pixels first.", "pixel-values"
        )
    # OpenCV 4 rounds coordinates to these steps and OpenCV 5 does not: do it for both.
    x, y = (
        np.rint(axis * np.float32(STEPS)) / np.float32(STEPS) + np.float32(PAD) for axis in maps
    )
    # Padded here: beside the edge, OpenCV 4 adds and subtracts the border value and loses digits.
    source = np.ascontiguousarray(image, dtype=np.float32)
    padded = cv2.copyMakeBorder(source, PAD, PAD, PAD, PAD, cv2.BORDER_CONSTANT, value=low)
    resampled: NDArray[Any] = cv2.remap(
        padded,
        x,
        y,
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=low,
    )
    np.clip(resampled, low, high, out=resampled)
    if image.dtype.kind in "iu":
        np.rint(resampled, out=resampled)
    return resampled.astype(image.dtype, copy=False)


def resample_mask(mask: NDArray[Any], maps: Maps) -> NDArray[Any]:
    """Resample a mask (rows, cols) by its nearest pixel, in its own dtype; 0 outside.

    No label is made that was not there. Takes bool, uint8, uint16 and int16; raises `FileError`
    (``pixel-type``, ``image-shape``) for others.
    """
    import cv2

    check_pixels(mask, MASK_DTYPES, "mask")
    source = mask.view(np.uint8) if mask.dtype == np.bool_ else mask
    # Nearest rounds the full coordinate (measured on 4.12 and 5.0): no offset against the image.
    resampled: NDArray[Any] = cv2.remap(
        np.ascontiguousarray(source),
        *maps,
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return resampled.view(mask.dtype)


def check_pixels(pixels: NDArray[Any], dtypes: tuple[str, ...], what: str) -> None:
    """Raise `FileError` unless these are (rows, cols) of one of these dtypes.

    The codes are ``pixel-type`` and ``image-shape``.
    """
    if pixels.dtype not in [np.dtype(name) for name in dtypes]:
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
