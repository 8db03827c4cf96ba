"""A case measured slice by slice; of its images only counted values stay, of masks the outline."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chaosprep.quality.outliers.values import CaseValues, StructureValues

_SAMPLES = 4096  # pixels of a slice that the percentiles are taken from, evenly spread
_PERCENTILES = (1, 50, 99)
_CONNECTED = False  # by faces: voxels that touch at a corner are two islands

Spacing = tuple[float, float, float]
Mask = NDArray[np.bool_]


class Gauge:
    """Takes the slices of one case in anatomical order, and tells its values at the end.

    Args:
        id: the case, with its `patient`, `side` and `sequence`.
        patient: the patient.
        side: the side of the split, empty without one.
        sequence: what the case is compared within.
        spacing: mm between slices, rows, cols; None where it is not known.
    """

    def __init__(
        self, id: str, patient: str, side: str, sequence: str, spacing: Spacing | None
    ) -> None:
        self._place = {"id": id, "patient": patient, "side": side, "sequence": sequence}
        self._spacing = spacing
        self._samples: list[NDArray[np.float64]] = []
        self._planes: dict[str, dict[int, Mask]] = {}
        self._shape: tuple[int, int] | None = None
        self._count = 0

    def add(self, image: NDArray[Any] | None, structures: Iterable[tuple[str, Mask]]) -> None:
        """Take a slice: its image (rows, cols), and each structure as a boolean plane.

        A slice of another size than the first counts, and is not measured.
        """
        place, self._count = self._count, self._count + 1
        if image is not None:
            self._shape = self._shape or image.shape
            self._samples.append(_sampled(image))
        for name, plane in structures:
            self._shape = self._shape or plane.shape
            planes = self._planes.setdefault(name, {})
            if plane.shape == self._shape and plane.any():
                planes[place] = plane

    def values(self) -> CaseValues | None:
        """The values of all slices that were taken; None where there was none."""
        if self._shape is None:
            return None
        values = np.concatenate(self._samples) if self._samples else np.empty(0)
        low, middle, high = np.percentile(values, _PERCENTILES) if values.size else (0.0,) * 3
        shape = (self._count, *self._shape)
        return CaseValues(
            **self._place,
            shape=shape,
            spacing=self._spacing,
            percentiles=(float(low), float(middle), float(high)) if values.size else None,
            structures={
                name: _measured(planes, shape, self._spacing)
                for name, planes in sorted(self._planes.items())
            },
        )


def _sampled(image: NDArray[Any]) -> NDArray[np.float64]:
    """Some pixels of a slice, always the same ones; what is no number is left out."""
    flat = image.ravel()[:: max(image.size // _SAMPLES, 1)].astype(np.float64)
    return flat[np.isfinite(flat)]


def _measured(
    planes: dict[int, Mask], shape: tuple[int, int, int], spacing: Spacing | None
) -> StructureValues:
    """Measure one structure, given as its planes that are not empty, by place."""
    if not planes:
        return StructureValues(ml=None if spacing is None else 0.0, voxels=0, jump=0.0)
    first, last = min(planes), max(planes)
    areas = [int(planes[at].sum()) if at in planes else 0 for at in range(first, last + 1)]
    voxels = sum(areas)
    jumps = np.abs(np.diff(areas))
    box, corner = _boxed(planes, first, last)
    holes, islands = _holes(box), _islands(box)
    where = np.argwhere(box).mean(axis=0) + (first, *corner) + 0.5
    centre = tuple(float(at / size) for at, size in zip(where, shape, strict=True))
    return StructureValues(
        ml=None if spacing is None else voxels * float(np.prod(spacing)) / 1000,
        voxels=voxels,
        jump=float(jumps.max() / max(areas)) if jumps.size else 0.0,
        holes=holes,
        islands=islands,
        centre=centre,  # type: ignore[arg-type]
    )


def _boxed(planes: dict[int, Mask], first: int, last: int) -> tuple[Mask, tuple[int, int]]:
    """A structure in the smallest box around it, and the box's first row and column."""
    union = np.logical_or.reduce(list(planes.values()))
    rows, cols = np.flatnonzero(union.any(axis=1)), np.flatnonzero(union.any(axis=0))
    cut = slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)
    box = np.zeros((last - first + 1, *union[cut].shape), bool)
    for at, plane in planes.items():
        box[at - first] = plane[cut]
    return box, (int(rows[0]), int(cols[0]))


def _islands(box: Mask) -> int:
    """The parts of a structure beside its largest, by faces, in 3-D."""
    return _components(box) - 1


def _holes(box: Mask) -> int:
    """The parts of background that a structure encloses in 3-D."""
    outside = np.pad(~box, 1, constant_values=True)
    return _components(outside) - 1


def _components(mask: Mask) -> int:
    import SimpleITK

    image = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    found = SimpleITK.ConnectedComponentImageFilter()
    found.SetFullyConnected(_CONNECTED)
    found.Execute(image)
    return int(found.GetObjectCount())
