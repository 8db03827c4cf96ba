"""Do the rows of a normalized directory agree with each other, and with what was learned for it?"""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from chaosprep.dataset.case import Case
from chaosprep.dataset.descriptor import PastStage
from chaosprep.dataset.manifest import DESCRIPTOR, Dataset
from chaosprep.errors import REMAKE, Problem
from chaosprep.stages.converting.landmarks import is_sound


def normalization_faults(case: Case) -> Iterator[Problem]:
    """A fault `normalization` where the slices of a case were not normalized by one map.

    They have one normalization, one slope and one intercept, copies too, and none was windowed.
    """
    first = case.slices[0]
    for row in case.slices if any(row.normalization for row in case.slices) else ():
        told = (row.normalization, row.slope, row.intercept)
        if told != (first.normalization, first.slope, first.intercept):
            yield _fault(row.id, "it was normalized otherwise than the first slice of its case")
            return
        if row.window_source != "none":
            yield _fault(row.id, "the table says that it was windowed, and normalized too")
            return


def scale_faults(dataset: Dataset) -> Iterator[Problem]:
    """A fault `normalization` where the descriptor does not tell how its rows were normalized."""
    converted = next((past for past in dataset.history if past.stage == "convert"), None)
    method = None if converted is None else converted.parameters.get("normalize")
    scales = _scales(converted)
    if scales is None:
        reason = f"what {DESCRIPTOR} says that convert learned are no landmarks"
        yield _fault(dataset.made.stage, reason)
        return
    for case in dataset.cases:
        row = case.slices[0]
        told, scale = row.normalization or None, scales.get(row.sequence)
        if (told and told.method) != method:
            yield _fault(case.id, f"{DESCRIPTOR} says that convert normalized by {method}")
            return
        if told and scale and len(told.end) == len(scale) and list(told.end) != scale:
            yield _fault(case.id, f"its landmarks are not those of {row.sequence} in {DESCRIPTOR}")
            return


def _scales(converted: PastStage | None) -> dict[str, Any] | None:
    """The landmarks that were learned, by sequence; None where they are none."""
    if converted is None or converted.learned is UNSET:
        return {}
    found: dict[str, Any] | None
    found = converted.learned["landmarks"] if is_sound(converted.learned) else None
    return found


def _fault(id: str, reason: str) -> Problem:
    return Problem(code="normalization", id=id, reason=reason, remedy=REMAKE)
