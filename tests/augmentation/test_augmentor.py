"""The engine ``augmentor`` beside Augmentor itself."""

import math
import random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from chaosprep.augmentation import AugmentorRecipe, apply, draw, mirrored, preset
from chaosprep.augmentation.augmentor import (
    GEOMETRY,
    REFUSED,
    DrawnStep,
    Step,
    augmentor_random,
    build,
    source_maps,
)
from chaosprep.augmentation.transform import Transform
from chaosprep.errors import ChaosprepError, UsageError
from tests.augmentation.truth import NEUTRAL

ROWS, COLS = 200, 256
TUTORIAL = preset("tutorial", engine="augmentor")
ARGUMENTS: dict[str, dict[str, Any]] = {
    "rotate": {"max_left_rotation": 10, "max_right_rotation": 25},
    "rotate_without_crop": {"max_left_rotation": 40, "max_right_rotation": 40, "expand": True},
    "random_distortion": {"grid_width": 4, "grid_height": 3, "magnitude": 6},
    "gaussian_distortion": {
        "grid_width": 4,
        "grid_height": 3,
        "magnitude": 6,
        "corner": "bell",
        "method": "in",
    },
    "zoom": {"min_factor": 0.8, "max_factor": 1.4},
    "zoom_random": {"percentage_area": 0.85},
    "crop_by_size": {"width": 120, "height": 99, "centre": False},
    "crop_centre": {"percentage_area": 0.7},
    "crop_random": {"percentage_area": 0.7},
    "scale": {"scale_factor": 1.5},
    "resize": {"width": 130, "height": 128},
    "skew": {"magnitude": 0.2},
    "skew_tilt": {"magnitude": 0.2},
    "skew_corner": {"magnitude": 0.2},
    "skew_left_right": {"magnitude": 0.2},
    "skew_top_bottom": {"magnitude": 0.2},
    "shear": {"max_shear_left": 10, "max_shear_right": 10},
}


def step(operation: str, seed: int = 0) -> DrawnStep:
    return DrawnStep(operation=operation, seed=seed, arguments=ARGUMENTS.get(operation, {}))


def by_augmentor(steps: list[DrawnStep], *pictures: NDArray[Any]) -> list[NDArray[Any]]:
    """Let Augmentor work on pixels, from the same seeds."""
    images = [Image.fromarray(pixels) for pixels in pictures]
    for one in steps:
        operation = build(one.operation, one.arguments)
        with augmentor_random(one.seed):
            images = operation.perform_operation(images)
    return [np.array(image) for image in images]


def steps_of(parameters: dict[str, Any]) -> list[DrawnStep]:
    return [DrawnStep(**operation) for operation in parameters["operations"]]


def disc(rows: int = ROWS, cols: int = COLS) -> NDArray[np.uint8]:
    row, col = np.mgrid[:rows, :cols]
    return np.where(np.hypot(row - rows * 0.45, col - cols * 0.45) < rows * 0.28, 255, 0).astype(
        np.uint8
    )


def dice(one: NDArray[Any], other: NDArray[Any]) -> float:
    a, b = one > 127, other > 127
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def by_hand(one: DrawnStep) -> NDArray[np.float64]:
    """Return the matrix from (col, row, 1) of the output to the input, as Augmentor's source says.

    Outer edges at whole numbers, the middle of the first pixel at 0.5.
    """
    rng = random.Random(one.seed)
    if one.operation == "flip_left_right":
        return np.array([[-1.0, 0, COLS], [0, 1, 0], [0, 0, 1]])
    if one.operation == "zoom_random":
        wide, tall = math.floor(COLS * 0.85), math.floor(ROWS * 0.85)
        left, top = rng.randint(0, COLS - wide), rng.randint(0, ROWS - tall)
        return np.array([[wide / COLS, 0, left], [0, tall / ROWS, top], [0, 0, 1]])
    left, right, side = rng.randint(-10, 0), rng.randint(0, 10), rng.randint(0, 1)
    return rotated_and_cropped((left, right)[side])


