"""train: a baseline on a stage directory, with the best weights by Dice of unseen patients."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from chaosprep.dataset.codes import codes
from chaosprep.dataset.descriptor import MANIFEST_MINOR
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.errors import ChaosprepError, NothingFoundError, UsageError, plural
from chaosprep.files import check_apart
from chaosprep.params import make_params, plain
from chaosprep.torch.batches import Batches, CutOuts
from chaosprep.torch.checkpoint import (
    Card,
    Checkpoint,
    EpochScore,
    best_of,
    note_unhashed,
)
from chaosprep.torch.epochs import Learner
from chaosprep.torch.faults import named_faults
from chaosprep.torch.networks import FITTED, build, choose_device, halvings_for
from chaosprep.torch.parameters import TrainParams
from chaosprep.torch.preparation import median_spacing, preparation
from chaosprep.torch.run_folder import RunFolder, Trained
from chaosprep.torch.slices import SliceDataset
from chaosprep.version import __version__

_log = logging.getLogger(__name__)

OnEpoch = Callable[[EpochScore, bool, int], None]
"""Called with an epoch's scores, whether it is the best so far, and how many there may be."""


def ignore(score: EpochScore, is_best: bool, epochs: int) -> None:
    """An `on_epoch` that does nothing."""


def train(
    source: str | Path | Dataset,
    output: str | Path,
    *,
    overwrite: bool = False,
    on_epoch: OnEpoch = ignore,
    **params: Any,
) -> Trained:
    """Train a network on the side train, and keep the weights with the best Dice on val.

    The same call goes on where an interrupted one stopped, and comes to the same bytes on a
    processor (with the same number of threads); what is done is only read. With more `epochs` a
    run goes on too; as the learning rate falls towards their number, this is not what that many at
    once come to, and the card says it (`plans_before`).

    Args:
        source: what `convert` or `augment` made, with masks on both sides.
        output: the directory to make: best.pt, last.pt, curves.csv, curves.png, run.json.
        overwrite: begin anew, whatever run stands in the output.
        on_epoch: called after every epoch.
        params: the fields of `TrainParams`.

    Raises:
        UsageError: the parameters cannot be met, or the source was not converted.
        NothingFoundError: a side has no slice with a mask.
        ChaosprepError: a patient is on both sides, a slice cannot be read, the output holds
            something else, the loss is no longer a number, the memory is too small, the GPU failed,
            a worker died.
    """
    made = make_params(TrainParams, params)
    dataset = source if isinstance(source, Dataset) else open_dataset(source)
    device = choose_device(made.device)
    check_apart(dataset.directory, Path(output))
    sides = _sides(dataset, made)
    card = _card(dataset, sides[0], made)
    for note in (*sides[0].rows.notes, *_beside(sides[0])):
        _log.warning("On the side train %s.", note)
    with RunFolder(Path(output)).opened(overwrite) as run:
        last = run.last(card)
        if last is not None:
            note_unhashed(last)
            if run.is_finished() and _is_over(last.scores, made):  # by --patience too
                return run.trained(last.scores, already_done=True)
            card = _going_on(run, card, last)
        devices = [device] if device.type == "cuda" else []
        smaller = "Give a smaller --batch or --patch."
        with named_faults(smaller), torch.random.fork_rng(devices=devices):
            scores = _epochs(run, card, last, sides, made, device, on_epoch)
        run.finish(card, scores, {"train": sides[0], "val": sides[1]}, device)
        return run.trained(scores)


def _sides(dataset: Dataset, params: TrainParams) -> tuple[SliceDataset, SliceDataset]:
    """The slices to train on, augmented, and those to validate on, as they are."""
    if "convert" not in [past.stage for past in dataset.history]:
        raise UsageError(
            f"{dataset.directory}: train works on the output of convert or augment",
            "Run chaosprep convert first.",
            code="order",
        )
    shared: dict[str, Any] = {"fold": params.fold, "patients": params.patient, "labelled": True}
    shared |= {"neighbours": params.neighbours, "channels": params.channels}
    augment: str | dict[str, Any] | None = None if params.augment == "none" else params.augment
    if params.flips != "none":
        augment = msgspec.to_builtins(params.recipe())
    train = SliceDataset(dataset, "train", augment=augment, seed=params.seed, **shared)
    val = SliceDataset(dataset, "val", copies=False, **shared)
    for side, slices in (("train", train), ("val", val)):
        if not len(slices):
            raise NothingFoundError(
                f"{dataset.directory}: the side {side} has no slice with a mask",
                "Split with --val, --val-patient or --folds, and give masks.",
                code="nothing",
            )
        if not any(slices.rows.shown.values()):
            raise NothingFoundError(
                f"{dataset.directory}: the masks of the side {side} name none of the organs",
                "Split so that it has patients whose masks do, or take other organs.",
                code="nothing",
            )
    both = sorted(set(train.patients) & set(val.patients))
    if both:
        raise ChaosprepError(
            f"{both[0]}: this patient is on both sides: the Dice would be too good",
            "Split by patient again; chaosprep verify shows more.",
            code="leakage",
        )
    return train, val


