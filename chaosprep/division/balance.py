"""Sides and folds that have the same of everything that is asked for."""

from collections.abc import Sequence

from chaosprep.dataset.descriptor import Share
from chaosprep.division.params import SplitParams
from chaosprep.division.sides import Sides
from chaosprep.layouts.root import Traits


def balance(patients: Sequence[str], known: Sides, traits: Traits, params: SplitParams) -> Sides:
    """Where everybody is: those known where they were, the others so that the parts are alike."""
    raise NotImplementedError


def shares(sides: Sides, traits: Traits, params: SplitParams) -> tuple[Share, ...]:
    """How many of each kind each part has, beside how many it would have ideally."""
    return ()