def rotated_and_cropped(degrees: int) -> NDArray[np.float64]:
    """Turn, and cut out the largest part without empty corners (`Augmentor` RotateRange)."""
    angle = math.radians(abs(degrees))
    sin, cos = math.sin(angle), math.cos(angle)
    wide, tall = 2 * (COLS / 2 * cos + ROWS / 2 * sin), 2 * (COLS / 2 * sin + ROWS / 2 * cos)
    # Pillow counts the pixels that the turned corners touch.
    wide = math.ceil(COLS / 2 + wide / 2 - 1e-9) - math.floor(COLS / 2 - wide / 2 + 1e-9)
    tall = math.ceil(ROWS / 2 + tall / 2 - 1e-9) - math.floor(ROWS / 2 - tall / 2 + 1e-9)
    tan = sin / cos
    edge = tan * (tall - wide * tan) - sin**2 / cos**2
    far = wide - edge
    above = tan * far
    box = [round(edge), round(above), round(wide - edge), round(tall - above)]
    crop = np.array(
        [
            [(box[2] - box[0]) / COLS, 0, box[0]],
            [0, (box[3] - box[1]) / ROWS, box[1]],
            [0, 0, 1],
        ]
    )
    signed = math.radians(degrees)
    sin, cos = math.sin(signed), math.cos(signed)
    to_centre = np.array([[1, 0, -wide / 2], [0, 1, -tall / 2], [0, 0, 1]])
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    from_centre = np.array([[1, 0, COLS / 2], [0, 1, ROWS / 2], [0, 0, 1]])
    return np.asarray(from_centre @ turn @ to_centre @ crop, np.float64)


def affine(here: NDArray[Any], there: NDArray[Any]) -> NDArray[np.float64]:
    """Fit the matrix (3, 2) that takes points (n, 2) to others."""
    one = np.column_stack([here, np.ones(len(here))])
    return np.asarray(np.linalg.lstsq(one, there, rcond=None)[0], np.float64)


def test_the_map_is_augmentors_geometry_to_a_hundredth_of_a_pixel() -> None:
    row, col = np.mgrid[:ROWS, :COLS] + 0.5
    for i in range(100):
        steps = steps_of(draw(TUTORIAL, seed=0, slice_id=f"s{i}", copy=1))
        matrix = np.eye(3)
        for one in steps:
            matrix = matrix @ by_hand(one)
        expected_x, expected_y = (a * col + b * row + c - 0.5 for a, b, c in matrix[:2])
        x, y = source_maps(steps, ROWS, COLS)
        assert np.abs(x - expected_x).max() <= 0.01
        assert np.abs(y - expected_y).max() <= 0.01


def test_the_map_is_that_of_coordinate_planes_which_augmentor_itself_transforms() -> None:
    # Pillow's bicubic transform bends a ramp by up to 0.1 pixels, evenly to either side.
    row, col = np.mgrid[:ROWS, :COLS].astype(np.float32)
    inner = np.ones_like(row)
    inner[:3] = inner[-3:] = inner[:, :3] = inner[:, -3:] = 0
    corners = np.array([[r, c, 1.0] for r in (0, ROWS - 1) for c in (0, COLS - 1)])
    errors = []
    for i in range(60):
        steps = steps_of(draw(TUTORIAL, seed=0, slice_id=f"s{i}", copy=1))
        their_row, their_col, whole = by_augmentor(steps, row, col, inner)
        x, y = source_maps(steps, ROWS, COLS)
        whole[:8] = whole[-8:] = whole[:, :8] = whole[:, -8:] = 0
        here = np.argwhere(np.abs(whole - 1) < 1e-5)
        at = tuple(here.T)
        theirs, ours = (
            affine(here, np.column_stack([a[at], b[at]]))
            for a, b in ((their_row, their_col), (y, x))
        )
        errors.append(np.abs(corners @ (theirs - ours)).max())
        assert np.abs(their_row - y)[at].max() < 0.11
        assert np.abs(their_col - x)[at].max() < 0.11
    assert np.mean(errors) <= 0.01
    assert max(errors) <= 0.03


def test_the_mask_agrees_with_augmentors_own_8_bit_mask() -> None:
    mask = disc()
    for i in range(100):
        parameters = draw(TUTORIAL, seed=1, slice_id=f"s{i}", copy=1)
        (theirs,) = by_augmentor(steps_of(parameters), mask)
        _, ours = apply(parameters, mask, mask)
        assert ours is not None
        assert dice(ours, theirs) >= 0.99


