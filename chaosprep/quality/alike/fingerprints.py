"""Fingerprints: small pictures of the body alone, by which slices are told apart.

The body is cut out by its own centre and size, and grey levels are replaced by their ranks, so
that neither field of view nor a monotonic change of intensity shows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.files import sha256

SIDE = 128
"""Rows and columns of a fingerprint."""

Fingerprint = NDArray[np.uint8]

_REACH = 1.75  # half the side of the cut-out, in root mean square radii of the body
_LEVELS = 65536
_HUGE = 1e30
_WHOLE = 2.0**53  # to here float64 holds every whole number
_Matrix = NDArray[np.float32]


def pixels_sha256(image: NDArray[Any]) -> str:
    """The hash of an image's values and shape: equal for equal pictures, of whatever dtype."""
    values = np.asarray(image)
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
        low, high = float(values.min()), float(values.max())
        if low >= -_WHOLE and high <= _WHOLE and np.array_equal(values, np.rint(values)):
            values = values.astype(np.int64)  # also -0.0, which has other bytes than 0.0
    else:
        values = values.astype(np.uint64 if values.dtype == np.uint64 else np.int64)
    if values.dtype.kind in "iu" and _fits(values):
        values = values.astype(np.int32)
    kind = f"{values.dtype.name} {values.shape}"
    return sha256(kind.encode() + np.ascontiguousarray(values).tobytes())


def _fits(values: NDArray[Any]) -> bool:
    limits = np.iinfo(np.int32)
    return bool(int(values.min()) >= limits.min and int(values.max()) <= limits.max)


def fingerprint(image: NDArray[Any]) -> Fingerprint | None:
    """The fingerprint of an image (rows, cols) of any real dtype: (128, 128) uint8.

    None where nothing stands out of the background, so that nothing could be told apart.
    """
    import cv2

    ranks = _ranks(image)
    coarse = cv2.GaussianBlur(ranks, (0, 0), max(image.shape) / 100)
    bytes_ = np.rint(coarse * 255).astype(np.uint8)
    _, above = cv2.threshold(bytes_, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    body = _hull(np.asarray(above, np.uint8))
    frame = _frame(body)
    if frame is None:
        return None
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    if frame[0, 0] > 1:
        sigma = 0.5 * float(frame[0, 0])
        ranks = np.asarray(cv2.GaussianBlur(ranks, (0, 0), sigma), np.float32)
    cut = np.asarray(cv2.warpAffine(ranks, frame, (SIDE, SIDE), flags=flags), np.float32)
    inside = cv2.warpAffine(body, frame, (SIDE, SIDE), flags=flags) > 0
    return _equalised(cut, inside)


def _ranks(image: NDArray[Any]) -> _Matrix:
    """Each pixel's rank among all, 0..1, ties at their middle."""
    grey = np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0)
    grey = np.clip(grey, -_HUGE, _HUGE)
    low, high = float(grey.min()), float(grey.max())
    whole = np.issubdtype(image.dtype, np.integer) and high - low < _LEVELS
    scale = 1.0 if whole else (_LEVELS - 1) / max(high - low, 1e-30)
    levels = ((grey - low) * scale).astype(np.int64)
    counts = np.bincount(levels.ravel())
    counts[0] = 0  # padding
    ranks = (np.cumsum(counts) - counts / 2) / max(1, counts.sum())
    return np.asarray(ranks.astype(np.float32)[levels])


def _hull(above: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The largest part of what stands out of the background, made convex: lungs are inside."""
    import cv2

    outlines, _ = cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    body = np.zeros_like(above)
    if outlines:
        largest = max(outlines, key=cv2.contourArea)
        cv2.fillConvexPoly(body, cv2.convexHull(largest), 1)
    return body


def _frame(body: NDArray[np.uint8]) -> _Matrix | None:
    """The matrix (2, 3) from the fingerprint's pixels to the image's: (x, y) of the cut-out."""
    import cv2

    moments = cv2.moments(body, binaryImage=True)
    area = moments["m00"]
    if area < 16:
        return None
    radius = float(np.sqrt((moments["mu20"] + moments["mu02"]) / area))
    step = 2 * _REACH * radius / SIDE
    x, y = moments["m10"] / area, moments["m01"] / area
    half = step * (SIDE - 1) / 2
    return np.array([[step, 0, x - half], [0, step, y - half]], np.float32)


def _equalised(cut: _Matrix, inside: NDArray[np.bool_]) -> Fingerprint | None:
    """The ranks once more, among the pixels of the body only: 1..255, and 0 outside."""
    levels = np.rint(cut * 4095).astype(np.int64)
    counts = np.bincount(levels[inside], minlength=4096)
    if np.count_nonzero(counts) < 4:
        return None
    ranks = (np.cumsum(counts) - counts / 2) / counts.sum()
    table = np.clip(np.rint(255 * ranks), 1, 255).astype(np.uint8)
    return np.where(inside, table[levels], np.uint8(0))
