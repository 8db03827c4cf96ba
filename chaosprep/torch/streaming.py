"""`SliceStream`: slices as they come, from shards or a stage directory, here or behind a URL."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from chaosprep.augmentation.draw import generator
from chaosprep.dataset.case import Case
from chaosprep.dataset.manifest import DESCRIPTOR
from chaosprep.dataset.records import SPLITS, Slice, Split
from chaosprep.dataset.scaling import Scale, Scaling, case_scaling
from chaosprep.dataset.stacking import originals
from chaosprep.errors import FileError, UsageError, plural
from chaosprep.torch.augmenting import augmentation
from chaosprep.torch.checks import Check
from chaosprep.torch.folders import Folder, folder_at
from chaosprep.torch.planes import Recent
from chaosprep.torch.rows import Wanted
from chaosprep.torch.seen import Channels, seen_of
from chaosprep.torch.shard_source import ShardSource
from chaosprep.torch.slices import Channel, Making, Transform
from chaosprep.torch.sources import Source, given
from chaosprep.torch.stage_source import StageSource

T = TypeVar("T")


class _Read(NamedTuple):
    """A slice whose files were read and not yet decoded: a case of it and its neighbours alone."""

    case: Case
    row: Slice
    channels: tuple[Slice, ...]
    scaling: Scaling


class SliceStream(IterableDataset):
    """The slices of one side as a stream, for a `DataLoader`; an item is that of `SliceDataset`.

    Of shards or of the cases of a stage directory, each is read by one worker of one rank, from its
    first byte to its last: every slice comes exactly once in an epoch, over all ranks and workers.
    Every rank must have the same number of workers. Ranks may get different numbers of slices.

    Args:
        where: a folder of `export webdataset`, or a stage directory: a path, or a URL that fsspec
            knows (`chaosprep[remote]`).
        split, transform, scale, augment, seed, copies, fold, labelled: those of `SliceDataset`.
        buffer: how many slices a worker holds, to draw the next from; 0 gives them in their order.
            The order of the parts, and what is drawn, depend on seed and epoch.
        rank: which of the `world` processes that train together this is, from 0; both are those of
            `torch.distributed` by default, where it is set up, else one alone.
        world: how many there are.
        check: compare each shard with its index, and each file with its recorded hash, `once` in
            each process, or `always` when it is read. Files behind a URL are always compared.
        neighbours: as in `SliceDataset`; a stream has no other sequences as channels, which may lie
            in a part that another worker reads.

    Attributes:
        labels: organ -> label, from 1, in the order of mask values.

    Raises:
        FileError: the folder or its index cannot be read; ManifestError: it is damaged.
        UsageError: an argument is none of its choices, there is no such side or fold, or there are
            more ranks than parts to read.
        ChaosprepError: `remote-missing`, what reads such URLs is not installed.
    """

    def __init__(
        self,
        where: str | Path,
        split: Split = "train",
        transform: Transform | None = None,
        *,
        scale: Scale = "case",
        augment: str | Mapping[str, Any] | None = None,
        seed: int = 0,
        copies: bool = True,
        fold: int | None = None,
        labelled: bool = False,
        buffer: int = 1024,
        rank: int | None = None,
        world: int | None = None,
        check: Check = "once",
        neighbours: int = 0,
    ) -> None:
        for name, value, choices in (
            ("split", split, SPLITS),
            ("scale", scale, get_args(Scale)),
            ("check", check, get_args(Check)),
        ):
            if value not in choices:
                reason = f"{name}: must be one of {', '.join(choices)}"
                raise UsageError(reason, "Give one of them.", code=name)
        self._seen = seen_of(neighbours, ())
        self._wanted = Wanted(split, fold, (), (), copies, labelled, self._seen)
        self._source = _source(where, self._wanted, check)
        if not self._source.parts:
            reason = f"{split}: no slice in {folder_at(where).shown} is of this side"
            raise UsageError(reason, "Give a side that has some.", code="split")
        self._rank, self._world = _ranks(rank, world, self._source)
        self.labels = self._source.labels
        self._making = Making(self.labels, transform, augmentation(augment, seed), self._seen)
        self._scale, self._seed, self._buffer = scale, seed, buffer
        self._scalings: dict[str, Scaling] = {}
        # Shared with workers that live on from epoch to epoch.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Order the slices, and draw their augmentation, as in this epoch, from 0."""
        self._epoch.fill_(epoch)

    @property
    def epoch(self) -> int:
        """The epoch whose order and augmentation are drawn."""
        return int(self._epoch.item())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        epoch, worker = self.epoch, get_worker_info()
        number, count = (0, 1) if worker is None else (worker.id, worker.num_workers)
        stream, streams = number * self._world + self._rank, count * self._world
        parts = list(self._source.parts)
        slices = self._slices([parts[at] for at in self._order(epoch)[stream::streams]])
        if self._buffer:
            slices = drawn(slices, self._buffer, self._generator(epoch, f"stream {stream}"))
        try:
            for case, row, beside, scaling in slices:
                channels = [
                    Channel(one, scaling.values(*case.pixels(one)), scaling) for one in beside
                ]
                yield self._making.item(row, channels, case.mask(row), epoch)
        except FileError as error:  # a worker hands on no more than its text
            reason = f"{error.file}: {error.reason}" if error.file else error.reason
            raise FileError(reason, error.remedy, error.code) from error

    def _order(self, epoch: int) -> list[int]:
        """The places of the parts, in the order of an epoch."""
        count = len(self._source.parts)
        shuffled = self._generator(epoch, "order").permutation(count).tolist()
        return shuffled if self._buffer else list(range(count))

    def _generator(self, epoch: int, what: str) -> np.random.Generator:
        return generator(self._seed, "", epoch, what)

    def _slices(self, parts: list[Any]) -> Iterator[_Read]:
        """The wanted slices of some parts, read and not decoded."""
        for case in (case for part in parts for case in self._source.cases(part)):
            rows = [row for row in case.slices if self._wanted.takes(row)]
            if not rows:
                continue
            self._making.check([case])
            if case.id not in self._scalings:  # found once in each worker
                self._scalings[case.id] = case_scaling(case, self._scale)
            yield from self._read(case, rows)

    def _read(self, case: Case, rows: list[Slice]) -> Iterator[_Read]:
        """These slices of a case; a file that several show is read once, in most cases."""
        own = None if self._seen.is_plain else Channels([originals(case)], self._seen)
        recent = Recent[bytes](self._seen.count)
        for row in rows:
            beside = (row,) if own is None else own.of(row)
            files = {
                one.image_file: recent.get(one.id, partial(case.read, one.image_file))
                for one in beside
            }
            if row.mask_file is not None:
                files[row.mask_file] = case.read(row.mask_file)
            store = given(files.__getitem__)  # what `read` has compared
            alone = replace(case, store=store, slices=(row,), check=False)
            yield _Read(alone, row, beside, self._scalings[case.id])


