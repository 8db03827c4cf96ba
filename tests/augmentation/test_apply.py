import hashlib
import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.augmentation import Recipe, apply, draw
from chaosprep.augmentation.apply import swap_labels
from chaosprep.errors import ChaosprepError, FileError, UsageError
from tests.augmentation.truth import NEUTRAL, source_points

SIDE = 256
OFTEN = Recipe(rotation=20.0, rotation_probability=1.0, zoom_probability=0.5)

# A liver-sized ellipse away from the centre of the image: row, col, half axes, tilt. It stands on
# a pixel centre, so that by symmetry its own mask has no offset before the transform.
ROW, COL, LONG, SHORT, TILT = 118.0, 121.0, 66.0, 46.0, 0.4


def radius(row: NDArray[np.float64], col: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the elliptic radius of each point: below 1 inside the ellipse."""
    along = (col - COL) * math.cos(TILT) + (row - ROW) * math.sin(TILT)
    across = (row - ROW) * math.cos(TILT) - (col - COL) * math.sin(TILT)
    return np.hypot(along / LONG, across / SHORT)


def phantom() -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return a smooth blob, and the mask of the ellipse with the same centre."""
    where = radius(*np.mgrid[:SIDE, :SIDE].astype(np.float64))
    blob = np.clip(1.0 - where**2, 0.0, None) ** 2
    return (1000.0 * blob).astype(np.float32), np.where(where <= 1.0, 63, 0).astype(np.uint8)


def centroid(weights: NDArray[Any]) -> NDArray[np.float64]:
    row, col = np.mgrid[:SIDE, :SIDE]
    points = np.stack([row, col]) * weights.astype(np.float64)
    return np.asarray(points.sum(axis=(1, 2)) / weights.sum(dtype=np.float64))


def test_300_draws_of_an_ellipse_stay_true_to_its_formula() -> None:
    image, mask = phantom()
    area_errors, wrong, offsets = [], [], []
    for i in range(300):
        parameters = draw(OFTEN, seed=0, slice_id=f"s{i:03}", copy=1)
        new_image, new_mask = apply(parameters, image, mask)
        assert new_mask is not None
        inside = radius(*source_points(parameters, SIDE, SIDE)) <= 1.0
        area = math.pi * LONG * SHORT / parameters["zoom"] ** 2
        area_errors.append((new_mask == 63).sum() / area - 1.0)
        wrong.append((inside != (new_mask == 63)).sum() / area)
        offsets.append(centroid(new_image) - centroid(new_mask))
        assert set(np.unique(new_mask)) == {0, 63}
    assert np.abs(area_errors).mean() <= 0.001
    assert np.abs(area_errors).max() <= 0.006
    assert max(wrong) <= 0.015
    assert np.linalg.norm(np.mean(offsets, axis=0)) <= 0.01
    distances = np.linalg.norm(offsets, axis=1)
    assert np.percentile(distances, 95) <= 0.1
    # Whole pixels alone cost a single draw up to 0.08 px, even drawn afresh from the formula.
    assert distances.max() <= 0.15


def test_image_and_mask_get_the_same_transform() -> None:
    # A mask used as its own image, half-way cut: they may differ only at the border.
    _, mask = phantom()
    new_image, new_mask = apply(draw(OFTEN, seed=1, slice_id="s", copy=1), mask, mask)
    assert new_mask is not None
    assert ((new_image > 31) != (new_mask == 63)).mean() < 0.005


def test_the_neutral_transform_changes_nothing() -> None:
    image, mask = phantom()
    new_image, new_mask = apply(NEUTRAL, image, mask, swap=[(63, 126)])
    assert np.array_equal(new_image, image)
    assert new_mask is not None
    assert np.array_equal(new_mask, mask)


def test_a_slice_without_a_mask_gives_the_same_image_and_no_mask() -> None:
    image, mask = phantom()
    parameters = draw(OFTEN, seed=1, slice_id="s", copy=1)
    alone, no_mask = apply(parameters, image, None)
    assert no_mask is None
    assert np.array_equal(alone, apply(parameters, image, mask)[0])


def test_parameters_read_back_from_json_give_the_same_bytes() -> None:
    image, mask = phantom()
    for copy in range(5):
        parameters = draw(OFTEN, seed=2, slice_id="s", copy=copy)
        first = apply(parameters, image, mask)
        again = apply(json.loads(json.dumps(parameters)), image, mask)
        for one, other in zip(first, again, strict=True):
            assert one is not None
            assert other is not None
            assert one.tobytes() == other.tobytes()


PROGRAM = """
import hashlib
import numpy as np
from chaosprep.augmentation import Recipe, apply, draw
image = np.random.default_rng(0).integers(0, 65536, (60, 50)).astype(np.uint16)
digest = hashlib.sha256()
for i in {order}:
    p = draw(Recipe(), seed=9, slice_id=f"s{{i}}", copy=1)
    if i == 7:
        digest.update(repr(p).encode() + apply(p, image, None)[0].tobytes())
"""


def test_two_processes_in_any_order_make_the_same_bytes() -> None:
    def process(order: str) -> str:
        program = PROGRAM.format(order=order) + "print(digest.hexdigest())"
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert process("range(10)") == process("[9, 7]") != hashlib.sha256().hexdigest()


def test_import_does_not_load_opencv() -> None:
    program = "import sys, chaosprep.augmentation; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_flip_swaps_left_and_right_organs() -> None:
    mask = np.array([[63, 126, 0, 189, 252]], dtype=np.uint8)
    _, flipped = apply(NEUTRAL | {"flip": True}, mask, mask, swap=[(126, 189)])
    assert flipped is not None
    assert flipped.tolist() == [[252, 126, 0, 189, 63]]


def test_swapping_twice_gives_the_mask_back() -> None:
    mask = np.arange(256, dtype=np.uint8).reshape(16, 16)
    pairs = [(126, 189), (1, 2)]
    swapped = swap_labels(mask, pairs)
    assert not np.array_equal(swapped, mask)
    assert np.array_equal(swap_labels(swapped, pairs), mask)


@pytest.mark.parametrize("pairs", [[(1, 2), (2, 3)], [(5, 5)], [(1, 256)], [(-1, 1)]])
def test_pairs_that_make_no_sense_for_the_mask_are_refused(pairs: list[tuple[int, int]]) -> None:
    with pytest.raises(UsageError) as caught:
        swap_labels(np.zeros((2, 2), np.uint8), pairs)
    assert caught.value.code == "label-swap"


def test_a_binary_mask_has_no_organs_to_swap() -> None:
    with pytest.raises(UsageError):
        swap_labels(np.zeros((2, 2), np.bool_), [(126, 189)])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"scheme": 2}, "scheme"),
        ({"scheme": None}, "scheme"),
        ({"engine": "other"}, "engine"),
        ({"shear": 3.0}, "shear"),
        ({"rotation": "left"}, "rotation"),
        ({"rotation": float("nan")}, "rotation"),
        ({"rotation": 181.0}, "rotation"),
        ({"flip": 1}, "flip"),
        ({"zoom": 0.0}, "zoom"),
        ({"zoom": float("nan")}, "zoom"),
        ({"zoom": 1.1}, "zoom"),
        ({"zoom_row": -0.1}, "zoom_row"),
        ({"zoom_col": 1.1}, "zoom_col"),
    ],
)
def test_parameters_that_are_not_understood_are_refused(change: dict[str, Any], word: str) -> None:
    with pytest.raises(ChaosprepError, match=word) as caught:
        apply(NEUTRAL | change, np.zeros((4, 4), np.uint8), None)
    assert caught.value.code == "augmentation-parameters"


@pytest.mark.parametrize("key", list(NEUTRAL))
def test_a_missing_key_is_refused_by_name(key: str) -> None:
    parameters = {name: value for name, value in NEUTRAL.items() if name != key}
    with pytest.raises(ChaosprepError, match=key) as caught:
        apply(parameters, np.zeros((4, 4), np.uint8), None)
    assert caught.value.code == "augmentation-parameters"


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(FileError) as caught:
        apply(NEUTRAL, np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8))
    assert caught.value.code == "mask-size"


def test_a_colour_image_is_refused() -> None:
    colour = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(FileError) as caught:
        apply(NEUTRAL, colour, None)
    assert caught.value.code == "image-shape"
