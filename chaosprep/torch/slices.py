"""`SliceDataset`: the image/mask pairs of a stage directory as tensors."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset as TorchDataset

from chaosprep.augmentation.sampling import IMAGE_DTYPES
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import Slice, Spacing, Split
from chaosprep.dataset.scaling import Scale, Scaling, case_scaling
from chaosprep.dataset.stacking import label_plane
from chaosprep.params import make_params
from chaosprep.stages.augment import AugmentParams, check_mirroring, copy_of
from chaosprep.torch.checks import Check, Checks
from chaosprep.torch.rows import choose

Transform = Callable[..., Mapping[str, Any]]
Pair = tuple[NDArray[Any], NDArray[Any] | None]


class SliceDataset(TorchDataset):
    """The slices of one side of a stage directory, for a `DataLoader`.

    An item is a dict:

    - `image`: float32 (1, rows, cols);
    - `mask`, where the slice has one: (1, rows, cols), float32 of 0 and 1 for a single organ, else
      int64 with the labels of `labels`;
    - `id`, `patient`: text;
    - `spacing`: float32 (3,), mm between slices, rows, cols; 0 where unknown.

    It pickles and holds no file open, so that workers may be forked or spawned.

    Args:
        directory: a stage directory, or the opened `Dataset`.
        split: train, val or test.
        transform: called as `transform(image=, mask=)` with arrays (rows, cols), float32 and uint8
            labels (no `mask` where there is none); gives a mapping with the same names, as
            Albumentations has it.
        scale: `case` maps 8-bit images by 1/255 and stored values by the 0.5 and 99.5 percentile of
            the case's original slices, without clipping; `none` gives the values as they are.
        augment: a preset of `chaosprep augment`, or a recipe as a dict. Drawn anew in each epoch
            from seed, epoch and slice id alone: epoch n gives what copy n + 1 of the stage
            `augment` would be. Left and right are swapped where it mirrors.
        seed: of `augment`.
        sequences: only these; empty for all.
        copies: whether augmented copies in the directory are shown.
        fold: val is this fold, train all others.
        patients: only these; empty for all.
        labelled: only slices that have a mask.
        check: compare each file with its recorded hash `once` in each process, when it is first
            read there, or `always` when it is read. Its size is compared each time.

    Attributes:
        labels: organ -> label, from 1, in the order of mask values.
        patients: the patients of the slices shown.

    Raises:
        ManifestError: the directory is unfinished or damaged.
        UsageError: an argument is none of its choices, the directory has no such patient, sequence
            or fold, or the augmentation is none or would mirror one of a pair.
        ChaosprepError: its masks name more organs than there are labels.
    """

    def __init__(
        self,
        directory: str | Path | Dataset,
        split: Split = "train",
        transform: Transform | None = None,
        *,
        scale: Scale = "case",
        augment: str | Mapping[str, Any] | None = None,
        seed: int = 0,
        sequences: str | Collection[str] = (),
        copies: bool = True,
        fold: int | None = None,
        patients: str | Collection[str] = (),
        labelled: bool = False,
        check: Check = "once",
    ) -> None:
        chosen = (split, fold, sequences, patients, copies)
        self.rows = choose(directory, scale, *chosen, check=check, labelled=labelled)
        self._checks = Checks(len(self.rows), check)
        self.labels = self.rows.labels
        self.patients = self.rows.patients
        self._transform = transform
        self._scale = scale
        self._scalings: dict[int, Scaling] = {}
        self._augment = _augmentation(augment, seed)
        if self._augment is not None:
            check_mirroring(self.rows.dataset.cases, self._augment)
        # Shared with workers that live on from epoch to epoch.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return len(self.rows)

    def set_epoch(self, epoch: int) -> None:
        """Draw the augmentation of this epoch, from 0, from the next item on."""
        self._epoch.fill_(epoch)

    @property
    def epoch(self) -> int:
        """The epoch whose augmentation is drawn."""
        return int(self._epoch.item())

    def __getitem__(self, index: int) -> dict[str, Any]:
        row, check = self.rows[index], self._checks.is_due(index)
        scaling = self._scaling(int(self.rows.cases[index]))
        header, image = self.rows.dataset.pixels(row, check=check)
        image, mask = scaling.values(header, image), self.rows.dataset.mask(row, check=check)
        self._checks.passed(index)
        if self._augment is not None:
            image, mask = self._augmented(row, image, mask)
        image = scaling.scaled(image)
        plane = None if mask is None else label_plane(row, mask, self.labels)
        if self._transform is not None:
            image, plane = _transformed(self._transform, image, plane)
        item = {"image": with_channel(image).float(), "id": row.id, "patient": row.patient}
        item["spacing"] = spacing_tensor(row.spacing)
        if plane is not None:
            item["mask"] = mask_tensor(plane, self.labels)
        return item

    def _scaling(self, case: int) -> Scaling:
        """How a case is scaled, found once in each worker."""
        if case not in self._scalings:
            found = self.rows.dataset.cases[case]
            self._scalings[case] = case_scaling(found, self._scale)
        return self._scalings[case]

    def _augmented(self, row: Slice, image: NDArray[Any], mask: NDArray[Any] | None) -> Pair:
        assert self._augment is not None
        if image.dtype.name not in IMAGE_DTYPES:
            image = image.astype(np.float32)
        copied = msgspec.structs.replace(row, copy=0)  # a copy is drawn by its own id
        recipe = self._augment.recipe()
        made = copy_of(copied, self.epoch + 1, image, mask, recipe, self._augment)
        return made.image, made.mask


def with_channel(array: Any) -> torch.Tensor:  # noqa: ANN401 - an array or a tensor
    """A tensor (1, ...) of an array (rows, cols) or (1, rows, cols)."""
    tensor = torch.as_tensor(array)
    return tensor[None] if tensor.ndim == 2 else tensor


def mask_tensor(plane: Any, labels: Mapping[str, int]) -> torch.Tensor:  # noqa: ANN401
    """Labels (rows, cols) as the losses take them: 0 and 1 as float32, several as int64."""
    return with_channel(plane).to(torch.float32 if len(labels) == 1 else torch.int64)


def spacing_tensor(spacing: Spacing | None) -> torch.Tensor:
    """Mm between slices, rows, cols, float32 (3,); 0 where unknown."""
    return torch.tensor([one or 0.0 for one in spacing or (0.0, 0.0, 0.0)], dtype=torch.float32)


def _augmentation(augment: str | Mapping[str, Any] | None, seed: int) -> AugmentParams | None:
    if augment is None:
        return None
    what = {"preset": augment} if isinstance(augment, str) else {"spec": dict(augment)}
    return make_params(AugmentParams, {**what, "seed": seed, "swap_labels": True})


def _transformed(transform: Transform, image: NDArray[Any], mask: NDArray[Any] | None) -> Pair:
    if mask is None:
        return transform(image=image)["image"], None
    made = transform(image=image, mask=mask)
    return made["image"], made["mask"]
