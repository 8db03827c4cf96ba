from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from chaosprep.augmentation import (
    DEFAULT_PRESET,
    PRESETS,
    AnyRecipe,
    AugmentorRecipe,
    Recipe,
    apply,
    draw,
    draw_guarded,
    preset,
    read_spec,
)
from chaosprep.augmentation.elastic import Elastic
from chaosprep.augmentation.presets import PresetName
from chaosprep.augmentation.recipe import CHANGES, OPERATIONS
from chaosprep.augmentation.scanner import Bias
from chaosprep.augmentation.spatial import Crop, Rotation, Scale
from chaosprep.augmentation.symmetry import Flip, Symmetry, Turn
from chaosprep.errors import ChaosprepError, FileError, UsageError

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "own.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_tutorial_preset_is_what_the_tutorial_does() -> None:
    assert preset("tutorial") == Recipe(
        rotation=Rotation(probability=0.8, degrees=10.0),
        flip=Flip(probability=0.5),
        crop=Crop(probability=0.3, side=(0.85, 0.85), aspect=(1.0, 1.0)),
    )
    other = preset("tutorial", engine="augmentor")
    assert isinstance(other, AugmentorRecipe)
    assert [(s.operation, s.probability, s.arguments) for s in other.operations] == [
        ("rotate", 0.8, {"max_left_rotation": 10.0, "max_right_rotation": 10.0}),
        ("flip_left_right", 0.5, {}),
        ("zoom_random", 0.3, {"percentage_area": 0.85}),
    ]


def test_the_default_preset_neither_mirrors_nor_turns_far() -> None:
    recipe = preset()
    assert recipe == PRESETS[DEFAULT_PRESET].recipe
    assert not recipe.may_mirror()
    for i in range(100):
        for operation in draw(recipe, seed=0, slice_id=f"s{i}", copy=1)["operations"]:
            assert abs(operation.get("degrees", 0.0)) <= 8.0


@pytest.mark.parametrize(
    ("name", "mirrors"),
    [
        ("tutorial", True),
        ("light", False),
        ("medium", True),
        ("heavy", True),
        ("unet", False),
        ("mri", False),
    ],
)
def test_a_preset_that_mirrors_says_so(name: str, mirrors: bool) -> None:
    assert PRESETS[name].recipe.may_mirror() is mirrors
    assert ("mirrors" in PRESETS[name].description) is mirrors


@pytest.mark.parametrize(
    ("recipe", "mirrors"),
    [
        (Recipe(flip=Flip(probability=0.0)), False),
        (Recipe(flip=Flip(probability=0.01)), True),
        (Recipe(turn=Turn()), False),
        (Recipe(symmetry=Symmetry(choices=("none", "turn_90", "turn_180"))), False),
        (Recipe(symmetry=Symmetry(choices=("none", "transpose"))), True),
        (Recipe(symmetry=Symmetry(probability=0.0)), False),
        (preset("tutorial", engine="augmentor"), True),
    ],
)
def test_a_recipe_mirrors_where_a_draw_can(recipe: AnyRecipe, mirrors: bool) -> None:
    assert recipe.may_mirror() is mirrors


