import hashlib
import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.augmentation import (
    PRESETS,
    Recipe,
    apply,
    draw,
    mirrored,
    preset,
)
from chaosprep.augmentation.apply import swap_labels
from chaosprep.augmentation.spatial import Crop, Rotation
from chaosprep.augmentation.symmetry import Flip
from chaosprep.augmentation.transform import Transform
from chaosprep.errors import ChaosprepError, FileError, UsageError
from tests.augmentation.truth import NEUTRAL, doing, op, source_points

SIDE = 256
TUTORIAL = PRESETS["tutorial"].recipe
OFTEN = Recipe(
    rotation=Rotation(degrees=20.0), flip=Flip(probability=0.5), crop=Crop(probability=0.5)
)

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


@pytest.mark.parametrize("recipe", [TUTORIAL, OFTEN], ids=["tutorial", "often"])
def test_300_draws_of_an_ellipse_stay_true_to_its_formula(recipe: Recipe) -> None:
    image, mask = phantom()
    area_errors, wrong, offsets = [], [], []
    for i in range(300):
        parameters = draw(recipe, seed=0, slice_id=f"s{i:03}", copy=1)
        new_image, new_mask = apply(parameters, image, mask)
        assert new_mask is not None
        inside = radius(*source_points(parameters, SIDE, SIDE)) <= 1.0
        zoomed = any(one["operation"] == "crop" for one in parameters["operations"])
        area = math.pi * LONG * SHORT / (0.85**2 if zoomed else 1.0)
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


@pytest.mark.parametrize("name", [*PRESETS, "augmentor"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_parameters_read_back_from_json_give_the_same_bytes(name: str, dtype: str) -> None:
    recipe = preset("tutorial", engine=name) if name == "augmentor" else preset(name)
    image, mask = (pixels[:96, 32:] for pixels in phantom())
    image = (image / 8).astype(dtype)
    for copy in range(4):
        parameters = draw(recipe, seed=2, slice_id="s", copy=copy)
        first = apply(parameters, image, mask)
        again = apply(json.loads(json.dumps(parameters)), image, mask)
        for one, other in zip(first, again, strict=True):
            assert one is not None
            assert other is not None
            assert one.tobytes() == other.tobytes()


PROGRAM = """
import hashlib
import numpy as np
from chaosprep.augmentation import apply, draw, preset
image = np.random.default_rng(0).integers(0, 65536, (60, 50)).astype(np.uint16)
digest = hashlib.sha256()
for i in {order}:
    p = draw(preset("mri"), seed=9, slice_id=f"s{{i}}", copy=1)
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


@pytest.mark.parametrize(
    ("operations", "mirrors"),
    [
        ([op("flip")], True),
        ([op("flip_up_down")], True),
        ([op("transpose")], True),
        ([op("turn", quarters=1)], False),
        ([op("flip"), op("flip_up_down")], False),
        ([op("flip"), op("transpose")], False),
        ([op("transpose"), op("turn", quarters=1)], True),
        ([op("rotation", degrees=180.0), op("turn", quarters=2)], False),
    ],
)
def test_a_mirror_is_what_turns_the_handedness_over(
    operations: list[dict[str, Any]], mirrors: bool
) -> None:
    assert mirrored(doing(*operations)) is mirrors
    # Independently: go round a small square; the sign of its area says which way.
    row, col = source_points(doing(*operations), 21, 21)
    across = row[10, 11] - row[10, 10], col[10, 11] - col[10, 10]
    down = row[11, 10] - row[10, 10], col[11, 10] - col[10, 10]
    assert bool(across[1] * down[0] - across[0] * down[1] < 0) is mirrors


@pytest.mark.parametrize("mirror", ["flip", "flip_up_down", "transpose"])
def test_a_mirror_swaps_left_and_right_organs(mirror: str) -> None:
    mask = np.array([[63, 126, 0], [0, 189, 0], [0, 0, 252]], dtype=np.uint8)
    _, swapped = apply(doing(op(mirror)), mask, mask, swap=[(126, 189)])
    _, plain = apply(doing(op(mirror)), mask, mask)
    assert swapped is not None
    assert plain is not None
    assert np.array_equal(swapped, swap_labels(plain, [(126, 189)]))


def test_two_mirrors_and_turns_leave_the_names_of_organs() -> None:
    mask = np.array([[63, 126], [189, 252]], dtype=np.uint8)
    _, turned = apply(doing(op("flip"), op("flip_up_down")), mask, mask, swap=[(126, 189)])
    assert turned is not None
    assert turned.tolist() == [[252, 189], [126, 63]]


def test_the_size_of_a_pixel_follows_what_was_enlarged() -> None:
    crop = op("crop", rows=0.5, cols=0.8, top=0.0, left=1.0)
    assert Transform(doing(crop), (40, 60)).pixel_size((2.0, 3.0)) == pytest.approx((1.0, 2.4))
    assert Transform(doing(op("rotation", degrees=30.0)), (40, 60)).pixel_size() == pytest.approx(
        (1.0, 1.0)
    )
    assert Transform(doing(op("transpose")), (40, 60)).pixel_size((2.0, 3.0)) == pytest.approx(
        (3.0, 2.0)
    )
    scale = op("scale", factor=2.0)
    assert Transform(doing(scale, crop), (40, 60)).pixel_size((2.0, 3.0)) == pytest.approx(
        (0.5, 1.2)
    )
    assert Transform(doing(scale, crop), (40, 60)).pixel_area() == pytest.approx(0.5 * 0.8 / 4)


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


ZEROS = [[0.0] * 3] * 3
ELASTIC = op("elastic", row_moves=ZEROS, col_moves=ZEROS)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"scheme": 2}, "scheme"),
        ({"scheme": None}, "scheme"),
        ({"engine": "other"}, "engine"),
        ({"shear": 3.0}, "shear"),
        ({"attempt": -1}, "attempt"),
        ({"guard": "maybe"}, "guard"),
        ({"interpolation": "nearest"}, "interpolation"),
        (doing(op("sharpen")), "sharpen"),
        (doing(op("rotation")), "degrees"),
        (doing(op("rotation", degrees="left")), "degrees"),
        (doing(op("rotation", degrees=float("nan"))), "degrees"),
        (doing(op("rotation", degrees=181.0)), "degrees"),
        (doing(op("flip", axis=1)), "axis"),
        (doing(op("turn", quarters=4)), "quarters"),
        (doing(op("scale", factor=0.0)), "factor"),
        (doing(op("crop", rows=0.0, cols=1.0, top=0.0, left=0.0)), "rows"),
        (doing(op("crop", rows=1.0, cols=1.0, top=-0.1, left=0.0)), "top"),
        (doing(op("shift", rows=float("inf"), cols=0.0)), "rows"),
        (doing(op("elastic", row_moves=ZEROS, col_moves=ZEROS[:2])), "square"),
        (doing(op("elastic", row_moves=[[0.0]], col_moves=[[0.0]])), "row_moves"),
        (doing(ELASTIC, op("flip")), "last"),
        (doing(ELASTIC, ELASTIC), "last"),
        (doing(op("bias", coefficients=[0.0] * 8)), "coefficients"),
        (doing(op("noise", sigma=0.1, noise_seed=-1)), "noise_seed"),
        (doing(op("dropout", holes=[[0.0, 0.0, 0.5]])), "holes"),
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
