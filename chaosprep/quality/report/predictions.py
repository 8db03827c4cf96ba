"""Predictions beside their reference: where they differ on each slice, and how each case scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.outlines import outlines, svg_path
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stacking import originals
from chaosprep.dataset.tiles import faced
from chaosprep.errors import Problem
from chaosprep.evaluation.asked import Tolerance
from chaosprep.evaluation.compare import Task, both
from chaosprep.evaluation.evaluate import evaluate
from chaosprep.evaluation.metric import Metric
from chaosprep.evaluation.names import called_alike
from chaosprep.evaluation.results import OrganResult, Summary, shown
from chaosprep.files import sha256
from chaosprep.imaging.space.facing import Turn
from chaosprep.layouts.table import find_masks
from chaosprep.running.mapping import map_cases

_COLUMNS: Final = ("dice", "nsd", "hd95", "assd", "lesion_f1", "lesion_pq")
"""The metrics of a case that the page shows; HD95 and ASSD are mm."""

_UNITS: Final = 4  # of a path, per pixel


@dataclass(frozen=True)
class Overlay:
    """What lies over one slice, as the `d` of SVG paths.

    ``outlines`` are the predicted organs; ``surplus`` covers what is predicted and is not there,
    ``lacking`` what is there and is not predicted. Where two organs are confused it is both.
    """

    box: str
    outlines: list[tuple[str, str]]
    surplus: str
    lacking: str


@dataclass(frozen=True)
class Judged:
    """A prediction against its reference: rows and overlays, the worst case first."""

    kind: str
    organs: tuple[str, ...]
    cases: dict[str, tuple[OrganResult, ...]]
    summaries: tuple[Summary, ...]
    overlays: dict[str, Overlay]
    skipped: tuple[Problem, ...]
    notes: tuple[str, ...]

    @cached_property
    def columns(self) -> dict[str, Metric]:
        """The metrics that the page shows: those of lesions and NSD where they are asked for."""
        known = shown([row for rows in self.cases.values() for row in rows])
        return {name: known[name] for name in _COLUMNS if name in known}

    @property
    def digest(self) -> str:
        """Tells one prediction from another: the same scores everywhere are the same one."""
        return sha256(msgspec.json.encode(self.cases))[:8]

    @property
    def widths(self) -> list[int]:
        """The widths of the overlays, each of which has a hatching of its own scale."""
        return sorted({int(one.box.split()[2]) for one in self.overlays.values()})


def judge(
    prediction: str | Path,
    dataset: Dataset,
    jobs: int = 1,
    *,
    tolerance: Tolerance | None = None,
    lesions: bool = False,
) -> tuple[Judged, Dataset]:
    """Compare a prediction with a stage directory as `evaluate` does, and draw the differences.

    Args:
        prediction: what `evaluate` takes.
        dataset: the reference.
        jobs: worker processes.
        tolerance: of the surface Dice, as `evaluate` takes it; it is measured only then.
        lesions: match the components of every organ.

    Returns:
        What was found, and the dataset with the compared cases alone, without augmented copies.

    Raises:
        UsageError: organs that differ, or a tolerance of no organ.
        NothingFoundError: the prediction is not understood, or no case is in common.
        ProblemsError: no case can be compared.
        ChaosprepError: the reference changed meanwhile.
    """
    found = evaluate(
        prediction,
        dataset.directory,
        tolerance=tolerance,
        lesions=lesions,
        jobs=jobs,
        on_error="skip",
    )
    rows: dict[str, tuple[OrganResult, ...]] = {}
    for row in found.results:
        rows[row.case] = (*rows.get(row.case, ()), row)
    organs = tuple(dict.fromkeys(row.organ for row in found.results))
    reference = find_masks(dataset.directory)
    pred, ref = called_alike(find_masks(Path(prediction), reference), reference)
    kept = dataset.only(rows.keys(), _uncopied, dataset.left_out, dataset.told)
    tasks = [
        (Task(pred.members[case.id], ref.members[case.id], organs), case) for case in kept.cases
    ]
    drawn, failed = map_cases(_overlays, tasks, lambda task: task[1].id, jobs)
    if failed:
        raise failed[0].error()
    worst = sorted(rows, key=lambda case: (min(row.dice for row in rows[case]), case))
    notes = found.notes
    if any(stage.stage == "predict" for stage in dataset.history):
        notes = (*notes, "the masks of the reference are predicted too")
    judged = Judged(
        kind=found.pred,
        organs=organs,
        cases={case: rows[case] for case in worst},
        summaries=found.summaries,
        overlays={id: overlay for one in drawn for id, overlay in one.items()},
        skipped=found.skipped,
        notes=notes,
    )
    return judged, kept


def _uncopied(rows: tuple[Slice, ...]) -> tuple[Slice, ...]:
    return tuple(row for row in rows if not row.copy)


def _overlays(of: tuple[Task, Case]) -> dict[str, Overlay]:
    """Slice id -> what lies over it; the reference's planes are its originals, in their order."""
    task, case = of
    ref, pred = both(task)
    turn = faced(case)
    known = [label for label, organ in enumerate(task.organs, 1) if organ in task.ref.organs]
    pred = np.where(np.isin(pred, known), pred, np.uint8(0))
    planes = zip(originals(case), pred, ref.voxels, strict=True)
    return {row.id: overlay(p, r, task.organs, turn) for row, p, r in planes}


def overlay(
    pred: NDArray[np.uint8], ref: NDArray[np.uint8], organs: Sequence[str], turn: Turn
) -> Overlay:
    """Draw a slice: labels (rows, cols) of both sides, each 0 or the place in `organs` + 1."""
    pred, ref = turn(pred), turn(ref)
    rows, cols = pred.shape
    wrong = pred != ref
    found = ((organ, pred == label) for label, organ in enumerate(organs, 1))
    return Overlay(
        box=f"0 0 {cols * _UNITS} {rows * _UNITS}",
        outlines=[(organ, _path(inside)) for organ, inside in found if inside.any()],
        surplus=_path(wrong & (pred != 0)),
        lacking=_path(wrong & (ref != 0)),
    )


def _path(inside: NDArray[np.bool_]) -> str:
    return svg_path(outlines(inside), _UNITS)
