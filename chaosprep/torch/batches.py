"""Batches for training: random cut-outs, slices of different sizes, an order for each epoch."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.functional import pad
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from chaosprep.augmentation.draw import generator
from chaosprep.errors import ChaosprepError, FileError, Problem
from chaosprep.torch.networks import HALVINGS, padded_side
from chaosprep.torch.slices import SliceDataset

Item = dict[str, Any]


class Asked(NamedTuple):
    """The place of a slice that is asked for, and whether its cut-out is to show an organ."""

    place: int
    foreground: bool = False


class CutOuts(TorchDataset):
    """The items of a `SliceDataset`, cut to `patch` at a place of epoch and slice id alone.

    One that is `Asked` for with its foreground is cut so that a pixel of one of its organs is as
    near to the middle as can be, of any organ as likely as of another: as nnU-Net does.

    A slice that cannot be read is an item too, a `Problem`: an exception would come back from a
    worker as a traceback.
    """

    def __init__(self, slices: SliceDataset, patch: tuple[int, int] | None, seed: int) -> None:
        self.slices = slices
        self._patch = patch
        self._seed = seed

    def __len__(self) -> int:
        return len(self.slices)

    def __getitem__(self, asked: Asked | int) -> Item | Problem:
        index, foreground = asked if isinstance(asked, Asked) else Asked(asked)
        try:
            item = self.slices[index]
        except ChaosprepError as error:
            return Problem.of(error, self.slices.rows[index].id)
        return item if self._patch is None else self._cut(item, self._patch, foreground)

    def _cut(self, item: Item, patch: tuple[int, int], foreground: bool) -> Item:
        room = [
            max(0, side - cut) for side, cut in zip(item["image"].shape[1:], patch, strict=True)
        ]
        start = self._shown(item, patch, room) if foreground else None
        if start is None:
            rng = generator(self._seed, item["id"], self.slices.epoch, "patch")
            start = [int(rng.integers(one + 1)) for one in room]
        places = zip(start, patch, strict=True)
        window = (slice(None), *(slice(one, one + side) for one, side in places))
        return {**item, "image": item["image"][window], "mask": item["mask"][window]}

    def _shown(self, item: Item, patch: tuple[int, int], room: list[int]) -> list[int] | None:
        """Where a cut-out begins that shows an organ; None where augmentation left none."""
        mask = item["mask"][0].numpy()
        labels = [label for label in np.unique(mask).tolist() if label]
        if not labels:
            return None
        rng = generator(self._seed, item["id"], self.slices.epoch, "foreground")
        places = np.argwhere(mask == labels[int(rng.integers(len(labels)))])
        pixel = places[int(rng.integers(len(places)))].tolist()
        middles = zip(pixel, patch, room, strict=True)
        return [min(max(at - side // 2, 0), most) for at, side, most in middles]


class Order:
    """The order of the slices in an epoch: shuffled by seed and epoch alone."""

    def __init__(self, count: int, seed: int) -> None:
        self.epoch = 0
        self._count = count
        self._seed = seed

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Asked]:
        yield from map(Asked, self._shuffled(self._count, "order"))

    def _shuffled(self, count: int, what: str) -> list[int]:
        rng = generator(self._seed, "", self.epoch, what)
        found: list[int] = rng.permutation(count).tolist()
        return found


class Oversampled(Order):
    """An order in which the last `part` of each batch are slices that show an organ.

    They are drawn anew in each epoch from `shown`, each as often as the others; as many of the
    slices whose turn it was are left out. nnU-Net takes a third (Isensee et al. 2021).
    """

    def __init__(
        self, count: int, seed: int, shown: Sequence[int], part: float, batch: int
    ) -> None:
        super().__init__(count, seed)
        self._shown = shown
        self._since = batch - round(batch * part)
        self._batch = batch

    def __iter__(self) -> Iterator[Asked]:
        some = self._shuffled(len(self._shown), "foreground")
        taken = cycle(self._shown[at] for at in some)
        for place, asked in enumerate(super().__iter__()):
            is_shown = place % self._batch >= self._since
            yield Asked(next(taken), True) if is_shown else asked


class Batches:
    """The batches of a dataset, epoch by epoch; in the table's order where not `shuffled`.

    `pinned` is for a GPU alone: it asks the driver for the memory. `halvings` are those of the
    network, `foreground` the part of a batch that shows an organ.
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
        halvings: int = HALVINGS,
        foreground: float = 0.0,
    ) -> None:
        self._slices = items.slices
        self._order = Order(len(items), seed)
        if foreground and (shown := with_organs(items.slices)):
            self._order = Oversampled(len(items), seed, shown, foreground, batch)
        self._loader = DataLoader(
            items,
            batch_size=batch,
            sampler=self._order if shuffled else range(len(items)),
            collate_fn=partial(padded, halvings=halvings),
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


def with_organs(slices: SliceDataset) -> list[int]:
    """The places of the slices whose masks show an organ."""
    return [at for at in range(len(slices)) if any(slices.rows[at].pixels.values())]


def padded(items: Sequence[Item | Problem], halvings: int = HALVINGS) -> Item | Problem:
    """One batch of slices of different sizes, or the first problem among them.

    Zeros are added below and to the right, up to what a network that halves so often can take
    (`padded_side`); `size` keeps the rows and cols of each.
    """
    whole: list[Item] = []
    for item in items:
        if isinstance(item, Problem):
            return item
        whole.append(item)
    sizes = [tuple(item["image"].shape[1:]) for item in whole]
    rows, cols = (padded_side(int(side), halvings) for side in np.max(sizes, 0))
    batch: Item = {name: [item[name] for item in whole] for name in ("id", "patient")}
    batch["size"] = sizes
    for name in ("image", "mask"):
        planes = [item[name] for item in whole if name in item]
        if len(planes) == len(whole):
            missing = [(0, cols - one.shape[2], 0, rows - one.shape[1]) for one in planes]
            batch[name] = torch.stack([pad(*both) for both in zip(planes, missing, strict=True)])
    return batch
