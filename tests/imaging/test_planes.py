"""A slice of a mask in the plane of its image: its pixels are turned as those of a volume are."""

from itertools import product

import numpy as np
import pytest

from chaosprep.imaging.space.placing import Place
from chaosprep.imaging.space.planes import turned

AXES = np.eye(3, dtype=np.int64)


@pytest.mark.parametrize(("swapped", "down", "right"), [*product([0, 1], [1, -1], [1, -1])])
def test_a_plane_is_turned_as_its_voxels_are_taken(swapped: int, down: int, right: int) -> None:
    labels = np.arange(12).reshape(3, 4)
    rows, cols = labels.shape[:: -1 if swapped else 1]
    steps = down * AXES[swapped], right * AXES[1 - swapped]
    start = np.zeros(3, np.int64)
    for step, count in zip(steps, (rows, cols), strict=True):
        start -= np.minimum(step, 0) * (count - 1)
    place = Place(start, *steps)
    expected = [
        [labels[tuple((start + r * steps[0] + c * steps[1])[:2])] for c in range(cols)]
        for r in range(rows)
    ]
    assert turned(labels, place).tolist() == expected
    assert np.array_equal(turned(labels, place), place.take(labels[:, :, None], rows, cols))
