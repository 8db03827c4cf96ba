"""`SliceDataset`: the image/mask pairs of a stage directory as tensors."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset as TorchDataset

from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import Slice, Spacing, Split
from chaosprep.dataset.scaling import Scale, Scaling, case_scaling
from chaosprep.dataset.stacking import label_plane
from chaosprep.stages.augment import AugmentParams, check_mirroring
from chaosprep.torch.augmenting import augmentation, augmented, augmented_alike
from chaosprep.torch.checks import Check, Checks
from chaosprep.torch.planes import Planes, Recent
from chaosprep.torch.rows import choose
from chaosprep.torch.seen import PLAIN, Seen, seen_of

Transform = Callable[..., Mapping[str, Any]]


class Channel(NamedTuple):
    """A slice that is seen: its values, as `Scaling.values` gives them, (rows, cols)."""

    row: Slice
    image: NDArray[Any]
    scaling: Scaling


class SliceDataset(TorchDataset):
    """The slices of one side of a stage directory, for a `DataLoader`.

    An item is a dict:

    - `image`: float32 (channels, rows, cols), one channel unless more is asked for;
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
            Albumentations has it. With `neighbours` or `channels` the image is (rows, cols,
            channels), and so is what it gives back, unless that is a tensor, (channels, rows,
            cols).
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
        neighbours: show so many slices on either side as channels too, from below to above. Where
            one is not there, the next one towards the slice itself stands for it: the outermost
            beyond the ends of the case, one that is nearer in a gap.
        channels: show a patient's slices of these sequences, at the same place, as channels:
            sequence by sequence, each with its neighbours. Mask, id and spacing are those of the
            first. Several names may stand in one text, with commas.

    With `neighbours` or `channels`, augmented copies in the directory are not shown: nothing is
    beside them. `augment` moves all channels alike, as drawn for the slice shown; grey values
    change alike in a slice and its neighbours, but for the noise, and in another sequence as drawn
    for its own slice.

    Attributes:
        labels: organ -> label, from 1, in the order of mask values.
        patients: the patients of the slices shown.

    Raises:
        ManifestError: the directory is unfinished or damaged.
        UsageError: an argument is none of its choices, the directory has no such patient, sequence
            or fold, or the augmentation is none or would mirror one of a pair.
        ChaosprepError: its masks name more organs than there are labels; `channel-missing` or
            `channel-grid`, a patient has not all of the channels, or not at the same places.
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
        neighbours: int = 0,
        channels: str | Collection[str] = (),
    ) -> None:
        seen = seen_of(neighbours, channels)
        chosen = (split, fold, sequences, patients, copies)
        self.rows = choose(directory, scale, *chosen, check=check, labelled=labelled, seen=seen)
        self.planes = None if seen.is_plain else Planes(self.rows, seen)
        planes = 0 if self.planes is None else len(self.planes)
        self._checks, self._plane_checks = Checks(len(self.rows), check), Checks(planes, check)
        self._recent = Recent[Channel](seen.count if check == "once" else 0)
        self.labels = self.rows.labels
        self.patients = self.rows.patients
        self._scale = scale
        self._scalings: dict[int, Scaling] = {}
        self._making = Making(self.labels, transform, augmentation(augment, seed), seen)
        self._making.check(self.rows.dataset.cases)
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
        if self.planes is None:
            channels = [self._read(row, int(self.rows.cases[index]), check)]
        else:
            channels = [
                self._recent.get(number, partial(self._plane, number))
                for number in self.planes.of(index)
            ]
        mask = self.rows.dataset.mask(row, check=check)
        self._checks.passed(index)
        return self._making.item(row, channels, mask, self.epoch)

    def _plane(self, number: int) -> Channel:
        """One of the channels of several slices."""
        assert self.planes is not None
        case, check = int(self.planes.cases[number]), self._plane_checks.is_due(number)
        channel = self._read(self.planes.row(number), case, check)
        self._plane_checks.passed(number)
        return channel

    def _read(self, row: Slice, case: int, check: bool) -> Channel:
        scaling = self._scaling(case)
        header, image = self.rows.dataset.pixels(row, check=check)
        return Channel(row, scaling.values(header, image), scaling)

    def _scaling(self, case: int) -> Scaling:
        """How a case is scaled, found once in each worker."""
        if case not in self._scalings:
            found = self.rows.dataset.cases[case]
            self._scalings[case] = case_scaling(found, self._scale)
        return self._scalings[case]


