import hashlib
import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.augmentation import PRESETS, AnyRecipe, Recipe, draw, preset
from chaosprep.augmentation.draw import generator
from chaosprep.augmentation.recipe import OPERATIONS, read_parameters
from chaosprep.augmentation.spatial import Crop, Rotation, Shift
from chaosprep.augmentation.symmetry import Flip, Symmetry
from chaosprep.errors import UsageError

RECIPES: dict[str, AnyRecipe] = {
    **{name: preset(name) for name in PRESETS},
    "augmentor": preset("tutorial", engine="augmentor"),
}
TUTORIAL = PRESETS["tutorial"].recipe
ALWAYS = Recipe(rotation=Rotation(), flip=Flip(), crop=Crop())


def draws(recipe: AnyRecipe, count: int, seed: int = 0) -> list[dict[str, dict[str, Any]]]:
    """Return the operations of so many slices, each by its name."""
    return [
        {
            one["operation"]: one
            for one in draw(recipe, seed=seed, slice_id=f"MR001_t1-in_s{i:03}", copy=1)[
                "operations"
            ]
        }
        for i in range(count)
    ]


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
        "attempt": 0,
        "guard": None,
        "interpolation": "cubic",
        "operations": [
            {"operation": "rotation", "degrees": -6.206109},
            {"operation": "flip"},
            {
                "operation": "crop",
                "rows": 0.85,
                "cols": 0.85,
                "top": 0.498549,
                "left": 0.960382,
            },
        ],
    }


def test_scheme_1_draws_the_numbers_of_every_operation_for_ever() -> None:
    choices = {name: {"choices": ["flip"]} if name == "symmetry" else {} for name in OPERATIONS}
    every = msgspec.convert(choices, Recipe)
    text = json.dumps(draw(every, seed=42, slice_id="MR001_t1-in_s007", copy=2))
    assert text.count('"operation"') == len(OPERATIONS)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "bb5515ac08a30378"


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


def test_nothing_drawn_is_an_empty_list_of_operations() -> None:
    never = Recipe(rotation=Rotation(probability=0.0), flip=Flip(probability=0.0))
    assert not any(draws(never, 50))
    assert not any(draws(Recipe(), 50))


def test_each_operation_comes_as_often_as_its_probability_says() -> None:
    count = 4000
    drawn = draws(TUTORIAL, count)
    for name, probability in {"rotation": 0.8, "flip": 0.5, "crop": 0.3}.items():
        share = sum(name in one for one in drawn) / count
        # Four standard deviations of a binomial share.
        assert abs(share - probability) < 4 * (probability * (1 - probability) / count) ** 0.5


def test_operations_are_independent_of_each_other() -> None:
    drawn = draws(ALWAYS, 4000)
    columns = [
        [one["rotation"]["degrees"] for one in drawn],
        [one["crop"]["top"] for one in drawn],
        [one["crop"]["left"] for one in drawn],
        ["flip" in one for one in draws(TUTORIAL, 4000)],
    ]
    assert np.abs(np.corrcoef(columns) - np.eye(4)).max() < 4 / 4000**0.5


def test_angles_and_places_fill_their_ranges_evenly() -> None:
    drawn = draws(ALWAYS, 4000)
    for values, low, high in (
        ([one["rotation"]["degrees"] for one in drawn], -10.0, 10.0),
        ([one["crop"]["top"] for one in drawn], 0.0, 1.0),
        ([one["crop"]["left"] for one in drawn], 0.0, 1.0),
    ):
        counts, _ = np.histogram(values, bins=10, range=(low, high))
        assert counts.sum() == 4000
        assert np.abs(counts - 400).max() < 4 * (4000 * 0.1 * 0.9) ** 0.5


def test_a_symmetry_is_each_of_its_choices_equally_often() -> None:
    drawn = draws(Recipe(symmetry=Symmetry()), 7000)
    names = ["".join(map(str, next(iter(one.values()), {}).values())) for one in drawn]
    counts = {name: names.count(name) for name in set(names)}
    assert len(counts) == 7
    assert max(abs(count - 1000) for count in counts.values()) < 4 * (7000 * 6 / 49) ** 0.5


