"""Do the rows of a case tell one normalization and one bias field, and the descriptor the same?"""

from collections.abc import Iterator
from typing import Any

import msgspec

from chaosprep.dataset.case import Case
from chaosprep.dataset.descriptor import Learned, PastStage
from chaosprep.dataset.manifest import DESCRIPTOR, Dataset
from chaosprep.errors import REMAKE, Problem
from chaosprep.stages.converting.landmarks import is_sound, told_in


def normalization_faults(case: Case) -> Iterator[Problem]:
    """A fault `normalization` where the slices of a case were not normalized by one map.

    They have one normalization, one slope and one intercept, copies too, and none was windowed.
    """
    first = case.slices[0]
    for row in case.slices if any(row.normalization for row in case.slices) else ():
        told = (row.normalization, row.slope, row.intercept)
        if told != (first.normalization, first.slope, first.intercept):
            yield _fault(row.id, "it was normalized differently from the first slice of its case")
            return
        if row.window_source != "none":
            yield _fault(row.id, "the table says that it was windowed, and normalized too")
            return


def bias_faults(case: Case) -> Iterator[Problem]:
    """A fault `bias` where one field was not divided out of all slices of a case, copies too."""
    first = case.slices[0]
    odd = next((row.id for row in case.slices if row.bias != first.bias), None)
    if odd is not None:
        reason = "the table gives it a different bias field from the first slice of its case"
        yield Problem(code="bias", id=odd, reason=reason, remedy=REMAKE)


def scale_faults(dataset: Dataset) -> Iterator[Problem]:
    """A fault `normalization` where the descriptor does not tell how its rows were normalized."""
    converted = next((past for past in dataset.history if past.stage == "convert"), None)
    method = None if converted is None else converted.parameters.get("normalize")
    scales = _scales(converted)
    if scales is None:
        reason = f"{DESCRIPTOR} does not hold valid landmarks of convert"
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
    """The landmarks that were learned or given, by sequence; None where they are none."""
    told = None if converted is None else told_in(converted)
    if told is None:
        return {}
    try:
        found: Learned = msgspec.json.decode(told, type=Learned)
    except msgspec.MsgspecError:
        return None
    return found["landmarks"] if is_sound(found) else None


def _fault(id: str, reason: str) -> Problem:
    return Problem(code="normalization", id=id, reason=reason, remedy=REMAKE)