def _beside(train: SliceDataset) -> Iterator[str]:
    """What is to be said of the channels of the slices."""
    if train.planes is None:
        return
    if train.planes.gaps:
        missing = plural(train.planes.gaps, "slice")
        yield f"{missing} between others cannot be neighbours, because they are missing"
    if train.rows.dataset.made.stage == "augment":
        yield "augmented copies are left out, because they have no neighbours or other sequences"


def _card(dataset: Dataset, train: SliceDataset, params: TrainParams) -> Card:
    channels = params.seen().channels
    learned = [
        row
        for row in dataset.slices
        if row.patient in train.patients and (not channels or row.sequence in channels)
    ]
    return Card(
        manifest_minor=MANIFEST_MINOR,
        chaosprep=__version__,
        network=params.network,
        labels=train.labels,
        values=train.rows.values,
        codes=codes(dataset.label_map),
        prepared=preparation(dataset),
        manifest_sha256=dataset.descriptor_sha256,
        parameters=plain(params),
        sequences=tuple(sorted({row.sequence for row in learned})),
        spacing=median_spacing(learned),
        halvings=_halvings(train, params) if params.network in FITTED else msgspec.UNSET,
    )


def _halvings(train: SliceDataset, params: TrainParams) -> int:
    """How often the network halves: by the median size of the slices, or of what is cut of them."""
    sizes = np.array(
        [(row.rows, row.cols) for row in map(train.rows.__getitem__, range(len(train)))]
    )
    rows, cols = np.median(sizes, axis=0).tolist()
    most_rows, most_cols = params.rows_cols() or (rows, cols)
    return halvings_for(params.network, (int(min(rows, most_rows)), int(min(cols, most_cols))))


def _going_on(run: RunFolder, card: Card, last: Checkpoint) -> Card:
    """The card of a run that goes on, with the numbers of epochs that were planned before."""
    before, planned = last.card.plans_before, last.card.parameters["epochs"]
    if planned != card.parameters["epochs"]:
        run.reopen()
        before = (*before, (len(last.scores), planned))
        _log.warning(
            "Note: %d epochs were planned before: the learning rate of those done fell towards "
            "that number, and that of the next falls towards %d.",
            planned,
            card.parameters["epochs"],
        )
    return msgspec.structs.replace(card, plans_before=before)


def _epochs(
    run: RunFolder,
    card: Card,
    last: Checkpoint | None,
    sides: tuple[SliceDataset, SliceDataset],
    params: TrainParams,
    device: torch.device,
    on_epoch: OnEpoch,
) -> tuple[EpochScore, ...]:
    """Train from the last epoch that there is; each is written before the next begins."""
    learner = _learner(card, last, params, device)
    train, val = _batches(sides, params, device, card.halved)
    scores = last.scores if last else ()
    while not _is_over(scores, params):
        number = len(scores)
        loss = learner.train(train.epoch(number), number)
        val_loss, dice = learner.validate(val.epoch(0), sides[1].rows.shown)
        if not (abs(loss) < float("inf") and abs(val_loss) < float("inf")):
            raise ChaosprepError(
                f"epoch {number + 1}: the loss is no longer a number",
                "Use a smaller --lr, with --overwrite.",
                code="diverged",
            )
        score = EpochScore(number + 1, loss, val_loss, dice)
        scores = (*scores, score)
        is_best = best_of(scores) is score
        made = Checkpoint(
            card=card,
            scores=scores,
            weights=learner.weights(),
            optimizer=learner.optimizer.state_dict(),
            scaler=learner.scaler.state_dict(),
        )
        run.write(made, is_best=is_best)
        on_epoch(score, is_best, params.epochs)
    return scores


def _is_over(scores: tuple[EpochScore, ...], params: TrainParams) -> bool:
    if not scores or not params.patience:
        return len(scores) >= params.epochs
    return len(scores) >= min(params.epochs, best_of(scores).epoch + params.patience)


def _learner(
    card: Card, last: Checkpoint | None, params: TrainParams, device: torch.device
) -> Learner:
    organs = len(card.labels)
    if last is None:
        torch.manual_seed(params.seed)
        network = build(params.network, organs, card.seen.count, card.halved)
        return Learner(network, organs, params, device)
    learner = Learner(last.network(), organs, params, device)
    learner.go_on(last.optimizer or {}, last.scaler or {})
    return learner


def _batches(
    sides: tuple[SliceDataset, SliceDataset],
    params: TrainParams,
    device: torch.device,
    halvings: int,
) -> tuple[Batches, Batches]:
    train = CutOuts(sides[0], params.rows_cols(), params.seed)
    val = CutOuts(sides[1], None, params.seed)
    shared: dict[str, Any] = {"batch": params.batch, "seed": params.seed, "workers": params.workers}
    shared |= {"pinned": device.type == "cuda", "halvings": halvings}
    shuffled = Batches(train, shuffled=True, foreground=params.foreground, **shared)
    return shuffled, Batches(val, shuffled=False, **shared)
