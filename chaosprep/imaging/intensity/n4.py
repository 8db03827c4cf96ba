"""The field that a coil lays over an MR volume, found by N4 on a coarse grid.

N4 (Tustison et al. 2010, IEEE Transactions on Medical Imaging 29:1310,
doi:10.1109/TMI.2010.2046908) is SimpleITK's. Everything that makes it fail or run on is kept from
it: its input is finite, positive and not flat, no axis has one sample only, and grid and iterations
are bounded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.intensity.coarse import Axes, Axis, Mask

LEVELS = 3
"""How often N4 fits: each time with knots half as far apart."""

_NODES = 4  # of a cubic, which give it back
_RANGE = 1e-3  # of logarithms of values: what is flatter tells no field

CONVERGED = 1e-3
"""Of the change of the field, its coefficient of variation in the body: where a level ends."""


class NotFittedError(Exception):
    """N4 cannot tell a field: the text is a clause that says why."""


@dataclass(frozen=True)
class LogField:
    """The logarithm of a smooth field over a volume, up to a constant.

    It is a cubic spline, so on each span a cubic along every axis, which 4 samples give back
    without loss: `samples` (slices, rows, cols) lie at the thirds of the spans of `axes`.
    """

    axes: Axes
    samples: NDArray[np.float64]

    def plane(self, index: int) -> NDArray[np.float64]:
        """The field at the voxels of a slice of the volume, (rows, cols)."""
        slices, rows, cols = self.axes
        place, weights = _cubic(slices, np.array([index]))
        across = _blended(self.samples, place, weights)[0]
        down = _blended(across, *_cubic(rows, np.arange(rows.size)))
        return _blended(down.T, *_cubic(cols, np.arange(cols.size))).T


def fit(axes: Axes, values: NDArray[np.float64], mask: Mask, iterations: int) -> LogField:
    """The logarithm of the field in a volume on a coarse grid.

    Args:
        axes: the grid.
        values: (slices, rows, cols) of the grid; what is not positive or not finite is not seen.
        mask: where the body is, of the same shape.
        iterations: the most of each level.

    Raises:
        NotFittedError: too little of a body, a flat one, or no finite field.
    """
    seen = mask & np.isfinite(values) & (values > 0)
    logs = np.log(values[seen])
    points = 1
    for axis in axes:
        points *= axis.spans + 3
    if logs.size < points:
        raise NotFittedError("the body in it is too small")
    if logs.max() - logs.min() < _RANGE:
        raise NotFittedError("the body in it is flat")
    middle = float(np.exp(logs.mean()))  # N4 works in single precision
    samples = _n4(axes, np.where(seen, values / middle, 0.0), seen, iterations)
    if not np.isfinite(samples).all():
        raise NotFittedError("N4 found no finite field")
    return LogField(axes, samples)


def _n4(
    axes: Axes, values: NDArray[np.float64], seen: Mask, iterations: int
) -> NDArray[np.float64]:
    import SimpleITK

    image = SimpleITK.GetImageFromArray(values.astype(np.float32))
    mask = SimpleITK.GetImageFromArray(seen.view(np.uint8))
    for one in (image, mask):
        one.SetSpacing([axis.step for axis in reversed(axes)])
    with _one_thread():
        n4 = SimpleITK.N4BiasFieldCorrectionImageFilter()  # a used one goes on from its last field
        n4.SetMaximumNumberOfIterations([iterations] * LEVELS)
        n4.SetConvergenceThreshold(CONVERGED)
        n4.SetNumberOfControlPoints([axis.spans + 3 for axis in reversed(axes)])
        try:
            n4.Execute(image, mask)
            found = n4.GetLogBiasFieldAsImage(_at_thirds(axes))
        except RuntimeError as error:
            raise NotFittedError("N4 failed on it") from error
    samples: NDArray[np.float64] = SimpleITK.GetArrayFromImage(found).astype(np.float64)
    return samples


def _at_thirds(axes: Axes) -> Any:  # noqa: ANN401 - an image of SimpleITK, which has no types
    """An image whose voxels lie at the thirds of the finest spans."""
    import SimpleITK

    places = [(_NODES - 1) * _fine(axis) for axis in reversed(axes)]
    image = SimpleITK.Image([count + 1 for count in places], SimpleITK.sitkFloat32)
    image.SetSpacing([a.length / n for a, n in zip(reversed(axes), places, strict=True)])
    return image


def _fine(axis: Axis) -> int:
    return int(axis.spans * 2 ** (LEVELS - 1))


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for what SimpleITK makes in here: N4 sums in the order of its threads."""
    from SimpleITK import ProcessObject

    before = ProcessObject.GetGlobalDefaultNumberOfThreads()
    ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _cubic(axis: Axis, voxels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which samples voxels of an axis are blended of, (n, 4), and by which weights (Lagrange's)."""
    spans = _fine(axis)
    along = voxels * axis.spacing / axis.length * spans
    span = np.minimum(along.astype(np.int64), spans - 1)
    nodes = np.arange(_NODES)
    at = (along - span) * (_NODES - 1)
    weights = np.ones((voxels.size, _NODES))
    for node in nodes:
        for other in nodes[nodes != node]:
            weights[:, node] *= (at - other) / (node - other)
    return (_NODES - 1) * span[:, None] + nodes, weights


def _blended(
    samples: NDArray[np.float64], places: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Samples blended along their first axis: (n, ...), summed in the order of the nodes."""
    shape = (-1,) + (1,) * (samples.ndim - 1)
    made = np.zeros((len(places), *samples.shape[1:]))
    for place, weight in zip(places.T, weights.T, strict=True):
        made += weight.reshape(shape) * samples[place]
    return made