@given(
    name=st.sampled_from(list(RECIPES)),
    seed=st.integers(),
    slice_id=st.text(),
    copy=st.integers(0, 10**6),
)
def test_whatever_is_drawn_is_valid_and_survives_json_unchanged(
    name: str, seed: int, slice_id: str, copy: int
) -> None:
    drawn = draw(RECIPES[name], seed=seed, slice_id=slice_id, copy=copy)
    line = msgspec.json.encode(drawn)
    assert msgspec.json.decode(line) == drawn == json.loads(json.dumps(drawn))
    assert msgspec.json.decode(msgspec.json.encode(read_parameters(drawn))) == drawn


def test_a_key_has_one_type_in_all_operations_so_that_a_table_of_them_has_a_schema() -> None:
    types: dict[str, set[str]] = {}
    for name in PRESETS:
        for drawn in draws(preset(name), 60):
            for operation in drawn.values():
                for key, value in operation.items():
                    types.setdefault(key, set()).add(type(value).__name__)
    assert {key: found for key, found in types.items() if len(found) > 1} == {}


@pytest.mark.parametrize("name", RECIPES)
def test_a_draw_depends_on_neither_order_nor_subset(name: str) -> None:
    recipe = RECIPES[name]
    forward = {i: draw(recipe, seed=3, slice_id=f"s{i}", copy=1) for i in range(20)}
    backward = {i: draw(recipe, seed=3, slice_id=f"s{i}", copy=1) for i in range(19, 0, -3)}
    assert all(forward[i] == backward[i] for i in backward)


@pytest.mark.parametrize(
    "changed",
    [
        Recipe(rotation=Rotation(probability=0.8)),
        Recipe(rotation=Rotation(probability=0.8), flip=Flip(), crop=Crop(), shift=Shift()),
        msgspec.structs.replace(PRESETS["heavy"].recipe, rotation=Rotation(probability=0.8)),
    ],
)
def test_adding_and_taking_away_operations_leaves_an_operation_as_it_was(changed: Recipe) -> None:
    for one, other in zip(draws(TUTORIAL, 50), draws(changed, 50), strict=True):
        assert one.get("rotation") == other.get("rotation")


def test_a_higher_probability_adds_rotations_and_keeps_those_that_were_there() -> None:
    rare = draws(Recipe(rotation=Rotation(probability=0.3)), 100)
    often = draws(Recipe(rotation=Rotation(probability=0.9)), 100)
    both = list(zip(rare, often, strict=True))
    assert all(a == b for a, b in both if a)
    assert any(b and not a for a, b in both)


def test_seed_slice_copy_and_attempt_each_draw_anew() -> None:
    drawn = [
        draw(ALWAYS, seed=0, slice_id="a", copy=1),
        draw(ALWAYS, seed=1, slice_id="a", copy=1),
        draw(ALWAYS, seed=0, slice_id="b", copy=1),
        draw(ALWAYS, seed=0, slice_id="a", copy=2),
        draw(ALWAYS, seed=0, slice_id="a", copy=1, attempt=1),
    ]
    assert len({one["operations"][0]["degrees"] for one in drawn}) == len(drawn)
    assert [one["attempt"] for one in drawn] == [0, 0, 0, 0, 1]


def test_operations_are_drawn_in_the_order_of_the_recipe() -> None:
    for name in PRESETS:
        for drawn in draws(preset(name), 40):
            drawn.pop("transpose", None)  # a symmetry's, under its own name
            places = [OPERATIONS.index(one) for one in drawn if one not in SYMMETRIC]
            assert places == sorted(places)


SYMMETRIC = ("flip", "flip_up_down", "transpose", "turn")


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_a_probability_out_of_range_is_refused_by_name(probability: float) -> None:
    with pytest.raises(UsageError, match="flip: probability") as caught:
        Flip(probability=probability)
    assert caught.value.code == "augmentation-recipe"