@pytest.mark.parametrize("name", [*PRESETS, "augmentor"])
def test_a_lesion_beside_the_border_is_never_lost_over_400_draws(name: str) -> None:
    recipe = preset("tutorial", engine=name) if name == "augmentor" else preset(name)
    mask = np.zeros((128, 128), np.uint8)
    mask[40:90, 30:80] = 63
    mask[3:15, 112:124] = 252
    for i in range(400):
        parameters = draw_guarded(recipe, mask, seed=0, slice_id=f"s{i}", copy=1)
        _, new_mask = apply(parameters, mask, mask)
        assert new_mask is not None
        assert 63 in new_mask
        assert 252 in new_mask


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"name": "strong"}, "strong"),
        ({"engine": "torch"}, "torch"),
        ({"name": "mri", "engine": "augmentor"}, "tutorial"),
        ({"name": "mri", "exact_probability": True}, "exact"),
    ],
)
def test_a_preset_that_is_not_there_is_refused(arguments: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        preset(**arguments)
    assert caught.value.code == "augmentation-preset"


def test_the_changes_of_grey_values_come_last_in_the_table_of_operations() -> None:
    assert OPERATIONS[-len(CHANGES) :] == CHANGES


def test_a_spec_is_a_recipe_in_toml(write: Write) -> None:
    path = write(
        """
        interpolation = "lanczos4"
        [rotation]
        probability = 0.5
        degrees = 20
        [scale]
        factor = [0.9, 1.2]
        [symmetry]
        choices = ["none", "turn_180"]
        [elastic]
        sigma = 6
        grid = 4
        [bias]
        """
    )
    assert read_spec(path) == Recipe(
        interpolation="lanczos4",
        rotation=Rotation(probability=0.5, degrees=20.0),
        scale=Scale(factor=(0.9, 1.2)),
        symmetry=Symmetry(choices=("none", "turn_180")),
        elastic=Elastic(sigma=6.0, grid=4),
        bias=Bias(),
    )


def test_a_spec_may_be_an_augmentor_pipeline(write: Write) -> None:
    path = write(
        """
        engine = "augmentor"
        exact_probability = true
        [[operations]]
        operation = "rotate"
        probability = 0.7
        max_left_rotation = 5
        max_right_rotation = 10
        [[operations]]
        operation = "flip_top_bottom"
        probability = 0.5
        """
    )
    recipe = read_spec(path)
    assert isinstance(recipe, AugmentorRecipe)
    assert recipe.exact_probability
    rotate, flip = recipe.operations
    assert rotate.arguments == {"max_left_rotation": 5, "max_right_rotation": 10}
    assert (flip.operation, flip.probability, flip.arguments) == ("flip_top_bottom", 0.5, {})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[rotation]\ndegrees = 200", "rotation: degrees is out of range"),
        ("[rotation]\nprobability = 1.5", "rotation: probability is out of range"),
        ("[rotation]\nprobability = nan", "rotation: probability is out of range"),
        ("[scale]\nfactor = [1.2, 0.9]", "scale: factor: the lower limit is above the upper one"),
        ("[scale]\nfactor = [0.0, 1.0]", "scale: factor is out of range"),
        ('[rotation]\ndegrees = "much"', "rotation"),
        ("[rotation]\nangle = 3", "angle"),
        ("[sharpen]\nprobability = 1", "sharpen"),
        ("[shift_scale_rotate]\npart = 0.9", "shift_scale_rotate: part"),
        ('[symmetry]\nchoices = ["spiral"]', "symmetry: choices"),
        ("[symmetry]\nchoices = []", "symmetry: choices"),
        ('engine = "torch"', "torch"),
        ('engine = "augmentor"\n[rotation]', "rotation"),
        ('engine = "augmentor"\noperations = 3', "operations"),
        ('engine = "augmentor"\n[[operations]]\noperation = "flip_random"', "probability"),
    ],
)
def test_a_spec_that_is_no_recipe_is_refused_by_what_is_wrong(
    write: Write, text: str, word: str
) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        read_spec(write(text))
    assert caught.value.code == "augmentation-recipe"


def test_a_recipe_in_python_is_refused_with_the_same_words_as_in_toml(write: Write) -> None:
    with pytest.raises(UsageError) as in_python:
        Rotation(degrees=200.0)
    path = write("[rotation]\ndegrees = 200")
    with pytest.raises(UsageError) as in_toml:
        read_spec(path)
    assert f"{path}: {in_python.value}" == str(in_toml.value)


def test_what_is_no_toml_is_refused(write: Write, tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (write("[rotation"), binary, tmp_path / "missing.toml", tmp_path):
        with pytest.raises(FileError) as caught:
            read_spec(path)
        assert caught.value.code == "spec-unreadable"


def test_a_spec_as_large_as_a_data_set_is_refused(write: Write) -> None:
    with pytest.raises(ChaosprepError, match="larger"):
        read_spec(write("# " + "x" * 2**20))


def test_every_preset_can_be_named_where_one_is_asked_for() -> None:
    assert set(get_args(PresetName)) == set(PRESETS)
    assert get_args(PresetName)[0] == DEFAULT_PRESET
