from typing import Any

import numpy as np
import pytest

from chaosprep.augmentation import AugmentorRecipe, draw
from chaosprep.augmentation.transform import Transform
from tests.augmentation.truth import doing, op

NO_MOVES = [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("shape", [(24, 24), (24, 31)])
@pytest.mark.parametrize(
    "operations",
    [
        [],
        [op("flip")],
        [op("flip_up_down")],
        [op("transpose")],
        [op("turn", quarters=3), op("flip")],
        [op("shift", rows=0.25, cols=0.0)],
        [op("gamma", exponent=0.8)],
    ],
)
def test_a_transform_that_takes_each_pixel_to_one_place_is_whole(
    operations: list[dict[str, Any]], shape: tuple[int, int]
) -> None:
    transform = Transform(doing(*operations), shape)
    assert transform.is_whole
    assert all(np.array_equal(axis, np.rint(axis)) for axis in transform.maps)


@pytest.mark.parametrize(
    "operation",
    [
        op("rotation", degrees=5.0),
        op("scale", factor=1.1),
        op("shift", rows=0.01, cols=0.0),
        op("shift", rows=0.0, cols=0.01),
        op("elastic", row_moves=[[0.0, 1.0], [0.0, 0.0]], col_moves=NO_MOVES),
    ],
)
def test_what_lies_between_pixels_is_not_whole(operation: dict[str, Any]) -> None:
    assert not Transform(doing(op("flip"), operation), (24, 31)).is_whole


def test_what_augmentor_does_is_not_known_to_be_whole() -> None:
    parameters = draw(AugmentorRecipe(), seed=0, slice_id="s", copy=1)
    assert not Transform(parameters, (24, 24)).is_whole


def test_the_map_is_made_once() -> None:
    transform = Transform(doing(op("rotation", degrees=5.0)), (24, 31))
    assert transform.maps is transform.maps