@dataclass(frozen=True)
class Making:
    """How the values of a slice become an item of a dataset; see `SliceDataset`."""

    labels: dict[str, int]
    transform: Transform | None
    augment: AugmentParams | None
    seen: Seen = PLAIN

    def check(self, cases: Sequence[Case]) -> None:
        """Refuse an augmentation that would mirror one of a pair.

        Raises:
            UsageError: `label-mirror`.
        """
        if self.augment is not None:
            check_mirroring(cases, self.augment)

    def item(
        self, row: Slice, channels: Sequence[Channel], mask: NDArray[Any] | None, epoch: int
    ) -> dict[str, Any]:
        """The item of a slice, of its channels and its mask as stored."""
        planes, mask = self._augmented(row, channels, mask, epoch)
        pairs = zip(channels, planes, strict=True)
        scaled = [channel.scaling.scaled(plane) for channel, plane in pairs]
        image = scaled[0] if self.seen.is_plain else np.stack(scaled)
        plane = None if mask is None else label_plane(row, mask, self.labels)
        if self.transform is not None:
            image, plane = _transformed(self.transform, image, plane)
        item = {"image": with_channel(image).float(), "id": row.id, "patient": row.patient}
        item["spacing"] = spacing_tensor(row.spacing)
        if plane is not None:
            item["mask"] = mask_tensor(plane, self.labels)
        return item

    def _augmented(
        self, row: Slice, channels: Sequence[Channel], mask: NDArray[Any] | None, epoch: int
    ) -> tuple[list[NDArray[Any]], NDArray[Any] | None]:
        planes = [channel.image for channel in channels]
        if self.augment is None:
            return planes, mask
        if self.seen.is_plain:
            image, mask = augmented(self.augment, row, (planes[0], mask), epoch)
            return [image], mask
        each = len(self.seen.steps)
        middles = [channel.row for channel in channels[each // 2 :: each]]
        return augmented_alike(self.augment, middles, planes, mask, epoch)


def with_channel(array: Any) -> torch.Tensor:  # noqa: ANN401 - an array or a tensor
    """A tensor (1, ...) of an array (rows, cols) or (1, rows, cols)."""
    tensor = torch.as_tensor(array)
    return tensor[None] if tensor.ndim == 2 else tensor


def mask_tensor(plane: Any, labels: Mapping[str, int]) -> torch.Tensor:  # noqa: ANN401
    """Labels (rows, cols) as the losses take them: 0 and 1 as float32, several as int64."""
    kind = torch.float32 if len(labels) == 1 else torch.int64
    if isinstance(plane, np.ndarray):  # numpy casts bytes several times as fast
        return with_channel(plane.astype(np.float32 if kind is torch.float32 else np.int64))
    return with_channel(plane).to(kind)


def spacing_tensor(spacing: Spacing | None) -> torch.Tensor:
    """Mm between slices, rows, cols, float32 (3,); 0 where unknown."""
    return torch.tensor([one or 0.0 for one in spacing or (0.0, 0.0, 0.0)], dtype=torch.float32)


def _transformed(
    transform: Transform, image: NDArray[Any], mask: NDArray[Any] | None
) -> tuple[Any, Any]:
    """What a transform makes of an image, (rows, cols) or (channels, rows, cols), and its mask."""
    given = {"image": image if image.ndim == 2 else np.ascontiguousarray(np.moveaxis(image, 0, -1))}
    made = transform(**given) if mask is None else transform(**given, mask=mask)
    new = made["image"]
    if image.ndim == 3 and isinstance(new, np.ndarray):
        new = np.ascontiguousarray(np.moveaxis(new, -1, 0))
    return new, None if mask is None else made["mask"]
