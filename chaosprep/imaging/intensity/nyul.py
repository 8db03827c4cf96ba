"""Histogram standardization of MR: percentiles of the body meet those of a learned scale.

Nyul and Udupa 1999, Magn. Reson. Med. 42:1072; Nyul, Udupa and Zhang 2000, IEEE Trans. Med. Imaging
19:143. Percentiles and ends of the scale are those of the package intensity-normalization.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import fsum

import numpy as np

from chaosprep.imaging.intensity.normalization import Normalization, Scale, ScaleLearning
from chaosprep.imaging.intensity.piecewise import Floats, Piecewise, through

PERCENTILES = (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99)
ENDS = (1.0, 100.0)
"""Where the first and the last of the percentiles lie on the scale."""


def _landmarks(body: Floats) -> Floats:
    """The percentiles of values, linear between neighbours, never descending."""
    found: Floats = np.maximum.accumulate(np.percentile(body, PERCENTILES))
    return found


def _see(body: Floats) -> Scale | None:
    found = _landmarks(body)
    if found[0] == found[-1]:
        return None
    return tuple(np.interp(found, found[[0, -1]], ENDS).tolist())


def _conclude(seen: Sequence[Scale]) -> Scale:
    """The mean of each landmark over the cases; the sums are exact, in whatever order."""
    return tuple(fsum(some) / len(seen) for some in zip(*seen, strict=True))


def _check(scale: Scale) -> None:
    if len(scale) != len(PERCENTILES):
        raise ValueError(f"{len(scale)} landmarks, {len(PERCENTILES)} were expected")
    if (scale[0], scale[-1]) != ENDS:
        raise ValueError(f"the landmarks do not go from {ENDS[0]:g} to {ENDS[1]:g}")
    if any(above < below for below, above in pairwise(scale)):
        raise ValueError("the landmarks descend")


def _fit(body: Floats, scale: Scale | None) -> Piecewise:
    assert scale is not None, "a scale is learned first"
    return through(_landmarks(body).tolist(), scale)


NYUL = Normalization(ENDS, _fit, ScaleLearning(_see, _conclude, _check))