@pytest.mark.parametrize("operation", GEOMETRY)
def test_every_operation_makes_the_shape_and_the_mask_that_augmentor_makes(operation: str) -> None:
    mask = disc()
    for seed in range(6):
        drawn = step(operation, seed)
        (theirs,) = by_augmentor([drawn], mask)
        parameters = NEUTRAL | {
            "engine": "augmentor",
            "operations": [
                {"operation": operation, "seed": seed, "arguments": dict(drawn.arguments)}
            ],
        }
        _, ours = apply(parameters, mask, mask)
        assert ours is not None
        assert ours.shape == theirs.shape
        assert dice(ours, theirs) >= 0.99


def test_several_operations_go_one_after_the_other() -> None:
    mask = disc()
    names = ("random_distortion", "rotate_without_crop", "skew", "crop_centre", "rotate90")
    steps = [step(name, seed) for seed, name in enumerate(names)]
    parameters = NEUTRAL | {
        "engine": "augmentor",
        "operations": [
            {"operation": s.operation, "seed": s.seed, "arguments": s.arguments} for s in steps
        ],
    }
    (theirs,) = by_augmentor(steps, mask)
    _, ours = apply(parameters, mask, mask)
    assert ours is not None
    assert ours.shape == theirs.shape
    assert dice(ours, theirs) >= 0.98


def test_what_augmentor_cut_off_on_the_way_stays_cut_off() -> None:
    full = np.full((64, 64), 255, np.uint8)
    arguments = {"max_left_rotation": 40, "max_right_rotation": 0}
    turn = {"operation": "rotate_without_crop", "seed": 2, "arguments": arguments}
    back = {"operation": "zoom", "seed": 0, "arguments": {"min_factor": 1, "max_factor": 1}}
    parameters = NEUTRAL | {"engine": "augmentor", "operations": [turn, back, turn]}
    _, ours = apply(parameters, full, full)
    (theirs,) = by_augmentor(steps_of(parameters), full)
    assert ours is not None
    assert dice(ours, theirs) >= 0.98


def test_16_bits_and_masks_survive() -> None:
    image = np.tile(np.linspace(0, 1600, COLS), (ROWS, 1)).astype(np.uint16)
    mask = disc()
    for i in range(20):
        new_image, new_mask = apply(draw(TUTORIAL, seed=0, slice_id=f"s{i}", copy=1), image, mask)
        assert new_mask is not None
        assert new_image.dtype == np.uint16
        assert new_image.max() <= 1600
        assert set(np.unique(new_mask)) <= {0, 255}
    assert len(np.unique(new_image)) > 500


def test_a_picture_that_turns_changes_its_shape_and_a_zoom_the_size_of_its_pixels() -> None:
    turn = NEUTRAL | {
        "engine": "augmentor",
        "operations": [{"operation": "rotate90", "seed": 0, "arguments": {}}],
    }
    image, _ = apply(turn, disc(), None)
    assert image.shape == (COLS, ROWS)
    assert Transform(turn, (ROWS, COLS)).pixel_size((2.0, 3.0)) == pytest.approx((3.0, 2.0))
    scale = NEUTRAL | {
        "engine": "augmentor",
        "operations": [
            {"operation": "scale", "seed": 0, "arguments": {"scale_factor": 2.0}},
        ],
    }
    assert Transform(scale, (ROWS, COLS)).pixel_size((2.0, 3.0)) == pytest.approx((1.0, 1.5))


def test_augmentor_acts_where_the_rounded_chance_is_at_most_the_probability() -> None:
    often = Step(operation="flip_random", probability=0.5)
    assert often.happens(0.549, exact=False)
    assert not often.happens(0.551, exact=False)
    assert often.happens(0.499, exact=True)
    assert not often.happens(0.5, exact=True)
    # A probability below 0.05 is one of 5 %.
    assert Step(operation="flip_random", probability=0.01).happens(0.049, exact=False)


