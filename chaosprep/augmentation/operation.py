"""What every operation has: a choice (how often, within which limits) and what is drawn from it."""

import math
import re
from collections.abc import Mapping
from typing import ClassVar

import msgspec
import numpy as np

from chaosprep.errors import UsageError

Range = tuple[float, float]  # lowest and highest number that may be drawn


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record that takes its own fields and no others."""


class Drawn(Strict, frozen=True, kw_only=True, tag_field="operation", tag="none"):
    """One drawn operation: plain numbers, enough to do the same again."""

    MIRRORS: ClassVar[bool] = False


class Choice(Strict, frozen=True, kw_only=True):
    """What may be drawn, and how often: ``probability`` is that of one copy of one slice.

    ``LIMITS`` gives the lowest and highest allowed value of each field, both allowed. Raises
    `UsageError` (``augmentation-recipe``) for a value out of them.
    """

    LIMITS: ClassVar[Mapping[str, Range]] = {}
    probability: float = 1.0

    def __post_init__(self) -> None:
        for field, limits in {"probability": (0.0, 1.0), **self.LIMITS}.items():
            name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
            check_number(f"{name}: {field}", getattr(self, field), limits)

    def draw(self, rng: np.random.Generator) -> Drawn | None:
        """Draw what is done where the operation happens; None for nothing."""
        raise NotImplementedError

    def may_mirror(self) -> bool:
        """Tell whether a draw can turn a right hand into a left one."""
        return False


def check_number(name: str, value: float | Range, limits: Range) -> None:
    """Raise `UsageError` (``augmentation-recipe``) for a number or range out of its limits."""
    low, high = limits
    numbers = value if isinstance(value, tuple) else (value,)
    if not all(low <= number <= high for number in numbers):
        what = "two numbers" if len(numbers) > 1 else "a number"
        remedy = f"Give {what} from {low:g} to {high:g}."
        raise UsageError(f"{name} is out of range", remedy, "augmentation-recipe")
    if list(numbers) != sorted(numbers):
        remedy = "Give the lower of the two numbers first."
        raise UsageError(
            f"{name}: the lower limit is above the upper one", remedy, "augmentation-recipe"
        )


def either_way(rng: np.random.Generator, most: float) -> float:
    """Draw evenly from ``-most`` to ``+most``."""
    return most * (2.0 * rng.random() - 1.0)


def between(rng: np.random.Generator, range: Range) -> float:
    """Draw evenly from a range."""
    low, high = range
    return low + (high - low) * rng.random()


def factor_between(rng: np.random.Generator, range: Range) -> float:
    """Draw from a range of factors, evenly in the logarithm: as often halved as doubled."""
    low, high = range
    return math.exp(between(rng, (math.log(low), math.log(high))))


def rounded(value: object, decimals: int) -> object:
    """Round every float of a JSON value; -0.0 becomes 0.0."""
    match value:
        case float():
            return round(value, decimals) + 0.0
        case dict():
            return {key: rounded(item, decimals) for key, item in value.items()}
        case list() | tuple():
            return [rounded(item, decimals) for item in value]
    return value
