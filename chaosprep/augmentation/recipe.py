"""What may happen to a slice (a recipe), and what was drawn for one copy of it (parameters)."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from msgspec import Meta

from chaosprep.augmentation import intensity, scanner, spatial
from chaosprep.augmentation.augmentor import FLIPS, DrawnStep, Step
from chaosprep.augmentation.elastic import DrawnElastic, Elastic
from chaosprep.augmentation.operation import Choice, Strict
from chaosprep.augmentation.sampling import Interpolation
from chaosprep.augmentation.symmetry import (
    DrawnSymmetry,
    Flip,
    FlipUpDown,
    Symmetry,
    Transpose,
    Turn,
)
from chaosprep.errors import ChaosprepError

Stream = Callable[[str], np.random.Generator]  # of one copy: the name of an operation -> its own

AnyDrawn = (
    spatial.DrawnRotation
    | spatial.DrawnScale
    | spatial.DrawnStretch
    | spatial.DrawnShear
    | spatial.DrawnShift
    | spatial.DrawnShiftScaleRotate
    | DrawnSymmetry
    | spatial.DrawnCrop
    | DrawnElastic
    | intensity.DrawnGamma
    | intensity.DrawnContrast
    | scanner.DrawnBias
    | intensity.DrawnBlur
    | scanner.DrawnGhosting
    | scanner.DrawnNoise
    | intensity.DrawnDropout
)

ENGINES: Final = ("opencv", "augmentor")
Guard = Literal["redrawn", "left"]


class Recipe(Strict, frozen=True, kw_only=True, tag_field="engine", tag="opencv"):
    """What may be drawn by the engine ``opencv``; None leaves an operation out.

    Operations happen in the order of the fields. All spatial ones are composed into one resampling
    by ``interpolation``; the grey values change after that, in the order in which a scanner and a
    display would change them.
    """

    interpolation: Interpolation = "cubic"
    rotation: spatial.Rotation | None = None
    scale: spatial.Scale | None = None
    stretch: spatial.Stretch | None = None
    shear: spatial.Shear | None = None
    shift: spatial.Shift | None = None
    shift_scale_rotate: spatial.ShiftScaleRotate | None = None
    flip: Flip | None = None
    flip_up_down: FlipUpDown | None = None
    transpose: Transpose | None = None
    turn: Turn | None = None
    symmetry: Symmetry | None = None
    crop: spatial.Crop | None = None
    elastic: Elastic | None = None
    gamma: intensity.Gamma | None = None
    contrast: intensity.Contrast | None = None
    bias: scanner.Bias | None = None
    blur: intensity.Blur | None = None
    ghosting: scanner.Ghosting | None = None
    noise: scanner.Noise | None = None
    dropout: intensity.Dropout | None = None

    def choices(self) -> list[tuple[str, Choice]]:
        """Return the operations that may happen, by name, in their order."""
        return [(name, one) for name in OPERATIONS if (one := getattr(self, name)) is not None]

    def draw(self, stream: Stream) -> Sequence[msgspec.Struct]:
        """Draw the operations of one copy."""
        drawn = []
        for name, choice in self.choices():
            rng = stream(name)
            # Each has a stream of its own, and its chance comes first in it: a probability moves
            # neither its own numbers nor the others'.
            if rng.random() < choice.probability:
                operation = choice.draw(rng)
                if operation is not None:
                    drawn.append(operation)
        return drawn

    def may_mirror(self) -> bool:
        """Tell whether a draw can turn a right kidney into a left one."""
        return any(choice.may_mirror() for _, choice in self.choices())


OPERATIONS: Final = tuple(name for name in Recipe.__struct_fields__ if name != "interpolation")
"""Names of the operations of the engine ``opencv``, in the order in which they happen."""

CHANGES: Final = ("gamma", "contrast", "bias", "blur", "ghosting", "noise", "dropout")
"""Those of them that change grey values; all others move pixels."""


class AugmentorRecipe(Strict, frozen=True, kw_only=True, tag_field="engine", tag="augmentor"):
    """An Augmentor pipeline, step by step: the geometry is drawn and shaped by Augmentor itself.

    Augmentor does a step where ``round(u, 1) <= probability`` for a random ``u`` below 1, so 0.5
    happens in 55 of 100 cases and 0.01 in 5; ``exact_probability`` takes the numbers at their word.
    """

    interpolation: Interpolation = "cubic"
    exact_probability: bool = False
    operations: tuple[Step, ...] = ()

    def draw(self, stream: Stream) -> Sequence[msgspec.Struct]:
        """Draw which steps happen to one copy, and a seed for each."""
        drawn = []
        names = [step.operation for step in self.operations]
        for index, step in enumerate(self.operations):
            # Counted by name, so that another step beside it changes nothing.
            rng = stream(f"augmentor.{step.operation}.{names[:index].count(step.operation)}")
            chance = rng.random()
            seed = int(rng.integers(2**32))
            if step.happens(chance, exact=self.exact_probability):
                arguments = step.arguments
                drawn.append(DrawnStep(operation=step.operation, seed=seed, arguments=arguments))
        return drawn

    def may_mirror(self) -> bool:
        """Tell whether a draw can turn a right kidney into a left one."""
        return any(step.operation in FLIPS for step in self.operations)


AnyRecipe = Recipe | AugmentorRecipe


class _Parameters(Strict, frozen=True, kw_only=True):
    scheme: Literal[1]
    attempt: Annotated[int, Meta(ge=0)]
    guard: Guard | None
    interpolation: Interpolation


class OpencvParameters(_Parameters, frozen=True, kw_only=True, tag_field="engine", tag="opencv"):
    """What was drawn by the engine ``opencv``.

    ``attempt`` counts the draws that were thrown away before this one; ``guard`` says whether a
    label would have been lost: ``redrawn``, or ``left`` where it stayed so and the geometry was
    left as it was.
    """

    operations: tuple[AnyDrawn, ...]

    def __post_init__(self) -> None:
        moves = [one for one in self.operations if not isinstance(one, intensity.Intensity)]
        if any(isinstance(one, DrawnElastic) for one in moves[:-1]):
            raise ValueError("elastic must be the last of the spatial operations")

    def mirrors(self) -> bool:
        """Tell whether a right kidney looks like a left one now: two mirrors are none."""
        return sum(one.MIRRORS for one in self.operations) % 2 == 1


class AugmentorParameters(
    _Parameters, frozen=True, kw_only=True, tag_field="engine", tag="augmentor"
):
    """What was drawn by the engine ``augmentor``; the fields as in `OpencvParameters`."""

    operations: tuple[DrawnStep, ...]

    def mirrors(self) -> bool:
        """Tell whether a right kidney looks like a left one now: two mirrors are none."""
        return sum(one.operation in FLIPS for one in self.operations) % 2 == 1


AnyParameters = OpencvParameters | AugmentorParameters


def read_parameters(parameters: object) -> AnyParameters:
    """Type drawn parameters, which a manifest may have kept.

    Raises `ChaosprepError` (``augmentation-parameters``) for an unknown scheme, engine or
    operation, a missing or unknown key, or a number out of its range.
    """
    try:
        checked: AnyParameters = msgspec.convert(parameters, AnyParameters)
    except msgspec.ValidationError as error:
        raise ChaosprepError(
            f"the augmentation parameters cannot be applied: {error}",
            "Take them unchanged from a manifest that this version of chaosprep reads.",
            "augmentation-parameters",
        ) from error
    return checked
