"""A monotone map of grey values, made of straight pieces, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import fsum
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Piecewise:
    """A map through knots, at least two: what is at `start` comes to be at `end`.

    `end` ascends, `start` ascends or descends, both strictly. Beyond the knots the outer pieces go
    on, so that nothing is clipped.
    """

    start: tuple[float, ...]
    end: tuple[float, ...]

    def apply(self, values: Floats) -> Floats:
        """The map of values of any shape, float64."""
        return _through(values, self.start, self.end)

    def undo(self, values: Floats) -> Floats:
        """The values of which `apply` gives these."""
        return _through(values, self.end, self.start)

    def negated(self) -> "Piecewise":
        """The same map of values that have the other sign."""
        return Piecewise(tuple(-one for one in self.start), self.end)


def through(start: Sequence[float], end: Sequence[float]) -> Piecewise:
    """The map through knots that ascend, of which some may coincide.

    Knots that coincide on one side are one knot, at their mean on the other side. Where only one is
    left, the map moves values there and keeps their distances.
    """
    pairs = [(y, x) for x, y in zip(start, end, strict=True)]
    ends_apart = _apart(pairs)
    starts_apart = _apart([(x, y) for y, x in ends_apart])
    if len(starts_apart) == 1:
        ((x, y),) = starts_apart
        starts_apart.append((x + max(1.0, np.spacing(abs(x))), y + 1.0))
    first, second = zip(*starts_apart, strict=True)
    return Piecewise(first, second)


def _apart(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Pairs that ascend, with one of each first number."""
    found = []
    for first, some in groupby(pairs, key=itemgetter(0)):
        seconds = [second for _, second in some]
        found.append((first, fsum(seconds) / len(seconds)))
    return found


def _through(values: Floats, start: tuple[float, ...], end: tuple[float, ...]) -> Floats:
    forwards = slice(None) if start[0] < start[-1] else slice(None, None, -1)
    xs, ys = np.array(start)[forwards], np.array(end)[forwards]
    slopes = np.diff(ys) / np.diff(xs)
    piece = np.clip(np.searchsorted(xs, values, side="right") - 1, 0, len(slopes) - 1)
    mapped: Floats = ys[piece] + (values - xs[piece]) * slopes[piece]
    return mapped
