"""Draw a transform as plain numbers, then apply it to an image and its mask."""

from chaosprep.augmentation.apply import apply, mirrored
from chaosprep.augmentation.draw import draw
from chaosprep.augmentation.guards import draw_guarded
from chaosprep.augmentation.presets import DEFAULT_PRESET, PRESETS, preset
from chaosprep.augmentation.recipe import AnyRecipe, AugmentorRecipe, Recipe
from chaosprep.augmentation.spec import read_spec, recipe_of

__all__ = [
    "DEFAULT_PRESET",
    "PRESETS",
    "AnyRecipe",
    "AugmentorRecipe",
    "Recipe",
    "apply",
    "draw",
    "draw_guarded",
    "mirrored",
    "preset",
    "read_spec",
    "recipe_of",
]
