import hashlib
import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.augmentation.draw import Parameters, Recipe, draw, generator
from chaosprep.errors import UsageError

ALWAYS = Recipe(rotation_probability=1.0, flip_probability=1.0, zoom_probability=1.0)
NEVER = Recipe(rotation_probability=0.0, flip_probability=0.0, zoom_probability=0.0)
KEYS = ["scheme", "engine", "rotation", "flip", "zoom", "zoom_row", "zoom_col"]

unit = st.floats(0.0, 1.0)
recipes = st.builds(
    Recipe,
    rotation=st.floats(0.0, 180.0),
    rotation_probability=unit,
    flip_probability=unit,
    zoom=st.floats(0.01, 1.0),
    zoom_probability=unit,
)


def draws(recipe: Recipe, count: int, seed: int = 0) -> list[dict[str, Any]]:
    return [draw(recipe, seed=seed, slice_id=f"MR001_t1-in_s{i:03}", copy=1) for i in range(count)]


def test_generator_is_philox_keyed_by_sha256_of_the_arguments_as_json() -> None:
    key = hashlib.sha256(b'[1, 42, "MR001_t1-in_s007", 2, 0, "flip"]').digest()[:16]
    words = np.frombuffer(key, dtype="<u8")
    expected = np.random.Generator(np.random.Philox(key=words)).random(4)
    assert generator(42, "MR001_t1-in_s007", 2, "flip").random(4).tolist() == expected.tolist()


def test_scheme_1_draws_these_numbers_for_ever() -> None:
    # If this fails, files in the world can no longer be made again: raise SCHEME_VERSION.
    assert draw(ALWAYS, seed=42, slice_id="MR001_t1-in_s007", copy=2) == {
        "scheme": 1,
        "engine": "opencv",
        "rotation": -6.206109,
        "flip": True,
        "zoom": 0.85,
        "zoom_row": 0.707185,
        "zoom_col": 0.879997,
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, "a1", 2, "flip"), (1, "a", 12, "flip")),
        ((1, "a", 1, "flip"), (11, "a", 1, "flip")),
        ((1, "a", 1, "flip", 0), (1, "a", 1, "flip", 1)),
        ((1, "a", 1, "flip"), (1, "a", 1, "zoom")),
        ((1, "a", 1, "flip"), (-1, "a", 1, "flip")),
        ((1, 'a", 1, 0, "flip', 1, "x"), (1, "a", 1, 'flip", 1, 0, "x')),
    ],
)
def test_different_arguments_give_different_streams(
    one: tuple[Any, ...], other: tuple[Any, ...]
) -> None:
    assert generator(*one).random() != generator(*other).random()


def test_the_schema_is_the_same_whether_drawn_or_not() -> None:
    for recipe in (ALWAYS, NEVER):
        drawn = draw(recipe, seed=0, slice_id="a", copy=1)
        assert list(drawn) == KEYS
        assert [type(value) for value in drawn.values()] == [int, str, float, bool] + 3 * [float]


def test_nothing_drawn_is_the_neutral_transform() -> None:
    neutral = [1, "opencv", 0.0, False, 1.0, 0.5, 0.5]
    assert all(list(drawn.values()) == neutral for drawn in draws(NEVER, 50))


def test_each_operation_comes_as_often_as_its_probability_says() -> None:
    count = 4000
    drawn = draws(Recipe(), count)
    shares = {
        0.8: sum(d["rotation"] != 0.0 for d in drawn) / count,
        0.5: sum(d["flip"] for d in drawn) / count,
        0.3: sum(d["zoom"] != 1.0 for d in drawn) / count,
    }
    for probability, share in shares.items():
        # Four standard deviations of a binomial share.
        assert abs(share - probability) < 4 * (probability * (1 - probability) / count) ** 0.5


def test_operations_are_independent_of_each_other() -> None:
    drawn = draws(ALWAYS, 4000)
    columns = [[d[key] for d in drawn] for key in ("rotation", "zoom_row", "zoom_col")]
    flips = [d["flip"] for d in draws(Recipe(), 4000)]
    correlation = np.corrcoef([*columns, flips])
    assert np.abs(correlation - np.eye(4)).max() < 4 / 4000**0.5


