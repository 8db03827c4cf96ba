"""A volume on another lattice, a slice at a time: nothing aliases, and no label is made up."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chaosprep.imaging.space.grids import Kernel, KernelName, MaskSampling, cubic, linear
from chaosprep.imaging.space.passage import TIE, Passage, Places

Kernels = tuple[KernelName, KernelName, KernelName]
"""That along the source's slices, rows and columns."""


class _Shape(NamedTuple):
    kernel: Kernel
    support: int  # voxels to either side


_KERNELS: dict[KernelName, _Shape] = {"linear": _Shape(linear, 1), "cubic": _Shape(cubic, 2)}

_Taps = tuple[NDArray[np.float64], NDArray[np.intp]]
"""Shares that sum to 1, and places, of the source's voxels along an axis: (taps, rows, cols)."""


def image_slice(
    voxels: NDArray[Any],
    ends: tuple[float, float],
    passage: Passage,
    number: int,
    kernels: Kernels,
) -> NDArray[Any]:
    """A slice of the passage's target of an image, (rows, cols), rounded once, half to even.

    Each kernel is as wide as a voxel of the target where that is larger than one of the source, so
    that nothing aliases (`Passage.widths`); beyond the outermost voxel that goes on. Cubic is Keys'
    (a = -0.5; IEEE Trans. ASSP 29, 1981).

    Args:
        voxels: the image, (slices, rows, cols), of any integer or float type, which it keeps.
        ends: its lowest and highest value, to which the result is clipped.
        passage: from the lattice of the voxels to the new one.
        number: of the slice of the new one.
        kernels: along the axes of `voxels`.
    """
    taps = [
        _taps(at, size, _KERNELS[kernel], max(1.0, width))
        for at, size, kernel, width in zip(
            passage.places(number), passage.source, kernels, passage.widths, strict=True
        )
    ]
    slices, rows, cols = taps
    made = (_along if passage.is_straight else _through)(voxels, slices, rows, cols)
    shown = np.clip(made, *ends)
    return (np.rint(shown) if voxels.dtype.kind in "iu" else shown).astype(voxels.dtype)


def labels_slice(
    voxels: NDArray[Any],
    labels: Sequence[int],
    passage: Passage,
    number: int,
    sampling: MaskSampling = "label",
) -> NDArray[Any]:
    """A slice of the passage's target of a mask, (rows, cols), of its type.

    Each pixel has the label with the largest share of the eight voxels around it, interpolated
    linearly; where two have the same, the nearest voxel's. With `nearest` it is always that.

    Args:
        voxels: the mask, (slices, rows, cols).
        labels: all values that are in it, 0 too.
        passage: as for `image_slice`.
        number: of the slice.
        sampling: `label` or `nearest`.
    """
    places = passage.places(number)
    nearest = nearest_slice(voxels, passage, number)
    if sampling == "nearest" or len(labels) == 1:
        return nearest
    around = _around(voxels, passage.source, places)
    most, made = np.full(nearest.shape, -1.0), nearest.copy()
    for label in labels:
        share = TIE * (nearest == label)
        for weight, found in around:
            share = share + weight * (found == label)
        larger = share > most
        made[larger], most[larger] = label, share[larger]
    return made


def nearest_slice(voxels: NDArray[Any], passage: Passage, number: int) -> NDArray[Any]:
    """The voxels nearest to the pixels of a slice of the passage's target, (rows, cols)."""
    slices, rows, cols = (
        np.clip(np.floor(at + (0.5 + TIE)), 0, size - 1).astype(np.intp)
        for at, size in zip(passage.places(number), passage.source, strict=True)
    )
    return np.asarray(voxels[slices, rows, cols])


def _around(
    voxels: NDArray[Any], shape: tuple[int, int, int], places: Places
) -> list[tuple[NDArray[np.float64], NDArray[Any]]]:
    """The eight voxels around each place, with their linear shares; none of those without one."""
    (deep, i), (high, j), (wide, k) = (
        _taps(at, n, _KERNELS["linear"], 1.0) for at, n in zip(places, shape, strict=True)
    )
    return [
        (deep[a] * high[b] * wide[c], voxels[i[a], j[b], k[c]])
        for a in range(len(i))
        for b in range(len(j))
        for c in range(len(k))
    ]


def _taps(at: NDArray[np.float64], size: int, shape: _Shape, wide: float) -> _Taps:
    reach = int(np.ceil(shape.support * wide))
    nearby = np.floor(at) + np.arange(1 - reach, reach + 1)[:, None, None]
    share = shape.kernel(np.abs(nearby - at) / wide)
    share /= share.sum(axis=0)
    used = np.flatnonzero((share != 0).any(axis=(1, 2)))
    return share[used], np.clip(nearby[used], 0, size - 1).astype(np.intp)


def _along(voxels: NDArray[Any], slices: _Taps, rows: _Taps, cols: _Taps) -> NDArray[np.float64]:
    """Slices first, then rows, then columns, as the axes run along each other.

    Sums in a fixed order, as in `grids`: those of a BLAS depend on the processor and its threads.
    """
    deep = np.zeros(voxels.shape[1:])
    for share, at in zip(*slices, strict=True):
        deep += share[0, 0] * voxels[at[0, 0]]
    high = np.zeros((rows[0].shape[1], voxels.shape[2]))
    for share, at in zip(*rows, strict=True):
        high += share * deep[at[:, 0]]
    made = np.zeros((len(high), cols[0].shape[2]))
    for share, at in zip(*cols, strict=True):
        made += share * high[:, at[0]]
    return made


def _through(voxels: NDArray[Any], slices: _Taps, rows: _Taps, cols: _Taps) -> NDArray[np.float64]:
    """Whatever way the axes run: every voxel that a kernel reaches."""
    made = np.zeros(slices[0].shape[1:])
    for deep, i in zip(*slices, strict=True):
        for high, j in zip(*rows, strict=True):
            share = deep * high
            for wide, k in zip(*cols, strict=True):
                made += share * wide * voxels[i, j, k]
    return made
