"""What `convert` decides of all cases at once."""

from collections.abc import Sequence

from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import Dataset
from chaosprep.running.stage import Planned
from chaosprep.stages.converting import reference, scales
from chaosprep.stages.converting.params import ConvertParams


def plan(source: Dataset, cases: Sequence[Case], params: ConvertParams) -> Planned[Case]:
    """Where the cases of a patient are to lie, and what is to be said of their scales.

    Raises:
        UsageError: what `reference.plan` raises.
    """
    placed = reference.plan(source, cases, params)
    return Planned(placed.complete, (*placed.notes, *scales.notes(cases, params)))
