"""Draw a transform as plain numbers, then apply it to an image and its mask."""

from chaosprep.augmentation.apply import apply, mirrored, pixel_area, pixel_size
from chaosprep.augmentation.draw import draw
from chaosprep.augmentation.guards import draw_guarded, erased_labels
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
    "erased_labels",
    "mirrored",
    "pixel_area",
    "pixel_size",
    "preset",
    "read_spec",
    "recipe_of",
]
