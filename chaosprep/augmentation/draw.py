"""Draw a transform as plain numbers that a manifest can keep and `apply` can repeat."""

import hashlib
import json
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
from msgspec import Meta

from chaosprep.errors import UsageError

SCHEME_VERSION: Final = 1
"""Goes up whenever a seed would draw other numbers, or the numbers would mean other pixels."""

DECIMALS = 6
"""Drawn numbers are rounded to this many decimals: short in the manifest, exact through JSON."""

Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be drawn, and how often.

    ``rotation`` is the largest angle either way, in degrees (0 to 180). ``zoom`` is the side of the
    cropped window as a part of the image's side (above 0, up to 1). Each probability is that of its
    operation, on its own, for one copy of one slice. Raises `UsageError`
    (``augmentation-recipe``) for a number out of its range.
    """

    rotation: float = 10.0
    rotation_probability: float = 0.8
    flip_probability: float = 0.5
    zoom: float = 0.85
    zoom_probability: float = 0.3

    def __post_init__(self) -> None:
        _require(0.0 <= self.rotation <= 180.0, "rotation", "from 0 to 180 degrees")
        _require(0.0 < round(self.zoom, DECIMALS) <= 1.0, "zoom", "above 0 and at most 1")
        for name in ("rotation_probability", "flip_probability", "zoom_probability"):
            _require(0.0 <= getattr(self, name) <= 1.0, name, "from 0 to 1")


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One drawn transform: the schema of what `draw` returns and `apply` takes.

    ``rotation`` in degrees, positive counter-clockwise as seen on screen. ``flip`` is left-right.
    ``zoom`` is the side of the cropped window as a part of the image's side (1.0: no zoom), and
    ``zoom_row``, ``zoom_col`` its place within its free play: 0 top or left, 1 bottom or right.
    """

    scheme: Literal[1]
    engine: Literal["opencv"]
    rotation: Annotated[float, Meta(ge=-180.0, le=180.0)]
    flip: bool
    zoom: Annotated[float, Meta(gt=0.0, le=1.0)]
    zoom_row: Fraction
    zoom_col: Fraction


def generator(
    seed: int, slice_id: str, copy: int, operation: str, attempt: int = 0
) -> np.random.Generator:
    """Return the random numbers that belong to one operation on one copy of one slice.

    They come from Philox, a counter-based generator (Salmon et al. 2011, "Parallel random numbers:
    as easy as 1, 2, 3"), keyed by the first 128 bits of a SHA-256 of the arguments. They depend on
    nothing else: not on workers, order, the slices chosen or the operations beside this one.
    """
    # A JSON list quotes its strings, so ("a1", 2) and ("a", 12) cannot read the same.
    identity = json.dumps([SCHEME_VERSION, seed, slice_id, copy, attempt, operation])
    digest = hashlib.sha256(identity.encode("ascii")).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def draw(
    recipe: Recipe, *, seed: int, slice_id: str, copy: int, attempt: int = 0
) -> dict[str, Any]:
    """Draw the transform of one copy of one slice.

    Returns the fields of `Parameters` as a flat dict of JSON values, always with the same keys, so
    that tables of them have one schema; an operation that is not drawn has its neutral numbers.
    A higher ``attempt`` draws anew for the same copy.
    """

    def numbers(operation: str, count: int) -> list[float]:
        drawn: list[float] = (
            generator(seed, slice_id, copy, operation, attempt).random(count).tolist()
        )
        return drawn

    # All numbers are drawn before the first decides, so a probability never moves the others.
    chance, angle = numbers("rotation", 2)
    rotation = (
        recipe.rotation * (2.0 * angle - 1.0) if chance < recipe.rotation_probability else 0.0
    )
    (chance,) = numbers("flip", 1)
    flip = chance < recipe.flip_probability
    chance, row, col = numbers("zoom", 3)
    drawn = chance < recipe.zoom_probability
    zoom, row, col = (recipe.zoom, row, col) if drawn else (1.0, 0.5, 0.5)
    parameters = Parameters(
        scheme=SCHEME_VERSION,
        engine="opencv",
        rotation=_rounded(rotation),
        flip=flip,
        zoom=_rounded(zoom),
        zoom_row=_rounded(row),
        zoom_col=_rounded(col),
    )
    return msgspec.structs.asdict(parameters)


def _rounded(number: float) -> float:
    # Adding 0.0 turns -0.0 into 0.0.
    return round(float(number), DECIMALS) + 0.0


def _require(holds: bool, name: str, range_text: str) -> None:
    if not holds:
        raise UsageError(
            f"{name} is out of range", f"Give a number {range_text}.", "augmentation-recipe"
        )
