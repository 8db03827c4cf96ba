"""predict: the masks that a trained network sees, as a stage directory of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from chaosprep.dataset.case import Case
from chaosprep.dataset.codes import codes
from chaosprep.dataset.descriptor import LabelMap
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.naming import file_path
from chaosprep.dataset.opening import open_dataset
from chaosprep.dataset.organ_order import organ_values
from chaosprep.dataset.organs import unnamed
from chaosprep.dataset.records import Slice
from chaosprep.dataset.stacking import originals
from chaosprep.errors import NothingFoundError
from chaosprep.facts import Label
from chaosprep.imaging.levels import label_areas
from chaosprep.params import make_params
from chaosprep.running.fitting import Expected, carried
from chaosprep.running.stage import CaseResult, Planned, Source, each_slice
from chaosprep.running.writer import Writer
from chaosprep.torch.batches import padded
from chaosprep.torch.checkpoint import Card, load, note_unhashed
from chaosprep.torch.faults import named_faults
from chaosprep.torch.mirroring import Axes, Mirrored, mirrors_of
from chaosprep.torch.networks import choose_device, mixed_precision, predicted
from chaosprep.torch.parameters import PredictParams, TrainParams
from chaosprep.torch.preparation import check_alike, strangeness
from chaosprep.torch.showing import beside, is_shown, other_sequences, shown_images

BATCH = 8
"""Slices at once; another number could round other last digits."""

_DRAWN = {"augment": "none", "flips": "none"}
"""The parameters of train that say what was drawn, with what they were before there were such."""


def open_alike(directory: Path, params: PredictParams, bench: object = None) -> Dataset:
    """Open what is to be predicted on, prepared as the training data were.

    Raises:
        ManifestError: it is unfinished or damaged.
        ChaosprepError: `checkpoint`, it cannot be read; `prepared-differently`.
        UsageError: `mirror`, the network was not trained on mirror images.
    """
    dataset = open_dataset(directory)
    checkpoint = load(Path(params.checkpoint))
    note_unhashed(checkpoint)
    card = checkpoint.card
    check_alike(dataset, card.prepared, card.values)
    if params.mirror:
        learned_mirrors(card)
    return dataset


def chosen(source: Dataset, params: PredictParams) -> Dataset:
    """The cases of the side that is asked for, so that no other is counted.

    Of a network with several channels, those of the first sequence: the others are seen beside it.

    Raises:
        NothingFoundError: there is none of the first of several channels.
    """
    seen = load(Path(params.checkpoint)).card.seen
    if params.split is None and not seen.channels:
        return source
    if seen.channels[1:] and not any(is_shown(case, seen) for case in source.cases):
        raise NothingFoundError(
            f"{source.directory}: it has no {seen.channels[0]}, which the network predicts masks "
            f"of, with {', '.join(seen.channels[1:])} as further channels",
            "Prepare these sequences together.",
            code="channel-missing",
        )
    wanted = {
        case.id
        for case in source.cases
        if params.split in (None, case.split) and is_shown(case, seen)
    }
    return source.only(wanted, _all_of_it, source.left_out, source.told) if wanted else source


def _all_of_it(rows: tuple[Slice, ...]) -> tuple[Slice, ...]:
    return rows


def plan(source: Dataset, cases: Sequence[Case], params: PredictParams) -> Planned[Case]:
    """Leave out augmented copies; every mask gets the values that the dataset's masks have."""
    card = load(Path(params.checkpoint)).card
    dataset = open_dataset(cases[0].directory)
    names = {value: organ for organ, value in _values(dataset, card).items()}
    others = other_sequences(dataset, card.seen)

    def complete(case: Case) -> Case:
        rows = (msgspec.structs.replace(row, labels=names) for row in originals(case))
        planned = beside(case, others, card.seen)
        return replace(case, slices=tuple(rows), planned=case.planned | planned)

    rows = [row for case in cases for row in originals(case)]
    return Planned(complete, strangeness(rows, card.sequences, card.spacing))


