"""`VolumeDataset`: the cases of a stage directory as volumes."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset as TorchDataset

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import Split
from chaosprep.dataset.scaling import Scale, case_scaling
from chaosprep.dataset.stacking import case_lattice, label_volume, originals
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.torch.checks import Check, Checks
from chaosprep.torch.rows import choose
from chaosprep.torch.slices import mask_tensor


class VolumeDataset(TorchDataset):
    """The cases of one side of a stage directory, without augmented copies, for a `DataLoader`.

    An item is a dict:

    - `image`: float32 (1, slices, rows, cols), in anatomical order;
    - `mask`, where the case has masks: (1, slices, rows, cols), as in `SliceDataset`;
    - `id` (the case's), `patient`: text;
    - `spacing`: float32 (3,), mm between slices, rows, cols;
    - `affine`: float64 (4, 4), from (slice, row, col, 1) to DICOM patient coordinates (LPS, mm).

    Args: as in `SliceDataset`.

    Raises:
        ManifestError: the directory is unfinished or damaged.
        UsageError: as in `SliceDataset`.
        FileError: when an item is read: the slices of a case make no volume.
    """

    def __init__(
        self,
        directory: str | Path | Dataset,
        split: Split = "train",
        *,
        scale: Scale = "case",
        sequences: str | Collection[str] = (),
        fold: int | None = None,
        patients: str | Collection[str] = (),
        check: Check = "once",
    ) -> None:
        chosen = (split, fold, sequences, patients)
        self._rows = choose(directory, scale, *chosen, copies=False, check=check)
        self._numbers = np.unique(self._rows.cases).tolist()
        self._checks = Checks(len(self._numbers), check)
        self._scale = scale
        self.labels = self._rows.labels
        self.patients = self._rows.patients

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> dict[str, Any]:
        found = self._rows.dataset.cases[self._numbers[index]]
        case = replace(found, check=self._checks.is_due(index))
        rows = originals(case)
        lattice = case_lattice(rows)
        scaling, slices = case_scaling(case, self._scale), map(case.pixels, rows)
        image = np.stack([scaling.shown(header, array) for header, array in slices])
        item = {
            "image": torch.from_numpy(image)[None],
            "id": case.id,
            "patient": case.patient,
            "spacing": torch.tensor(lattice.spacing, dtype=torch.float32),
            "affine": torch.from_numpy(_affine(lattice)),
        }
        labels = label_volume(case, self.labels)
        if labels is not None:
            item["mask"] = mask_tensor(labels.voxels, self.labels)[None]
        self._checks.passed(index)
        return item


def _affine(lattice: Lattice) -> np.ndarray[Any, np.dtype[np.float64]]:
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = lattice.steps, lattice.origin
    return affine
