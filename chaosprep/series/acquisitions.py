"""What several acquisitions leave in one stack of slices: refused where it is two volumes, or said.

MR scans every other slice in turns, and by breath; CT scans a volume in one pass.
"""

from collections.abc import Sequence
from itertools import pairwise

from chaosprep.imaging.space.geometry import Order
from chaosprep.series.gathering import Shot
from chaosprep.series.groups import SAME, divides, groups_by, number
from chaosprep.series.mixing import APART, Mixed, mixed_error

_ACQUISITION, _REPETITION = "AcquisitionNumber", "RepetitionTime"


def find_striped(shots: Sequence[Shot], order: Order) -> Mixed | None:
    """The error of CT slices of several acquisitions that lie between each other."""
    if not _take_turns(shots, order) or shots[order.indices[0]].header.modality != "CT":
        return None
    groups = groups_by(shots, _ACQUISITION)
    return mixed_error(shots, groups, "series-mixed", "volumes", _ACQUISITION, APART)


def acquisition_notes(shots: Sequence[Shot], order: Order) -> tuple[str, ...]:
    """Say where acquisitions take turns, and where several repetition times were taken as one."""
    notes = []
    if count := _take_turns(shots, order):
        notes.append(f"slices of {count} acquisitions take turns ({_ACQUISITION})")
    if divides(groups_by(shots, _REPETITION, SAME), _REPETITION):
        texts = (shot.header.evidence.get(_REPETITION, "") for shot in shots)
        times = [time for text in texts if (time := number(text)) is not None]
        ends = f"{min(times):g} to {max(times):g} ms"
        notes.append(f"{_REPETITION} differs within the series: {ends}")
    return tuple(notes)


def _take_turns(shots: Sequence[Shot], order: Order) -> int:
    """How many acquisitions lie between each other along the normal; 0 where none do."""
    owner = {
        index: number
        for number, group in enumerate(groups_by(shots, _ACQUISITION))
        for index in group
    }
    doubled = {index for group in order.duplicates for index in group}
    placed = [index for index in order.indices if shots[index].header.image_position_patient]
    row = [owner[index] for index in placed if index in owner and index not in doubled]
    count = len(set(row))
    runs = 1 + sum(one != other for one, other in pairwise(row))
    return count if count > 1 and runs >= 2 * count else 0
