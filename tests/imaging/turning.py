"""Rotations by SimpleITK, not by the toolkit."""

import numpy as np
import SimpleITK
from numpy.typing import NDArray


def rotation(x: float, y: float, z: float) -> NDArray[np.float64]:
    """Turn about each axis by degrees, (3, 3): ITK's Euler3DTransform."""
    transform = SimpleITK.Euler3DTransform()
    transform.SetRotation(*np.radians([x, y, z]).tolist())
    return np.reshape(np.array(transform.GetMatrix()), (3, 3))


def cosines_of(axes: NDArray[np.float64]) -> tuple[float, float, float, float, float, float]:
    """ImageOrientationPatient of axes, (3, 3): along the rows, down the columns, the normal."""
    a, b, c, d, e, f = (float(value) for value in axes[:, :2].T.ravel())
    return a, b, c, d, e, f
