"""Batches for training: random cut-outs, slices of different sizes, an order for each epoch."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.functional import pad
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from chaosprep.augmentation.draw import generator
from chaosprep.errors import ChaosprepError, FileError, Problem
from chaosprep.torch.networks import MULTIPLE, SMALLEST
from chaosprep.torch.slices import SliceDataset

Item = dict[str, Any]


class CutOuts(TorchDataset):
    """The items of a `SliceDataset`, cut to `patch` at a place of epoch and slice id alone.

    A slice that cannot be read is an item too, a `Problem`: an exception would come back from a
    worker as a traceback.
    """

    def __init__(self, slices: SliceDataset, patch: tuple[int, int] | None, seed: int) -> None:
        self.slices = slices
        self._patch = patch
        self._seed = seed

    def __len__(self) -> int:
        return len(self.slices)

    def __getitem__(self, index: int) -> Item | Problem:
        try:
            item = self.slices[index]
        except ChaosprepError as error:
            return Problem.of(error, self.slices.rows[index].id)
        return item if self._patch is None else self._cut(item, self._patch)

    def _cut(self, item: Item, patch: tuple[int, int]) -> Item:
        rng = generator(self._seed, item["id"], self.slices.epoch, "patch")
        shape = item["image"].shape[1:]
        row, col = (int(rng.integers(max(0, shape[i] - patch[i]) + 1)) for i in (0, 1))
        window = (slice(None), slice(row, row + patch[0]), slice(col, col + patch[1]))
        return {**item, "image": item["image"][window], "mask": item["mask"][window]}


class Order:
    """The order of the slices in an epoch: shuffled by seed and epoch alone."""

    def __init__(self, count: int, seed: int) -> None:
        self.epoch = 0
        self._count = count
        self._seed = seed

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        rng = generator(self._seed, "", self.epoch, "order")
        yield from rng.permutation(self._count).tolist()


class Batches:
    """The batches of a dataset, epoch by epoch; in the table's order where not `shuffled`.

    `pinned` is for a GPU alone: it asks the driver for the memory.
    """

    def __init__(
        self,
        items: CutOuts,
        *,
        batch: int,
        seed: int,
        shuffled: bool,
        workers: int = 0,
        pinned: bool = False,
    ) -> None:
        self._slices = items.slices
        self._order = Order(len(items), seed)
        self._loader = DataLoader(
            items,
            batch_size=batch,
            sampler=self._order if shuffled else range(len(items)),
            collate_fn=padded,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=pinned,
        )

    def epoch(self, number: int) -> Iterator[Item]:
        """The batches of an epoch, as `padded` makes them.

        Raises:
            FileError: a slice cannot be read.
        """
        self._slices.set_epoch(number)
        self._order.epoch = number
        for batch in self._loader:
            if isinstance(batch, Problem):
                reason = f"{batch.id}: {batch.file + ': ' if batch.file else ''}{batch.reason}"
                raise FileError(reason, batch.remedy, batch.code)
            yield batch


def padded(items: Sequence[Item | Problem]) -> Item | Problem:
    """One batch of slices of different sizes, or the first problem among them.

    Zeros are added below and to the right, up to a multiple of `MULTIPLE`; `size` keeps the rows
    and cols of each.
    """
    whole: list[Item] = []
    for item in items:
        if isinstance(item, Problem):
            return item
        whole.append(item)
    sizes = [tuple(item["image"].shape[1:]) for item in whole]
    rows, cols = (max(SMALLEST, -(-int(side) // MULTIPLE) * MULTIPLE) for side in np.max(sizes, 0))
    batch: Item = {name: [item[name] for item in whole] for name in ("id", "patient")}
    batch["size"] = sizes
    for name in ("image", "mask"):
        planes = [item[name] for item in whole if name in item]
        if len(planes) == len(whole):
            missing = [(0, cols - one.shape[2], 0, rows - one.shape[1]) for one in planes]
            batch[name] = torch.stack([pad(*both) for both in zip(planes, missing, strict=True)])
    return batch
