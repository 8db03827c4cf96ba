"""Predictions as a network's script leaves them: a folder of label pictures, named by slice id."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organs import meanings
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stacking import label_plane
from chaosprep.errors import FileError, Problem
from chaosprep.layouts.mask_set import plane_of
from chaosprep.layouts.pictures import pictures_below

_DEPTH = 32  # of folders in each other: whoever has more is in a circle


@dataclass(frozen=True)
class Meaning:
    """What the values of masks stand for: value -> organ, and organ -> label of the volume.

    `values` is empty where the dataset names no organ; values are then labels, `label-1` and so on.
    """

    values: dict[int, str]
    labels: dict[str, int]

    def plane(self, row: Slice, mask: NDArray[Any]) -> NDArray[np.uint8]:
        """A predicted mask (rows, cols) as labels.

        Raises:
            FileError: `mask-values`.
        """
        if self.values:
            return label_plane(msgspec.structs.replace(row, labels=self.values), mask, self.labels)
        if mask.max() > 255:
            raise FileError(
                f"the prediction for {row.id} holds {mask.max()}, but labels end at 255",
                "Save it with one whole number, from 1, for each organ.",
                code="mask-values",
            )
        return mask.astype(np.uint8)


def meaning(dataset: Dataset, labels: dict[str, int]) -> Meaning:
    """What a prediction's values mean: what they mean in the dataset's masks.

    Where that has one organ only, 1 stands for it too: networks count from 1.
    """
    told = meanings(dataset.label_map, (row.labels for row in dataset.slices))
    values = {value: label.name for value, label in told.items()}
    if len(labels) == 1:
        values.setdefault(1, *labels)
    return Meaning(values, labels)


def find_predictions(folder: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Slice id -> its file, in the folder or below it, and what is wrong with the names."""
    found: dict[str, Path] = {}
    problems = []
    for path in pictures_below(folder, _DEPTH):
        name = path.relative_to(folder).as_posix()
        if path.stem in found:
            reason = f"there is another prediction for it, {found[path.stem].name}"
            problem = Problem(
                code="prediction-twice", id=path.stem, file=name, reason=reason, remedy="Keep one."
            )
            problems.append(problem)
        found.setdefault(path.stem, path)
    for problem in problems:  # neither is taken: nobody knows which is meant
        found.pop(problem.id, None)
    return found, problems


def match(
    found: Mapping[str, Path], dataset: Dataset
) -> tuple[dict[str, dict[str, Path]], list[Problem]]:
    """Case -> slice id -> file, of the cases that have any prediction, and predictions of no slice.

    Those of augmented copies are passed over: a volume is made of original slices.
    """
    cases: dict[str, dict[str, Path]] = {}
    left = dict(found)
    for row in dataset.slices:
        path = left.pop(row.id, None)
        if path is not None and row.copy == 0:
            cases.setdefault(row.case, {})[row.id] = path
    reason, remedy = "no slice of the reference has this id", "Give what was predicted from."
    return cases, [
        Problem(code="prediction-surplus", id=id, file=path.name, reason=reason, remedy=remedy)
        for id, path in left.items()
    ]


def read_prediction(row: Slice, files: Mapping[str, Path]) -> NDArray[Any]:
    """The predicted mask of a slice, (rows, cols) uint8 or uint16.

    Raises:
        FileError: `prediction-missing`, `size-mismatch`, and what a mask can be wrong in.
    """
    if row.id not in files:
        raise FileError(
            f"the prediction for {row.id} is missing",
            "Predict every slice of the case, or leave it out with --on-error skip.",
            code="prediction-missing",
        )
    mask = plane_of(files[row.id])
    if mask.shape != (row.rows, row.cols):
        error = FileError(
            f"the prediction is {mask.shape[0]}x{mask.shape[1]}, its slice {row.rows}x{row.cols}",
            "Give the stage directory that was predicted from as the reference.",
            code="size-mismatch",
        )
        error.file = files[row.id].name
        raise error
    return mask
