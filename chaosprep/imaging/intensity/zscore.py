"""z-score: the mean of the body becomes 0, its standard deviation 1."""

from math import fsum, sqrt

import numpy as np

from chaosprep.imaging.intensity.normalization import Normalization, Scale
from chaosprep.imaging.intensity.piecewise import Floats, Piecewise, through


def _fit(body: Floats, scale: Scale | None) -> Piecewise:
    """The map by mean and population standard deviation; sums are exact, in whatever order."""
    values, counts = np.unique(body, return_counts=True)
    mean = fsum(values * counts) / body.size
    spread = sqrt(fsum((values - mean) ** 2 * counts) / body.size)
    if values.size == 1 or mean + spread == mean:
        return through([mean], [0.0])
    return Piecewise((mean, mean + spread), (0.0, 1.0))


ZSCORE = Normalization(ends=(0.0, 1.0), fit=_fit)
