"""How a stack of slices fails to be a volume: a tilted gantry, shifted slices, uneven steps."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import plural
from chaosprep.imaging.space.nearest import ENOUGH

_UNEVEN = 0.05  # of the step, and in mm
_DECIMALS = (1, 2, 3)  # to which headers round positions so coarsely that it shows
_SHOWN = 3


class Lean(msgspec.Struct, frozen=True):
    """A stack that goes off its normal: the slice that is farthest off, and how far.

    ``index`` is that of a position; ``mm`` is in the plane; ``pixels`` the same in pixels;
    ``degrees`` is the angle between the stack and the normal where it leans steadily, as a tilted
    gantry makes it, and None where slices are shifted singly.
    """

    index: int
    mm: float
    pixels: float
    degrees: float | None

    def __str__(self) -> str:
        if self.degrees is None:
            return f"slices are shifted in their plane by up to {self.pixels:.3g} pixels"
        return (
            f"the stack leans by {self.degrees:.3g} degrees (a tilted gantry), "
            f"{self.pixels:.3g} pixels from end to end"
        )


def find_lean(
    positions: NDArray[np.float64],
    normal: NDArray[np.float64],
    pixel: float,
) -> Lean | None:
    """Whether slices lie `ENOUGH` of a pixel or more beside the normal through the first.

    Args:
        positions: ImagePositionPatient of each, (slices, 3) mm, in anatomical order.
        normal: of the slices, (3,).
        pixel: the smaller spacing of rows and columns, mm.

    Returns:
        None where they do not, or where the rounding of the positions can be all there is to it.
    """
    steps = positions - positions[0]
    along = steps @ normal
    sideways = steps - np.outer(along, normal)
    distances = np.linalg.norm(sideways, axis=1)
    limit = max(ENOUGH * pixel, _rounding(steps))
    farthest = int(distances.argmax())
    if distances[farthest] < limit:
        return None
    centred = along - along.mean()
    spread = float(centred @ centred)
    slope = centred @ sideways / spread if spread else np.zeros(3)
    left = np.linalg.norm(sideways - sideways.mean(axis=0) - np.outer(centred, slope), axis=1)
    steady = float(left.max()) < max(limit, 0.1 * float(distances[farthest]))
    degrees = float(np.degrees(np.arctan(np.linalg.norm(slope)))) if steady else None
    mm = float(distances[farthest])
    return Lean(farthest, mm, mm / pixel, degrees)


def _rounding(steps: NDArray[np.float64]) -> float:
    """How far the rounding of two positions can move them apart: one last decimal in each of x,y,z.

    Positions that a later stage moved have more decimals; the steps between them do not.
    """
    for decimals in _DECIMALS:
        if np.allclose(steps, np.round(steps, decimals), rtol=0, atol=3e-6):
            return float(3**0.5 * 10.0**-decimals)
    return 0.0


def step_limit(spacing: float) -> float:
    """By how much, in mm, a step between slices may differ from the spacing."""
    return max(_UNEVEN * spacing, _UNEVEN)


def odd_steps(steps: Sequence[float], spacing: float) -> list[int]:
    """The indices of the steps, mm, that are not the spacing.

    To the nanometre: a step just at the limit is judged alike, whichever way it was computed.
    """
    return [n for n, step in enumerate(steps) if _is_odd(step - spacing, spacing)]


def _is_odd(off: float, spacing: float) -> bool:
    return round(abs(off), 6) > step_limit(spacing)


def creep(along: Sequence[float], spacing: float) -> float | None:
    """How far, mm, a slice lies from its place in an even stack; None where that is near enough.

    Small differences of steps add up. `along` are places along the normal, ascending, mm. They are
    judged to the nanometre, as steps are.
    """
    off = max((abs(at - along[0] - n * spacing) for n, at in enumerate(along)), default=0.0)
    return off if _is_odd(off, spacing) else None


def unevenness(along: Sequence[float], places: Sequence[int], spacing: float) -> str | None:
    """Say where a stack is uneven, in one line; None where it is even.

    `along` is as in `creep`; `places` are the numbers of these slices in their series.
    """
    steps = [after - before for before, after in pairwise(along)]
    odd = odd_steps(steps, spacing)
    if odd:
        shown = ", ".join(f"{steps[n]:.4g} mm after slice {places[n]}" for n in odd[:_SHOWN])
        more = f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
        what = f"{plural(len(odd), 'uneven step')} of {len(steps)} between slices"
        return f"{what} ({shown}{more}; {spacing:.4g} mm expected)"
    off = creep(along, spacing)
    if off is None:
        return None
    low, high = min(steps), max(steps)
    return f"steps of {low:.4g} to {high:.4g} mm between slices, which adds up to {off:.3g} mm"
