"""What is near enough to be the same place, and the nearest axes at right angles."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SAME_PLACE = 1e-3  # mm: above what six decimals and NIfTI's float32 round
ENOUGH = 0.05  # of a pixel or step: what lies nearer is where it should be; headers are rounded


def nearest_axes(axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The orthonormal columns that are nearest to those given, (3, 2) or (3, 3).

    The unitary polar factor, by singular values: N. J. Higham, "Computing the polar decomposition",
    SIAM J. Sci. Stat. Comput. 7(4), 1986, 1160-1174. Of (3, 2) it keeps the plane.
    """
    left, _, right = np.linalg.svd(axes, full_matrices=False)
    return np.asarray(left @ right, dtype=np.float64)


def spread(shape: Sequence[int], spacing: Sequence[float], other: Sequence[float]) -> float:
    """How much longer or shorter a side of an image is with another spacing, in pixels of that.

    ``shape`` is rows and columns, each spacing that between rows and that between columns, mm.
    """
    sides = zip(shape, spacing, other, strict=True)
    return max(count * abs(here - there) / there for count, here, there in sides)