@pytest.mark.parametrize(("exact", "share"), [(False, 0.55), (True, 0.5)])
def test_a_step_comes_as_often_as_augmentor_or_the_probability_says(
    exact: bool, share: float
) -> None:
    flip = Step(operation="flip_left_right", probability=0.5)
    recipe = AugmentorRecipe(operations=(flip,), exact_probability=exact)
    drawn = [draw(recipe, seed=0, slice_id=f"s{i}", copy=1) for i in range(4000)]
    found = sum(bool(one["operations"]) for one in drawn) / 4000
    assert abs(found - share) < 4 * (0.25 / 4000) ** 0.5


def test_a_step_before_another_does_not_change_it() -> None:
    zoom = Step(operation="zoom_random", probability=0.5, arguments={"percentage_area": 0.5})
    flip = Step(operation="flip_random", probability=0.5)
    alone, after = (AugmentorRecipe(operations=steps) for steps in ((zoom,), (flip, zoom)))
    for i in range(50):
        one, other = (
            draw(recipe, seed=0, slice_id=f"s{i}", copy=1)["operations"]
            for recipe in (alone, after)
        )
        assert one == [step for step in other if step["operation"] == "zoom_random"]


def test_the_same_step_twice_is_drawn_twice() -> None:
    zoom = Step(operation="zoom_random", probability=1.0, arguments={"percentage_area": 0.5})
    twice = AugmentorRecipe(operations=(zoom, zoom))
    first, second = draw(twice, seed=0, slice_id="s", copy=1)["operations"]
    assert first["seed"] != second["seed"]


def test_the_users_random_numbers_are_left_alone() -> None:
    parameters = draw(TUTORIAL, seed=0, slice_id="s1", copy=1)
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    apply(parameters, disc(), None)
    assert (random.random(), np.random.random()) == expected


def test_the_users_random_numbers_make_no_difference() -> None:
    parameters = draw(TUTORIAL, seed=0, slice_id="s1", copy=1)
    assert parameters["operations"]
    first, _ = apply(parameters, disc(), None)
    random.seed(99)
    assert np.array_equal(apply(parameters, disc(), None)[0], first)


def test_flips_mirror_and_nothing_else_does() -> None:
    for operation in GEOMETRY:
        parameters = NEUTRAL | {
            "engine": "augmentor",
            "operations": [
                {"operation": operation, "seed": 3, "arguments": ARGUMENTS.get(operation, {})}
            ],
        }
        x, y = source_maps([step(operation, 3)], ROWS, COLS)
        (down_x, across_x), (down_y, across_y) = np.gradient(x), np.gradient(y)
        turned_over = np.median(across_x * down_y - down_x * across_y) < 0
        assert mirrored(parameters) == bool(turned_over)


@pytest.mark.parametrize("operation", [*REFUSED, "sharpen", "sample", "__init__"])
def test_what_changes_grey_values_or_is_no_operation_is_refused(operation: str) -> None:
    with pytest.raises(UsageError, match=operation) as caught:
        Step(operation=operation, probability=0.5)
    assert caught.value.code == "augmentation-recipe"
    parameters = NEUTRAL | {
        "engine": "augmentor",
        "operations": [{"operation": operation, "seed": 0, "arguments": {}}],
    }
    with pytest.raises(ChaosprepError):
        apply(parameters, disc(), None)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("rotate", {"max_left_rotation": 26, "max_right_rotation": 0}),
        ("rotate", {"degrees": 5}),
        ("rotate_without_crop", {"max_left_rotation": 5, "max_right_rotation": 5, "fillcolor": 9}),
        ("zoom_random", {"percentage_area": 1.0}),
        ("resize", {"width": 128, "height": 128, "resample_filter": "__import__('os')"}),
        ("resize", {"width": 10**9, "height": 128}),
        ("scale", {"scale_factor": 1000.0}),
    ],
)
def test_what_augmentor_or_the_memory_would_not_take_is_refused(
    operation: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match=operation):
        Step(operation=operation, probability=0.5, arguments=arguments)


def test_a_crop_larger_than_the_picture_is_refused() -> None:
    parameters = NEUTRAL | {
        "engine": "augmentor",
        "operations": [
            {"operation": "crop_by_size", "seed": 0, "arguments": {"width": 500, "height": 500}}
        ],
    }
    with pytest.raises(UsageError, match="200 x 256"):
        apply(parameters, disc(), None)
