"""Draw the pictures of docs/augmentation.md: python -m benchmarks.augmentation_pictures."""

import sys
from pathlib import Path

from benchmarks.phantom_slices import Pair, phantom_slices
from chaosprep.augmentation import PRESETS, AnyRecipe, Recipe, apply, draw_guarded, preset
from chaosprep.augmentation.elastic import Elastic
from chaosprep.augmentation.intensity import Blur, Contrast, Dropout, Gamma
from chaosprep.augmentation.preview import Colour, display_ends, encode_sheet, outlined, sheet
from chaosprep.augmentation.scanner import Bias, Ghosting, Noise
from chaosprep.augmentation.spatial import (
    Crop,
    Rotation,
    Scale,
    Shear,
    Shift,
    ShiftScaleRotate,
    Stretch,
)
from chaosprep.augmentation.symmetry import Flip, FlipUpDown, Symmetry, Transpose, Turn

PLACE = Path(__file__).parents[1] / "docs" / "augmentation"
MATRIX = 96
LABELS = (63, 126, 189, 252)

OPERATIONS: dict[str, Recipe] = {
    "rotation": Recipe(rotation=Rotation(degrees=25)),
    "scale": Recipe(scale=Scale(factor=(0.7, 1.4))),
    "stretch": Recipe(stretch=Stretch(ratio=(0.7, 1.4))),
    "shear": Recipe(shear=Shear(degrees=20)),
    "shift": Recipe(shift=Shift(part=0.15)),
    "shift_scale_rotate": Recipe(shift_scale_rotate=ShiftScaleRotate()),
    "flip": Recipe(flip=Flip()),
    "flip_up_down": Recipe(flip_up_down=FlipUpDown()),
    "transpose": Recipe(transpose=Transpose()),
    "turn": Recipe(turn=Turn()),
    "symmetry": Recipe(symmetry=Symmetry(choices=("flip", "flip_up_down", "transpose"))),
    "crop": Recipe(crop=Crop(side=(0.6, 0.9), aspect=(0.75, 1.3333))),
    "elastic": Recipe(elastic=Elastic(sigma=10)),
    "gamma": Recipe(gamma=Gamma(exponent=(0.5, 2.0))),
    "contrast": Recipe(contrast=Contrast(contrast=(0.5, 2.0), brightness=0.15)),
    "bias": Recipe(bias=Bias(ratio=(1.6, 2.2))),
    "blur": Recipe(blur=Blur(sigma=(0.6, 1.4))),
    "ghosting": Recipe(ghosting=Ghosting(amplitude=(0.8, 1.2), cycles=(6.0, 20.0))),
    "noise": Recipe(noise=Noise(sigma=(0.03, 0.08))),
    "dropout": Recipe(dropout=Dropout(count=(3, 8), size=(0.06, 0.15))),
}
"""Each operation alone, mostly stronger than in the presets, so that it can be seen."""


def main() -> None:
    """Draw all pictures, into another folder where one is given."""
    draw_pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else PLACE)


def draw_pictures(place: Path) -> list[Path]:
    """Draw a picture per operation and per preset; return their paths."""
    place.mkdir(parents=True, exist_ok=True)
    pair = phantom_slices(8, MATRIX)[4]
    sheets = {f"operation-{name}": [row(recipe, pair, 2)] for name, recipe in OPERATIONS.items()}
    for name in PRESETS:
        sheets[f"preset-{name}"] = [row(preset(name), pair, 4)]
    sheets["preset-tutorial-augmentor"] = [row(preset("tutorial", engine="augmentor"), pair, 4)]
    paths = []
    for name, rows in sheets.items():
        path = place / f"{name}.png"
        path.write_bytes(encode_sheet(sheet(rows)))
        paths.append(path)
    return paths


def row(recipe: AnyRecipe, pair: Pair, copies: int) -> list[Colour]:
    """Return the original and some copies, all under the window of the original."""
    image, mask = pair
    window = display_ends(image)
    found = [outlined(image, mask, window, LABELS)]
    for copy in range(1, copies + 1):
        parameters = draw_guarded(recipe, mask, seed=3, slice_id="phantom", copy=copy)
        new_image, new_mask = apply(parameters, image, mask)
        found.append(outlined(new_image, new_mask, window, LABELS))
    return found


if __name__ == "__main__":
    main()
