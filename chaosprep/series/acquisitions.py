"""What several acquisitions leave in one stack of slices: refused where it is two volumes, or said.

MR scans every other slice in turns, and by breath; CT scans a volume in one pass.
"""

from collections.abc import Sequence
from itertools import pairwise

from chaosprep.imaging.space.geometry import Order
from chaosprep.series.gathering import Shot, evidence_of
from chaosprep.series.groups import SAME, Evidence, divides, groups_by, number
from chaosprep.series.mixing import APART, Mixed, mixed_error

ACQUISITION, _REPETITION = "AcquisitionNumber", "RepetitionTime"


def find_striped(shots: Sequence[Shot], order: Order) -> Mixed | None:
    """The error of CT slices of several acquisitions that lie between each other."""
    if not _turns(shots, order) or shots[order.indices[0]].header.modality != "CT":
        return None
    groups = groups_by(evidence_of(shots), ACQUISITION)
    return mixed_error(shots, groups, "series-mixed", "volumes", ACQUISITION, APART)


def acquisition_notes(shots: Sequence[Shot], order: Order) -> tuple[str, ...]:
    """Say where acquisitions take turns, and where several repetition times were taken as one."""
    notes = []
    if count := _turns(shots, order):
        notes.append(f"slices of {count} acquisitions alternate ({ACQUISITION})")
    if divides(groups_by(evidence_of(shots), _REPETITION, SAME), _REPETITION):
        texts = (shot.header.evidence.get(_REPETITION, "") for shot in shots)
        times = [time for text in texts if (time := number(text)) is not None]
        ends = f"{min(times):g} to {max(times):g} ms"
        notes.append(f"{_REPETITION} differs within the series: {ends}")
    return tuple(notes)


def count_turns(evidence: Evidence) -> int:
    """How many acquisitions lie between each other in slices in order; 0 where none do."""
    groups = groups_by(evidence, ACQUISITION)
    owner = {index: number for number, group in enumerate(groups) for index in group}
    row = [owner[index] for index in range(len(evidence)) if index in owner]
    count = len(groups)
    runs = 1 + sum(one != other for one, other in pairwise(row))
    return count if count > 1 and runs >= 2 * count else 0


def _turns(shots: Sequence[Shot], order: Order) -> int:
    doubled = {index for group in order.duplicates for index in group}
    placed = [shots[index] for index in order.indices if index not in doubled]
    return count_turns(evidence_of([one for one in placed if one.header.image_position_patient]))
