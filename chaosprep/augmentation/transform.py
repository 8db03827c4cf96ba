"""A drawn transform for pictures of one shape: checked once, its matrix and its map made once."""

from collections.abc import Mapping
from functools import cached_property, reduce
from typing import Any

import numpy as np

from chaosprep.augmentation.augmentor import source_maps
from chaosprep.augmentation.elastic import DrawnElastic
from chaosprep.augmentation.geometry import Maps, Matrix, coordinate_maps
from chaosprep.augmentation.recipe import AnyParameters, AugmentorParameters, read_parameters
from chaosprep.augmentation.spatial import Spatial


class Transform:
    """Drawn parameters, as `draw` returns them, on pictures of ``shape`` (rows, cols).

    Raises `ChaosprepError` (``augmentation-parameters``) as `read_parameters` does; what asks for
    the map raises `UsageError` (``augmentation-recipe``) where Augmentor cannot do a step on this
    shape.
    """

    def __init__(self, parameters: Mapping[str, Any], shape: tuple[int, int]) -> None:
        self.drawn: AnyParameters = read_parameters(parameters)
        self.shape = shape

    @cached_property
    def maps(self) -> Maps:
        """The input col and row of every output pixel; the shape is that of the output."""
        if isinstance(self.drawn, AugmentorParameters):
            return source_maps(self.drawn.operations, *self.shape)
        moves = None if self._elastic is None else self._elastic.moves(*self.shape)
        return coordinate_maps(self._matrix, *self.shape, moves)

    @property
    def is_whole(self) -> bool:
        """Whether the map is known to hold whole numbers only: each pixel goes to one place."""
        if isinstance(self.drawn, AugmentorParameters) or self._elastic is not None:
            return False
        return bool((self._matrix == np.floor(self._matrix)).all())

    @cached_property
    def linear(self) -> Matrix:
        """The 2 x 2 matrix on (col, row) from a step in the output to one in the input."""
        if not isinstance(self.drawn, AugmentorParameters):
            return self._matrix[:2, :2]
        steps = []
        for axis in self.maps:
            flat = min(axis.shape) == 1
            down, right = (0.0, 0.0) if flat else np.gradient(axis.astype(np.float64))
            steps.append((np.median(right), np.median(down)))
        return np.array(steps)

    @property
    def _elastic(self) -> DrawnElastic | None:
        return next((one for one in self.drawn.operations if isinstance(one, DrawnElastic)), None)

    @cached_property
    def _matrix(self) -> Matrix:
        """The one matrix of all spatial operations but the elastic one (engine opencv).

        Going from output to input undoes the operations from the last to the first.
        """
        moved = (one for one in self.drawn.operations if isinstance(one, Spatial))
        return reduce(np.matmul, (one.inverse(*self.shape) for one in moved), np.eye(3))

    def pixel_size(self, spacing: tuple[float, float] = (1.0, 1.0)) -> tuple[float, float]:
        """The size of an output pixel (row, col) in mm, for a source of ``spacing`` (row, col)."""
        right, down = (np.hypot(x * spacing[1], y * spacing[0]) for x, y in self.linear.T)
        return float(down), float(right)

    def pixel_area(self) -> float:
        """The mean area of an output pixel, in pixels of the source."""
        return float(abs(np.linalg.det(self.linear)))