def drawn(items: Iterator[T], size: int, rng: np.random.Generator) -> Iterator[T]:
    """Items in another order: each time one of the next `size` and those left of earlier ones."""
    held: list[T] = []
    for item in items:
        held.append(item)
        if len(held) > size:
            yield _taken(held, rng)
    while held:
        yield _taken(held, rng)


def _taken(held: list[T], rng: np.random.Generator) -> T:
    at = int(rng.integers(len(held)))
    held[at], held[-1] = held[-1], held[at]
    return held.pop()


def _source(where: str | Path, wanted: Wanted, check: Check) -> Source:
    """Shards or a stage directory, whichever is there."""
    folder = folder_at(where)
    try:
        if _is_stage(folder):
            return StageSource(folder, wanted, check)
        return ShardSource(folder, wanted.split, wanted.fold, check)
    except FileError as error:
        if error.file is None:
            raise
        reason = f"{folder.shown}/{error.file}: {error.reason}"
        raise FileError(reason, error.remedy, error.code) from error


def _is_stage(folder: Folder) -> bool:
    try:
        folder.read(DESCRIPTOR)
    except FileError as error:
        if error.code != "file-missing":
            raise
        return False
    return True


def _ranks(rank: int | None, world: int | None, source: Source) -> tuple[int, int]:
    """Which of how many processes this is."""
    distributed = torch.distributed
    if rank is None and world is None:
        if distributed.is_available() and distributed.is_initialized():
            rank, world = distributed.get_rank(), distributed.get_world_size()
        else:
            rank, world = 0, 1
    if rank is None or world is None or not 0 <= rank < world:
        raise UsageError(
            f"rank: {rank} is not one of the ranks of a world of {world}",
            "Give rank and world: 0 to N - 1, and N.",
            code="rank",
        )
    if world > len(source.parts):
        raise UsageError(
            f"world: {plural(world, 'rank')} cannot share {plural(len(source.parts), source.noun)}",
            f"Use fewer ranks{source.more}.",
            code="world",
        )
    return rank, world
