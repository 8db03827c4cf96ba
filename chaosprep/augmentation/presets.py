"""Ready recipes, in one table."""

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from chaosprep.augmentation import intensity, scanner, spatial
from chaosprep.augmentation.augmentor import Step
from chaosprep.augmentation.elastic import Elastic
from chaosprep.augmentation.recipe import ENGINES, AnyRecipe, AugmentorRecipe, Recipe
from chaosprep.augmentation.symmetry import Flip, Symmetry
from chaosprep.errors import UsageError


@dataclass(frozen=True)
class Preset:
    """A recipe by name; ``augmentor`` is the same for the other engine, where there is one."""

    about: str
    recipe: Recipe
    augmentor: tuple[tuple[str, float, dict[str, float]], ...] = ()

    @property
    def description(self) -> str:
        """One line for a list of presets."""
        mirrors = self.recipe.may_mirror()
        return self.about + ("; mirrors, so a label map needs its labels swapped" * mirrors)


PresetName = Literal["mri", "tutorial", "light", "medium", "heavy", "unet"]
DEFAULT_PRESET: Final = "mri"

PRESETS: Final[dict[str, Preset]] = {
    "tutorial": Preset(
        "rotate by up to 10 degrees, flip left-right, zoom into 85 % of each side",
        Recipe(
            rotation=spatial.Rotation(probability=0.8, degrees=10),
            flip=Flip(probability=0.5),
            crop=spatial.Crop(probability=0.3, side=(0.85, 0.85)),
        ),
        augmentor=(
            ("rotate", 0.8, {"max_left_rotation": 10, "max_right_rotation": 10}),
            ("flip_left_right", 0.5, {}),
            ("zoom_random", 0.3, {"percentage_area": 0.85}),
        ),
    ),
    "light": Preset(
        "small rotations, scales and shifts, some contrast",
        Recipe(
            rotation=spatial.Rotation(probability=0.5, degrees=7),
            scale=spatial.Scale(probability=0.5, factor=(0.95, 1.05)),
            shift=spatial.Shift(probability=0.5, part=0.03),
            contrast=intensity.Contrast(probability=0.3, contrast=(0.9, 1.11), brightness=0.03),
        ),
    ),
    "medium": Preset(
        "flips, larger affine changes, some elastic, grey values, noise and blur",
        Recipe(
            rotation=spatial.Rotation(probability=0.7, degrees=15),
            scale=spatial.Scale(probability=0.5, factor=(0.85, 1.18)),
            shear=spatial.Shear(probability=0.2, degrees=5),
            shift=spatial.Shift(probability=0.5, part=0.05),
            flip=Flip(probability=0.5),
            elastic=Elastic(probability=0.3, sigma=5),
            gamma=intensity.Gamma(probability=0.3, exponent=(0.8, 1.25)),
            contrast=intensity.Contrast(probability=0.3, contrast=(0.85, 1.18), brightness=0.05),
            blur=intensity.Blur(probability=0.1, sigma=(0.3, 0.8)),
            noise=scanner.Noise(probability=0.2, sigma=(0.005, 0.02)),
        ),
    ),
    "heavy": Preset(
        "random resized crops, all flips and turns, shift-scale-rotate, holes: not anatomical",
        Recipe(
            shift_scale_rotate=spatial.ShiftScaleRotate(
                probability=0.75, degrees=45, factor=(0.9, 1.11), part=0.0625
            ),
            symmetry=Symmetry(probability=1.0),
            crop=spatial.Crop(probability=1.0, side=(0.7, 1.0), aspect=(0.75, 1.3333)),
            dropout=intensity.Dropout(probability=0.5, count=(1, 6), size=(0.04, 0.12)),
        ),
    ),
    "unet": Preset(
        "as in the U-Net paper: elastic (3 x 3 grid, 10 px), shift, rotation, grey values",
        Recipe(
            rotation=spatial.Rotation(probability=1.0, degrees=15),
            shift=spatial.Shift(probability=1.0, part=0.05),
            elastic=Elastic(probability=1.0, sigma=10, grid=3),
            contrast=intensity.Contrast(probability=1.0, contrast=(0.8, 1.25), brightness=0.1),
        ),
    ),
    "mri": Preset(
        "anatomically plausible: small affine, gentle elastic, gamma, bias field, noise; no flips",
        Recipe(
            rotation=spatial.Rotation(probability=0.8, degrees=8),
            scale=spatial.Scale(probability=0.5, factor=(0.92, 1.09)),
            stretch=spatial.Stretch(probability=0.3, ratio=(0.94, 1.06)),
            shear=spatial.Shear(probability=0.2, degrees=3),
            shift=spatial.Shift(probability=0.5, part=0.03),
            elastic=Elastic(probability=0.5, sigma=3),
            gamma=intensity.Gamma(probability=0.5, exponent=(0.8, 1.25)),
            bias=scanner.Bias(probability=0.5, ratio=(1.1, 1.6)),
            noise=scanner.Noise(probability=0.4, sigma=(0.004, 0.02)),
        ),
    ),
}


def preset(
    name: str = DEFAULT_PRESET, *, engine: str = "opencv", exact_probability: bool = False
) -> AnyRecipe:
    """Return a recipe of `PRESETS` for an engine, ``opencv`` or ``augmentor``.

    Raises `UsageError` (``augmentation-preset``) for an unknown preset or engine, a preset that
    this engine does not have, and ``exact_probability`` without Augmentor.
    """
    if name not in PRESETS:
        raise _refuse(f"there is no preset {name}", f"Use any of {', '.join(PRESETS)}.")
    if engine not in ENGINES:
        raise _refuse(f"there is no engine {engine}", f"Use {' or '.join(ENGINES)}.")
    if engine == "opencv":
        if exact_probability:
            raise _refuse("the engine opencv is exact anyway", "Leave out --exact-probability.")
        return PRESETS[name].recipe
    steps = PRESETS[name].augmentor
    if not steps:
        known = ", ".join(key for key, one in PRESETS.items() if one.augmentor)
        raise _refuse(
            f"the preset {name} is not made for Augmentor",
            f"Use the preset {known}, a --spec of your own, or --engine opencv.",
        )
    operations = [{"operation": o, "probability": p, "arguments": a} for o, p, a in steps]
    return AugmentorRecipe(
        exact_probability=exact_probability,
        operations=msgspec.convert(operations, tuple[Step, ...]),
    )


def _refuse(reason: str, remedy: str) -> UsageError:
    return UsageError(reason, remedy, "augmentation-preset")
