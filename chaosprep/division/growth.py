"""New patients beside those of an earlier split: nobody moves."""

from collections.abc import Sequence

from chaosprep.division.params import SplitParams
from chaosprep.division.sides import Sides


def grow(patients: Sequence[str], known: Sides, params: SplitParams) -> Sides:
    """Where everybody is: those known where they were, the others where they are wanted most."""
    raise NotImplementedError
