"""Where the body is in a volume: its voxels, told from the air around it."""

import math

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Voxels = NDArray[np.integer] | NDArray[np.floating]

BINS = 1024
"""Grey levels among which the threshold is looked for."""

_BRIGHT = 0.999  # the share of voxels that the levels part: the few brightest cost none of them
_CUT = 5.0  # mm: what hangs on the body by less is none of it
_CLOSE = 10.0  # mm: a dark gap that is narrower than twice that is bridged
_MOST = 25  # pixels: the largest radius of a disc, since its work grows with the square


def body_mask(
    voxels: Voxels, spacing: tuple[float, float, float], padding: Mask | None = None
) -> Mask:
    """The body, its lungs and bowels included, by one threshold over the whole volume.

    The threshold is the one of least cross entropy (Li and Lee 1993, Pattern Recognition 26:617,
    doi:10.1016/0031-3203(93)90115-D), found on square roots of the values above their minimum: on
    the values themselves it takes dark fat for air, as in fat-suppressed MR, and Otsu's does more
    so. Of what is brighter, and not thinner than 10 mm, the largest part in 3-D is the body
    (6 neighbours; of several as large, the first). In each slice its gaps are closed by a disc of
    10 mm radius, then its holes are filled. No disc has a radius of more than 25 pixels.

    Where that leaves nothing (a flat volume, only specks), all that is not padding is the body.
    The same bytes come out on any number of threads.

    Args:
        voxels: (slices, rows, cols), any integer or float type, bright is high. Values that are not
            finite count as padding.
        spacing: mm between slices, rows, cols.
        padding: where the voxels stand for nothing, (slices, rows, cols); None where none does.

    Returns:
        (slices, rows, cols) bool, never True at padding.
    """
    known = np.ones(voxels.shape, bool) if padding is None else ~padding
    if voxels.dtype.kind == "f":
        known &= np.isfinite(voxels)
    roots = _roots(voxels, known)
    threshold = least_cross_entropy(roots[known])
    if threshold is None:
        return known
    opened = [_opened(plane, _disc(_CUT, spacing)) for plane in known & (roots > threshold)]
    largest = _largest(np.stack(opened))
    if largest is None:
        return known
    filled: Mask = np.stack([_filled(_closed(plane, _disc(_CLOSE, spacing))) for plane in largest])
    return filled & known


def least_cross_entropy(values: Voxels) -> float | None:
    """The threshold that parts values with the least cross entropy; None where all are alike.

    What is above it is bright. All of `BINS` levels between the least value and the 99.9th
    percentile are tried.

    Args:
        values: (n,), finite.
    """
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    place = int(_BRIGHT * (values.size - 1))
    top = float(np.partition(values, place)[place])
    top = top if top > low else high
    width = (top - low) / BINS
    if not 0 < width < math.inf:
        return None
    counts, edges = np.histogram(np.minimum(values, top), BINS, (low, top))
    level = (np.arange(BINS) + 0.5) * width  # above the minimum, so that logarithms exist
    weight, mass = np.cumsum(counts), np.cumsum(counts * level)
    dark, dark_mass = weight[:-1], mass[:-1]
    bright, bright_mass = weight[-1] - dark, mass[-1] - dark_mass
    parted = (dark > 0) & (bright > 0)
    if not parted.any():
        return None
    entropy = np.full(BINS - 1, np.inf)
    means = dark_mass[parted] / dark[parted], bright_mass[parted] / bright[parted]
    entropy[parted] = -dark_mass[parted] * np.log(means[0]) - bright_mass[parted] * np.log(means[1])
    return float(edges[1 + np.argmin(entropy)])


def _roots(voxels: Voxels, known: Mask) -> NDArray[np.float32]:
    """Square roots of the values above the least of the known ones; 0 elsewhere."""
    low = float(voxels[known].min()) if known.any() else 0.0
    above = np.where(known, voxels, low).astype(np.float64)
    with np.errstate(over="ignore"):
        above -= low
    return np.sqrt(above).astype(np.float32)


def _disc(radius: float, spacing: tuple[float, float, float]) -> NDArray[np.uint8]:
    """The pixels whose centres are up to a radius (mm) away from one, within a slice."""
    reach = (min(int(radius / step), _MOST) for step in spacing[1:])
    rows, cols = (np.arange(-n, n + 1) * s for n, s in zip(reach, spacing[1:], strict=True))
    found = rows[:, None] ** 2 + cols[None, :] ** 2 <= radius**2
    return found.astype(np.uint8)


def _opened(plane: Mask, disc: NDArray[np.uint8]) -> Mask:
    """A slice less what the disc does not fit into; it goes on beyond its edges."""
    import cv2

    return np.asarray(cv2.morphologyEx(plane.view(np.uint8), cv2.MORPH_OPEN, disc), bool)


def _closed(plane: Mask, disc: NDArray[np.uint8]) -> Mask:
    """A slice with the gaps that the disc does not fit into; beyond its edges is nothing."""
    import cv2

    rows, cols = (side // 2 for side in disc.shape)
    wider = np.pad(plane.view(np.uint8), ((rows, rows), (cols, cols)))
    closed = np.asarray(cv2.morphologyEx(wider, cv2.MORPH_CLOSE, disc), bool)
    return closed[rows : rows + plane.shape[0], cols : cols + plane.shape[1]]


def _largest(mask: Mask) -> Mask | None:
    """The largest part that hangs together, None without any."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(mask.view(np.uint8))
    parts = SimpleITK.GetArrayFromImage(SimpleITK.ConnectedComponent(image, False))
    sizes = np.bincount(parts.ravel())
    if sizes.size < 2:
        return None
    found: Mask = parts == 1 + int(np.argmax(sizes[1:]))
    return found


def _filled(plane: Mask) -> Mask:
    """A slice (rows, cols) without holes: what no way leads to from its edge is filled."""
    import cv2

    outside = np.pad(plane.view(np.uint8), 1)
    cv2.floodFill(outside, None, (0, 0), (2,))
    found: Mask = outside[1:-1, 1:-1] != 2
    return found