def test_angles_and_places_fill_their_ranges_evenly() -> None:
    drawn = draws(ALWAYS, 4000)
    angles = np.array([d["rotation"] for d in drawn])
    for values, low, high in (
        (angles, -10.0, 10.0),
        (np.array([d["zoom_row"] for d in drawn]), 0.0, 1.0),
        (np.array([d["zoom_col"] for d in drawn]), 0.0, 1.0),
    ):
        counts, _ = np.histogram(values, bins=10, range=(low, high))
        assert counts.sum() == 4000
        assert np.abs(counts - 400).max() < 4 * (4000 * 0.1 * 0.9) ** 0.5


@given(recipe=recipes, seed=st.integers(), slice_id=st.text(), copy=st.integers(0, 10**6))
def test_whatever_is_drawn_is_valid_and_survives_json_unchanged(
    recipe: Recipe, seed: int, slice_id: str, copy: int
) -> None:
    drawn = draw(recipe, seed=seed, slice_id=slice_id, copy=copy)
    line = msgspec.json.encode(drawn)
    assert msgspec.json.encode(msgspec.json.decode(line)) == line
    assert json.dumps(json.loads(json.dumps(drawn))) == json.dumps(drawn)
    assert msgspec.structs.asdict(msgspec.json.decode(line, type=Parameters)) == drawn
    assert abs(drawn["rotation"]) <= round(recipe.rotation, 6)


def test_a_draw_depends_on_neither_order_nor_subset() -> None:
    forward = {i: draw(Recipe(), seed=3, slice_id=f"s{i}", copy=1) for i in range(20)}
    backward = {i: draw(Recipe(), seed=3, slice_id=f"s{i}", copy=1) for i in range(19, 0, -3)}
    assert all(forward[i] == backward[i] for i in backward)


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        (Recipe(flip_probability=1.0, zoom_probability=1.0), ["rotation"]),
        (Recipe(rotation_probability=0.0, zoom_probability=0.0), ["flip"]),
        (Recipe(rotation=90.0, flip_probability=0.0), ["zoom", "zoom_row", "zoom_col"]),
    ],
)
def test_changing_other_operations_leaves_an_operation_as_it_was(
    changed: Recipe, kept: list[str]
) -> None:
    for one, other in zip(draws(Recipe(), 50), draws(changed, 50), strict=True):
        assert [one[key] for key in kept] == [other[key] for key in kept]


def test_a_higher_probability_adds_rotations_and_keeps_those_that_were_there() -> None:
    rare = draws(Recipe(rotation_probability=0.3), 100)
    often = draws(Recipe(rotation_probability=0.9), 100)
    both = [(a["rotation"], b["rotation"]) for a, b in zip(rare, often, strict=True)]
    assert all(a in (b, 0.0) for a, b in both)
    assert any(a == 0.0 != b for a, b in both)


def test_seed_slice_copy_and_attempt_each_draw_anew() -> None:
    drawn = [
        draw(ALWAYS, seed=0, slice_id="a", copy=1),
        draw(ALWAYS, seed=1, slice_id="a", copy=1),
        draw(ALWAYS, seed=0, slice_id="b", copy=1),
        draw(ALWAYS, seed=0, slice_id="a", copy=2),
        draw(ALWAYS, seed=0, slice_id="a", copy=1, attempt=1),
    ]
    assert len({d["rotation"] for d in drawn}) == len(drawn)


@pytest.mark.parametrize("field", Recipe.__struct_fields__)
@pytest.mark.parametrize("value", [-0.1, 180.1, float("nan")])
def test_a_recipe_out_of_range_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(UsageError, match=field) as caught:
        Recipe(**{field: value})
    assert caught.value.code == "augmentation-recipe"


@pytest.mark.parametrize("zoom", [0.0, 1e-9])
def test_a_window_that_would_be_written_as_0_is_refused(zoom: float) -> None:
    with pytest.raises(UsageError, match="zoom"):
        Recipe(zoom=zoom)
