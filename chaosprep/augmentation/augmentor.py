"""The engine ``augmentor``: Augmentor's own operations draw and shape the geometry.

They are given coordinate planes (mode F) for pictures, each alone under the same seed, and what
comes back says where each output pixel comes from. The data are then resampled once, by the same
code as for the other engine, at 16 bits and with exact masks. Augmentor 0.2.12, whose quirks stay:

- ``rotate`` turns by whole degrees, cuts off the empty corners and enlarges the rest;
- ``zoom_random`` and the crops take ``percentage_area`` per side, so 0.85 keeps 72 % of the area;
- crops, ``scale``, ``resize`` and quarter turns of a picture that is not square change its shape;
- ``gaussian_distortion`` would draw anew for each picture, and so tear image and mask apart: here
  both get what Augmentor gives the first.
"""

import random
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from chaosprep.augmentation.geometry import Maps, Matrix
from chaosprep.augmentation.operation import Range, check_number
from chaosprep.errors import UsageError

if TYPE_CHECKING:
    from Augmentor.Operations import Operation

Plane = NDArray[np.float64]
Points = tuple[Plane, Plane]
Scalar = str | bool | int | float

FLIPS: Final = ("flip_left_right", "flip_top_bottom", "flip_random")
SKEWS: Final = ("skew", "skew_tilt", "skew_corner", "skew_left_right", "skew_top_bottom")
DISTORTIONS: Final = ("random_distortion", "gaussian_distortion")
GEOMETRY: Final = (
    "rotate",
    "rotate_without_crop",
    "rotate90",
    "rotate180",
    "rotate270",
    "rotate_random_90",
    *FLIPS,
    *DISTORTIONS,
    "zoom",
    "zoom_random",
    "crop_by_size",
    "crop_centre",
    "crop_random",
    "scale",
    "resize",
    *SKEWS,
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

MARGIN: Final = 2
"""Pixels beside the edge whose coordinates Pillow's bicubic filter bends."""

SMALL: Final = 16
"""Sides below which a picture has no middle that is far enough from its edges."""

OUTSIDE: Final = -1e4
"""Coordinate of what comes from nowhere."""

_GLOBAL_RANDOM = threading.Lock()


class DrawnStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step that happens: a method of `Augmentor.Pipeline`, what it is given, and its seed."""

    operation: str
    seed: Annotated[int, Meta(ge=0, lt=2**32)]
    arguments: dict[str, Scalar]

    def mirrors(self) -> bool:
        """Tell whether the step is a mirror."""
        return self.operation in FLIPS


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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

    def drawn(self, seed: int) -> DrawnStep:
        """Return the step with its seed."""
        return DrawnStep(operation=self.operation, seed=seed, arguments=self.arguments)

    def mirrors(self) -> bool:
        """Tell whether the step is a mirror."""
        return self.operation in FLIPS


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

    The shape of the maps is that of the output.
    """
    sources: list[Callable[[Points], Points]] = []
    for step in steps:
        x, y, whole = planes(step, rows, cols)
        sources.append(_source(step, x, y, whole))
        rows, cols = x.shape
    row, col = np.mgrid[:rows, :cols].astype(np.float64)
    x, y = reduce(lambda points, source: source(points), reversed(sources), (col, row))
    return x.astype(np.float32), y.astype(np.float32)


def planes(step: DrawnStep, rows: int, cols: int) -> tuple[Plane, Plane, Plane]:
    """Give a step the planes of the columns, the rows and ones for pictures: what comes back."""
    from PIL import Image

    operation = build(step.operation, step.arguments)
    row, col = np.mgrid[:rows, :cols].astype(np.float32)
    found = []
    for plane in (col, row, np.ones_like(col)):
        try:
            with augmentor_random(step.seed):
                (made,) = operation.perform_operation([Image.fromarray(plane)])
        except (ArithmeticError, AttributeError, LookupError, ValueError) as error:
            reason = f"Augmentor cannot {step.operation} a picture of {rows} x {cols}: {error}"
            raise UsageError(reason, "Change its arguments.", "augmentation-recipe") from error
        found.append(np.asarray(made, np.float64))
    return found[0], found[1], found[2]


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


def _source(step: DrawnStep, x: Plane, y: Plane, whole: Plane) -> Callable[[Points], Points]:
    """Return the function from output to input (col, row) that the planes are samples of."""
    if step.operation in DISTORTIONS:
        return _sampled(x, y, whole)
    matrix = fit(x, y, whole, projective=step.operation in SKEWS)

    def source(points: Points) -> Points:
        u, v, w = (a * points[0] + b * points[1] + c for a, b, c in matrix)
        return u / w, v / w

    return source


def fit(x: Plane, y: Plane, whole: Plane, *, projective: bool) -> Matrix:
    """Fit the matrix of an affine or projective step to the middle of its planes.

    Near the edges Pillow's filters bend the planes; the middle has the map itself, to about 1e-5.
    """
    row, col = _middle(x, y, whole)
    u, v = x[row, col], y[row, col]
    one = np.column_stack([col, row, np.ones(len(col))])
    if not projective:
        solved, *_ = np.linalg.lstsq(one, np.column_stack([u, v]), rcond=None)
        return np.vstack([solved.T, [0.0, 0.0, 1.0]])
    none = np.zeros_like(one)
    above = np.hstack([one, none, -u[:, None] * one[:, :2]])
    below = np.hstack([none, one, -v[:, None] * one[:, :2]])
    solved, *_ = np.linalg.lstsq(np.vstack([above, below]), np.concatenate([u, v]), rcond=None)
    return np.append(solved, 1.0).reshape(3, 3)


def _middle(x: Plane, y: Plane, whole: Plane) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (row, col) of at most some 1000 pixels that show the inside of the input."""
    rows, cols = x.shape
    if min(rows, cols) < SMALL:
        row, col = np.nonzero(whole > 0.5)
        return row, col
    inside = np.abs(whole - 1.0) < 1e-4
    for plane in (x, y):
        inside &= (plane > MARGIN) & (plane < plane.max() - MARGIN)
    top, left = rows // 4, cols // 4
    step = max(1, min(rows, cols) // 64)
    part = (slice(top, rows - top, step), slice(left, cols - left, step))
    row, col = np.nonzero(inside[part])
    return row * step + top, col * step + left


def _sampled(x: Plane, y: Plane, whole: Plane) -> Callable[[Points], Points]:
    """Return the function that reads the planes themselves, linearly between their pixels."""
    import cv2

    empty = whole < 0.5
    tables = [np.where(empty, OUTSIDE, plane).astype(np.float32) for plane in (x, y)]

    def source(points: Points) -> Points:
        col, row = (axis.astype(np.float32) for axis in points)
        read = [
            cv2.remap(
                table,
                col,
                row,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=OUTSIDE,
            )
            for table in tables
        ]
        return read[0].astype(np.float64), read[1].astype(np.float64)

    return source