def labels(source: Source[Case], params: PredictParams) -> LabelMap:
    """What the predicted values stand for: as in the dataset, else as in the training data."""
    card = load(Path(params.checkpoint)).card
    known = card.codes | codes(source.label_map)
    return {
        value: Label(organ, known.get(organ))
        for organ, value in _values(open_dataset(source.directory), card).items()
        if organ != unnamed(value)
    }


def _values(source: Source[Case], card: Card) -> dict[str, int]:
    """Organ -> mask value: the dataset's own, or those of training where they are no others."""
    rows = (row.labels for case in source.cases for row in case.slices)
    own = organ_values(source.label_map, rows)
    return card.values if own.items() <= card.values.items() else own


def rows(case: Case, params: PredictParams) -> Iterator[Expected]:
    """One for each slice with the parent's image, and a mask for all of them."""
    for row in case.slices if params.split in (None, case.split) else ():
        mask = file_path(row.split, "masks", row.id, ".png")
        yield carried(row, image=row.image, image_sha256=row.image_sha256, mask=mask)


def run_case(case: Case, params: PredictParams, writer: Writer) -> CaseResult:
    """Predict one case's masks; the images are carried over."""
    if params.split not in (None, case.split):
        return CaseResult(())
    device = choose_device(params.device)
    with named_faults("Make room in it, or use --device cpu."):
        known = params.recorded().checkpoint, params.checkpoint, device, params.mirror
        network, card = _loaded(*known)
        masks = dict(_masks(case, network, card, device))

    def work(row: Slice) -> Slice:
        writer.carry(case, row.image_file)
        mask = mask_values(masks[row.id], row.labels, card.labels)
        file = writer.mask(row.split, row.id, mask)
        row = row.with_mask(file, pixels=label_areas(mask, row.labels))
        return msgspec.structs.replace(row, parent=row.id)

    return each_slice(case.slices, work)


def _masks(
    case: Case, network: nn.Module, card: Card, device: torch.device
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Each slice's id and its labels (rows, cols)."""
    images = shown_images(case, card.seen)
    for start in range(0, len(case.slices), BATCH):
        rows = case.slices[start : start + BATCH]
        items = [{"image": images(row), "id": row.id, "patient": row.patient} for row in rows]
        batch = padded(items, card.halved)
        assert isinstance(batch, dict)
        with torch.no_grad(), mixed_precision(device):
            found = predicted(network(batch["image"].to(device))).cpu().numpy()
        for row, plane, (height, width) in zip(rows, found, batch["size"], strict=True):
            yield row.id, plane[:height, :width]


def mask_values(
    plane: NDArray[np.uint8], values: Mapping[int, str], labels: Mapping[str, int]
) -> NDArray[Any]:
    """Labels (rows, cols) as mask values: `values` is mask value -> organ, `labels` organ -> label.

    uint8, or uint16 where a value is above 255.
    """
    table = np.zeros(256, np.uint8 if max(values) < 256 else np.uint16)
    for value, organ in values.items():
        table[labels[organ]] = value
    return table[plane]


@lru_cache(maxsize=1)
def _loaded(sha256: str, path: str, device: torch.device, mirror: bool) -> tuple[nn.Module, Card]:
    """The network and its card, read once for all cases while the file stays the same."""
    checkpoint = load(Path(path))
    card, network = checkpoint.card, checkpoint.network()
    if mirror:
        network = Mirrored(network, learned_mirrors(card), card.labels)
    return network.to(device).eval(), card


def learned_mirrors(card: Card) -> tuple[Axes, ...]:
    """How pictures may be mirrored for the network of a card; raises as `mirrors_of` does."""
    wanted = {name: card.parameters.get(name, one) for name, one in _DRAWN.items()}
    augmentation = make_params(TrainParams, wanted).recipe()
    return mirrors_of(augmentation, card.labels)
