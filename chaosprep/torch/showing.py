"""What a network is shown of a case: the channels of each slice, those of other sequences too."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.checking import decode_row
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import Slice, encode_row
from chaosprep.dataset.scaling import case_scaling
from chaosprep.dataset.stacking import originals
from chaosprep.torch.planes import Recent, lacking
from chaosprep.torch.seen import Channels, Seen

KEY = "channels"
"""What `Case.planned` calls the rows of the other sequences."""


def is_shown(case: Case, seen: Seen) -> bool:
    """Whether a case is of the sequence whose masks are predicted."""
    return not seen.channels or case.slices[0].sequence == seen.channels[0]


def other_sequences(dataset: Dataset, seen: Seen) -> Callable[[str, str], list[Case]]:
    """Finds the cases of a patient's sequence."""
    places: dict[tuple[str, str], list[int]] = {}
    for place, case in enumerate(dataset.cases if seen.channels[1:] else ()):
        places.setdefault((case.patient, case.slices[0].sequence), []).append(place)

    def found(patient: str, sequence: str) -> list[Case]:
        return [dataset.cases[place] for place in places.get((patient, sequence), [])]

    return found


def beside(
    case: Case, others: Callable[[str, str], list[Case]], seen: Seen
) -> dict[str, dict[str, list[list[str]]]]:
    """The rows of a patient's other sequences, case by case, as `Case.planned` keeps them."""
    rows = {name: [_lines(one) for one in others(case.patient, name)] for name in seen.channels[1:]}
    return {KEY: rows} if rows else {}


def _lines(case: Case) -> list[str]:
    return [encode_row(row).decode() for row in originals(case)]


def shown_images(case: Case, seen: Seen) -> Callable[[Slice], torch.Tensor]:
    """Gives the image of a slice, (channels, rows, cols), as `SliceDataset` has it.

    Raises:
        FileError: `channel-missing`, the patient has not each sequence once, or not at this place;
            `channel-grid`, not on one grid; a slice cannot be read.
    """
    cases = [case, *_others(case, seen)]
    by_id = {one.id: one for one in cases}
    scalings = {one.id: case_scaling(one) for one in cases}
    channels = Channels([one.slices for one in cases], seen)
    recent = Recent[NDArray[np.float32]](seen.count)

    def read(row: Slice) -> NDArray[np.float32]:
        return scalings[row.case].shown(*by_id[row.case].pixels(row))

    def image(row: Slice) -> torch.Tensor:
        planes = [recent.get(one.id, partial(read, one)) for one in channels.of(row)]
        return torch.from_numpy(np.stack(planes))

    return image


def _others(case: Case, seen: Seen) -> list[Case]:
    """The cases of the patient's other sequences, of what was planned."""
    planned: dict[str, Any] = case.planned.get(KEY, {})
    found = [planned.get(name, []) for name in seen.channels[1:]]
    if fault := lacking(case.patient, seen.channels[1:], found):
        raise fault
    made = []
    for (lines,) in found:
        rows = tuple(decode_row(line.encode()) for line in lines)
        known = case.max_pixels, case.labels
        made.append(Case(case.store, rows[0].case, case.patient, rows, "", *known, case.check))
    return made
