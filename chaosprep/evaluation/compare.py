"""One case: both sides read, laid on one grid and measured, organ by organ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.evaluation.asked import NOTHING_MORE, Asked
from chaosprep.evaluation.metric import Pair
from chaosprep.evaluation.overlap import Mask
from chaosprep.evaluation.results import MEASURED, OrganResult
from chaosprep.evaluation.surface import Spacing
from chaosprep.imaging.space.lattice import Volume, laid_on
from chaosprep.layouts.mask_set import CaseMasks, MaskCase, Organs

Per = Literal["case", "slice"]
Labels = NDArray[np.uint8]
_SHOWN = 3  # names in a message
_SMALLEST, _LARGEST = 1e-9, 1e6  # mm: of others float32 cannot hold the squares of distances


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
            `geometry-unknown` or `sheared`.
    """
    ref, labels = both(task)
    spacing = _spacing(ref) or task.spacing
    if task.per == "case":
        return tuple(_organs(task, task.ref.id, labels, ref.voxels, spacing))
    width = max(3, len(str(len(labels) - 1)))
    rows: list[OrganResult] = []
    for place in range(len(labels)):
        name = ref.names[place] if ref.names else f"s{place:0{width}}"
        id = name if name.startswith(task.ref.id) else f"{task.ref.id}/{name}"
        one = slice(place, place + 1)
        rows += _organs(task, id, labels[one], ref.voxels[one], spacing)
    return tuple(rows)


def both(task: Task) -> tuple[CaseMasks, Labels]:
    """The reference's masks, and the prediction's voxels on their grid.

    Raises:
        FileError: what `compare` raises.
    """
    ref, pred = task.ref.read(task.organs), task.pred.read(task.organs)
    return ref, _on_the_grid_of(ref, pred)


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


def _spacing(masks: CaseMasks) -> Spacing | None:
    if masks.lattice is None:
        return None
    if masks.lattice.is_sheared:
        raise FileError(
            "its slices are not stacked at right angles (a tilted gantry)",
            "Resample both sides first, or leave the case out with --on-error skip.",
            code="sheared",
        )
    if not all(_SMALLEST <= mm <= _LARGEST for mm in masks.lattice.spacing):
        sizes = " x ".join(f"{mm:.3g}" for mm in masks.lattice.spacing)
        raise FileError(
            f"its header says that its voxels are {sizes} mm large",
            "Correct the spacing in its header.",
            code="spacing-unfit",
        )
    return masks.lattice.spacing


def _on_the_grid_of(ref: CaseMasks, pred: CaseMasks) -> Labels:
    """The prediction's voxels in the order of the reference's."""
    if not (ref.names and pred.names):
        if ref.lattice is None or pred.lattice is None:
            raise FileError(
                "a volume can only be compared where both sides know where their voxels lie",
                "Give both as slices of one name, or both as volumes.",
                code="geometry-unknown",
            )
        return laid_on(Volume(pred.voxels, pred.lattice), ref.lattice)
    order = _order(ref, pred)
    voxels = pred.voxels if order == list(range(len(order))) else pred.voxels[order]
    if voxels.shape != ref.voxels.shape:
        sizes = [f"{rows}x{cols}" for _, rows, cols in (voxels.shape, ref.voxels.shape)]
        raise FileError(
            f"its masks are {sizes[0]}, the reference's {sizes[1]}",
            "Bring them back: chaosprep assemble PRED -o BACK, and compare BACK."
            if pred.lattice is not None
            else "Bring them back: chaosprep assemble PRED --reference DIR -o BACK, where DIR is "
            "the stage directory that was predicted from, and compare BACK.",
            code="size-mismatch",
        )
    if ref.lattice is None or pred.lattice is None:
        return voxels
    return laid_on(Volume(voxels, pred.lattice), ref.lattice)


def _order(ref: CaseMasks, pred: CaseMasks) -> list[int]:
    """For each slice of the reference, the place of the prediction's of the same name."""
    places = {name: place for place, name in enumerate(pred.names)}
    names = ref.files if places.keys() & set(ref.files) else ref.names
    missing = [name for name in names if name not in places]
    surplus = sorted(places.keys() - set(names))
    if missing or surplus:
        parts = []
        if missing:
            parts.append(f"{len(missing)} of its {len(names)} slices are missing{_some(missing)}")
        if surplus:
            parts.append(f"{len(surplus)} are not the reference's{_some(surplus)}")
        raise FileError(
            f"of the predicted slices, {' and '.join(parts)}",
            "Predict every slice, empty ones too, and nothing else.",
            code="slices-differ",
        )
    return [places[name] for name in names]


def _some(names: Sequence[str]) -> str:
    return f" ({', '.join([*names[:_SHOWN], *(['...'] if len(names) > _SHOWN else [])])})"
