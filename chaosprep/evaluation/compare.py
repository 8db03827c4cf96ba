"""One case: both sides read, laid on one grid and measured, organ by organ."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from chaosprep.errors import FileError
from chaosprep.evaluation.asked import NOTHING_MORE, Asked
from chaosprep.evaluation.laying import Labels, Laid, check_sizes, laid
from chaosprep.evaluation.metric import Pair
from chaosprep.evaluation.overlap import Mask
from chaosprep.evaluation.results import MEASURED, OrganResult
from chaosprep.evaluation.surface import Spacing
from chaosprep.layouts.mask_set import CaseMasks, MaskCase, Organs

Per = Literal["case", "slice"]


@dataclass(frozen=True)
class Task:
    """What to compare; ``spacing`` counts where the reference knows none."""

    pred: MaskCase
    ref: MaskCase
    organs: Organs
    spacing: Spacing | None = None
    per: Per = "case"
    asked: Asked = NOTHING_MORE


def compare(task: Task) -> tuple[OrganResult, ...]:
    """Compare one case, whole or slice by slice.

    Raises:
        FileError: a side cannot be read; `slices-differ`, `size-mismatch`, `grid-mismatch`,
            `geometry-unknown`, `sheared` or `spacing-unfit`.
    """
    ref, found = _both(task)
    spacing = spacing_of(ref) or task.spacing
    return tuple(
        msgspec.structs.replace(row, brought=found.how, beyond=found.beyond)
        for row in _rows(task, ref, found.voxels, spacing)
    )


def _rows(
    task: Task, ref: CaseMasks, labels: Labels, spacing: Spacing | None
) -> Iterator[OrganResult]:
    if task.per == "case":
        yield from _organs(task, task.ref.id, labels, ref.voxels, spacing)
        return
    width = max(3, len(str(len(labels) - 1)))
    for place in range(len(labels)):
        name = ref.names[place] if ref.names else f"s{place:0{width}}"
        id = name if name.startswith(task.ref.id) else f"{task.ref.id}/{name}"
        one = slice(place, place + 1)
        yield from _organs(task, id, labels[one], ref.voxels[one], spacing)


def both(task: Task) -> tuple[CaseMasks, Labels]:
    """The reference's masks, and the prediction's voxels on their grid.

    Raises:
        FileError: what `compare` raises.
    """
    ref, found = _both(task)
    return ref, found.voxels


def _both(task: Task) -> tuple[CaseMasks, Laid]:
    ref = task.ref.read(task.organs)
    return ref, laid(ref, task.pred.read(task.organs))


def _organs(
    task: Task, id: str, pred: Labels, ref: Labels, spacing: Spacing | None
) -> Iterator[OrganResult]:
    for label, organ in enumerate(task.organs, start=1):
        if organ in task.ref.organs:
            yield measure(id, task.ref, organ, pred == label, ref == label, spacing, task.asked)


def measure(
    id: str,
    of: MaskCase,
    organ: str,
    pred: Mask,
    ref: Mask,
    spacing: Spacing | None,
    asked: Asked = NOTHING_MORE,
) -> OrganResult:
    """Every metric of one organ of the case or slice `id`; `of` knows its patient and split.

    Masks are boolean (slices, rows, cols); spacing is mm between slices, rows, cols, where known.
    """
    pair = Pair(pred, ref, spacing, organ, asked)
    numbers: dict[str, Any] = {name: one.of(pair) for name, one in MEASURED.items()}
    found = pair.lesions.lesions if pair.lesions else ()
    return OrganResult(
        case=id, patient=of.patient, split=of.split, organ=organ, lesions=found, **numbers
    )


def spacing_of(masks: CaseMasks) -> Spacing | None:
    """The mm between slices, rows, cols; None where nobody knows.

    Raises:
        FileError: `sheared` or `spacing-unfit`.
    """
    if masks.lattice is None:
        return None
    if masks.lattice.is_sheared:
        raise FileError(
            "its slices are not stacked at right angles (a tilted gantry)",
            "Resample both sides first, or leave the case out with --on-error skip.",
            code="sheared",
        )
    check_sizes(masks.lattice)
    return masks.lattice.spacing
