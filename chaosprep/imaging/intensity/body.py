"""Where the body is in a volume: its voxels, told from the air around it."""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def body_mask(
    voxels: NDArray[np.integer] | NDArray[np.floating],
    spacing: tuple[float, float, float],
    padding: Mask | None = None,
) -> Mask:
    """The body: (slices, rows, cols) bool, never True at `padding`; all else where none is found.

    The threshold is Otsu's (1979, IEEE Trans. SMC 9:62). Of what is brighter, the largest part in
    3-D is the body, with its holes filled slice by slice.
    """
    import SimpleITK

    known = np.ones(voxels.shape, bool) if padding is None else ~padding
    values = voxels[known].astype(np.float64)
    if not values.size or values.min() == values.max():
        return known
    bright = known & (voxels > _otsu(values))
    parts = SimpleITK.RelabelComponent(
        SimpleITK.ConnectedComponent(SimpleITK.GetImageFromArray(bright.view("u1")))
    )
    body = SimpleITK.GetArrayFromImage(parts == 1)
    filled = [SimpleITK.BinaryFillhole(SimpleITK.GetImageFromArray(plane)) for plane in body]
    return np.stack([SimpleITK.GetArrayFromImage(plane) > 0 for plane in filled]) & known


def _otsu(values: NDArray[np.float64]) -> float:
    counts, edges = np.histogram(values, 256)
    middle = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1]
    sums = np.cumsum(counts * middle)
    above = counts.sum() - below
    between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    return float(edges[1:-1][np.argmax(between)])
