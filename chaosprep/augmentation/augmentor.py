"""The engine ``augmentor``: Augmentor's own operations draw and shape the geometry.

They are given a `Footprint` for a picture, which says afterwards where each output pixel comes
from. The data are then resampled once, by the same code as for the other engine, at 16 bits and
with exact masks. (Coordinate planes as pictures would do too, but Pillow's bicubic ``transform``
has the parameter -1, which bends a ramp by up to 0.1 pixels.) Augmentor 0.2.12, whose quirks stay:

- ``rotate`` turns by whole degrees, cuts off the empty corners and enlarges the rest;
- ``zoom_random`` and the crops take ``percentage_area`` per side, so 0.85 keeps 72 % of the area;
- crops, ``scale``, ``resize`` and quarter turns of a picture that is not square change its shape;
- ``gaussian_distortion`` would draw anew for each picture, and so tear image and mask apart: here
  both get what Augmentor gives the first.
"""

import random
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from chaosprep.augmentation.footprint import Footprint
from chaosprep.augmentation.geometry import Maps
from chaosprep.augmentation.operation import Range, Strict, check_number
from chaosprep.errors import UsageError

if TYPE_CHECKING:
    from Augmentor.Operations import Operation

Scalar = str | bool | int | float

FLIPS: Final = ("flip_left_right", "flip_top_bottom", "flip_random")  # each is a mirror

GEOMETRY: Final = (
    "rotate",
    "rotate_without_crop",
    "rotate90",
    "rotate180",
    "rotate270",
    "rotate_random_90",
    *FLIPS,
    "random_distortion",
    "gaussian_distortion",
    "zoom",
    "zoom_random",
    "crop_by_size",
    "crop_centre",
    "crop_random",
    "scale",
    "resize",
    "skew",
    "skew_tilt",
    "skew_corner",
    "skew_left_right",
    "skew_top_bottom",
    "shear",
)
"""Methods of `Augmentor.Pipeline` that move pixels, and do nothing else."""

REFUSED: Final = (
    "greyscale",
    "black_and_white",
    "invert",
    "histogram_equalisation",
    "random_brightness",
    "random_color",
    "random_contrast",
    "random_erasing",
)
"""Methods of `Augmentor.Pipeline` that change grey values, made for 8 bits."""

LIMITS: Final[Mapping[str, Range]] = {
    "width": (2, 8192),
    "height": (2, 8192),
    "scale_factor": (1, 8),
    "min_factor": (0.1, 8),
    "max_factor": (0.1, 8),
    "grid_width": (1, 64),
    "grid_height": (1, 64),
    "magnitude": (0, 256),
}
"""Numbers that Augmentor takes in any size; a manifest is not to fill the memory."""

BEYOND: Final = 3e4  # pixels: farther than any picture reaches, and within what `cv2.remap` takes
_GLOBAL_RANDOM = threading.Lock()


class DrawnStep(Strict, frozen=True, kw_only=True):
    """A step that happens: a method of `Augmentor.Pipeline`, what it is given, and its seed."""

    operation: str
    seed: Annotated[int, Meta(ge=0, lt=2**32)]
    arguments: dict[str, Scalar]


class Step(Strict, frozen=True, kw_only=True):
    """A step of a pipeline: a method of `Augmentor.Pipeline`, by name, and what it is given.

    Raises `UsageError` (``augmentation-recipe``) for a method that is unknown or changes grey
    values, and for what Augmentor itself refuses.
    """

    operation: str
    probability: float
    arguments: dict[str, Scalar] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_number(f"{self.operation}: probability", self.probability, (0.0, 1.0))
        build(self.operation, self.arguments)

    def happens(self, chance: float, *, exact: bool) -> bool:
        """Decide by a number from 0 to 1, as Augmentor does (``Pipeline._execute``), or exactly."""
        return chance < self.probability if exact else round(chance, 1) <= self.probability


def build(operation: str, arguments: Mapping[str, Scalar]) -> "Operation":
    """Let Augmentor check the arguments of a step and make its `Operation`."""
    if operation in REFUSED:
        remedy = "Leave it out, or use the intensity operations of the engine opencv."
        raise UsageError(f"{operation} changes grey values", remedy, "augmentation-recipe")
    if operation not in GEOMETRY:
        remedy = f"Use any of {', '.join(GEOMETRY)}."
        raise UsageError(f"Augmentor has no operation {operation}", remedy, "augmentation-recipe")
    if "fillcolor" in arguments:
        remedy = "Leave it out: what lies outside gets the least value of the image."
        raise UsageError(f"{operation} takes no fillcolor here", remedy, "augmentation-recipe")
    for name, value in arguments.items():
        if name in LIMITS and not isinstance(value, str):
            check_number(f"{operation}: {name}", value, LIMITS[name])
    from Augmentor import Pipeline

    pipeline = Pipeline()
    try:
        getattr(pipeline, operation)(probability=1.0, **arguments)
    except (TypeError, ValueError, AttributeError) as error:
        remedy = "See this method in Augmentor's documentation."
        reason = f"Augmentor refuses {operation}: {error}"
        raise UsageError(reason, remedy, "augmentation-recipe") from error
    return pipeline.operations[0]


def source_maps(steps: Sequence[DrawnStep], rows: int, cols: int) -> Maps:
    """Return where each output pixel of the steps comes from, as `geometry.coordinate_maps` does.

    The shape of the maps is that of the output. Raises `UsageError` (``augmentation-recipe``) where
    Augmentor cannot do a step on this shape.
    """
    picture = Footprint((cols, rows))
    for step in steps:
        operation = build(step.operation, step.arguments)
        try:
            with augmentor_random(step.seed):
                picture = operation.perform_operation([picture])[0]
        except (ArithmeticError, AttributeError, LookupError, ValueError) as error:
            size = f"{picture.height} x {picture.width}"
            reason = f"Augmentor cannot {step.operation} a picture of {size}: {error}"
            raise UsageError(reason, "Change its arguments.", "augmentation-recipe") from error
    x, y = np.meshgrid(np.arange(picture.width) + 0.5, np.arange(picture.height) + 0.5)
    found = picture.source((x, y))
    col, row = (np.nan_to_num(axis - 0.5, nan=-BEYOND).clip(-BEYOND, BEYOND) for axis in found)
    return col.astype(np.float32), row.astype(np.float32)


@contextmanager
def augmentor_random(seed: int) -> Iterator[None]:
    """Seed the two global generators that Augmentor draws from, and give them back as they were."""
    with _GLOBAL_RANDOM, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's, on the matrices that Augmentor makes
        states = random.getstate(), np.random.get_state()
        random.seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])
