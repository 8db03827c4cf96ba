"""Which volumes are taken, and what their sequences are called."""

from collections.abc import Sequence
from dataclasses import dataclass

from chaosprep.errors import Problem
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.layout import Where


@dataclass(frozen=True)
class Chosen:
    """A volume that is taken as a sequence; ``notes`` are to be said of all its slices."""

    volume: Volume
    sequence: str
    notes: tuple[str, ...] = ()


def choose(volumes: Sequence[Volume], where: Where) -> tuple[list[Chosen], list[Problem]]:
    """The volumes that fit what was asked for, and a problem for each patient with several or none.

    Raises:
        UsageError: a choice cannot be understood.
    """
    return [Chosen(one, one.name) for one in volumes if not one.left_out], []
