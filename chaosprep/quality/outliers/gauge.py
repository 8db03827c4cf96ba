"""A case measured slice by slice, so that it never has to be in memory whole."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.quality.outliers.tally import Tally
from chaosprep.quality.outliers.values import CaseValues

_LEAST, _LARGEST = 1e-9, 1e9  # mm; no spacing lies beyond, and what follows from it stays finite
_SAMPLE = 4096  # pixels of a slice that percentiles are taken of, evenly spread


class Gauge:
    """Takes the slices of one case in anatomical order, and tells its values at the end."""

    def __init__(
        self,
        id: str,
        patient: str,
        side: str,
        sequence: str,
        spacing: tuple[float, float, float] | None,
        file: str | None = None,
    ) -> None:
        self._place = {"id": id, "patient": patient, "side": side, "sequence": sequence}
        self._spacing, self._file = spacing, file
        self._slices = 0
        self._extent = 0, 0
        self._sample: list[NDArray[Any]] = []
        self._tallies: dict[str, Tally] = {}

    def add(
        self, image: NDArray[Any] | None, structures: Iterable[tuple[str, NDArray[np.bool_]]]
    ) -> None:
        """Take a slice: its image (rows, cols), and each structure as a boolean plane.

        Pixels that are masked, or not finite, are not counted. Structures of one name are one.
        """
        if image is not None:
            self._extent = max(self._extent, (image.shape[0], image.shape[1]))
            step = max(math.ceil(math.sqrt(image.size / _SAMPLE)), 1)
            some = np.ma.compressed(image[::step, ::step]).astype(np.float64)
            self._sample.append(some[np.isfinite(some)])
        planes: dict[str, NDArray[np.bool_]] = {}
        for name, plane in structures:
            planes[name] = planes[name] | plane if name in planes else plane
        for name, plane in planes.items():
            self._extent = max(self._extent, (plane.shape[0], plane.shape[1]))
            self._tallies.setdefault(name, Tally()).add(self._slices, plane)
        self._slices += 1

    def add_areas(self, extent: tuple[int, int], areas: Mapping[str, int]) -> None:
        """Take a slice, (rows, cols), of which only areas in pixels are known."""
        self._extent = max(self._extent, extent)
        middle = ((extent[0] - 1) / 2, (extent[1] - 1) / 2)
        for name, area in areas.items():
            self._tallies.setdefault(name, Tally()).count(self._slices, area, middle)
        self._slices += 1

    def values(self) -> CaseValues | None:
        """The values of all slices that were taken; None where there was none."""
        if not self._slices or not all(self._extent):
            return None
        shape = (self._slices, *self._extent)
        spacing = self._spacing
        if spacing is not None and not all(_LEAST < (mm or 0) < _LARGEST for mm in spacing):
            spacing = None
        voxel = None if spacing is None else math.prod(spacing) / 1000
        told = {name: tally.values(shape, voxel) for name, tally in self._tallies.items()}
        shown = np.concatenate(self._sample) if self._sample else np.zeros(0)
        low, middle, high = np.percentile(shown, [1, 50, 99]).tolist() if shown.size else [0.0] * 3
        return CaseValues(
            **self._place,
            shape=shape,
            spacing=spacing,
            percentiles=(low, middle, high) if shown.size else None,
            structures={name: one for name, one in told.items() if one is not None},
            file=self._file,
        )
