"""Checkpoints: weights with a card that says what they are for. Nothing in them is executed."""

import logging
import pickle
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import msgspec
import torch
from torch import nn

from chaosprep.dataset.descriptor import MANIFEST_MINOR
from chaosprep.dataset.migrations import (
    migrated,
    newer,
    strange_field,
    unknown_in,
    unknown_parameters,
)
from chaosprep.dataset.records import Sha256
from chaosprep.errors import BROKEN, ChaosprepError
from chaosprep.facts import Code, Name
from chaosprep.imaging.labels import MAX_LABELS
from chaosprep.torch.content import check_tensors, check_unpacked, content_hash
from chaosprep.torch.networks import FITTED, HALVINGS, Halvings, build
from chaosprep.torch.parameters import Network, TrainParams, read_checkpoint
from chaosprep.torch.seen import Seen

_HASH = "content_sha256"
_log = logging.getLogger(__name__)


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a checkpoint is for.

    `labels` and `values` are organ -> label and mask value, `codes` organ -> its code in a
    terminology, where the dataset has one.

    `sequences` are those of the slices it was trained on, and `spacing` the median of their sizes
    in mm, of slices, rows and cols; earlier releases wrote neither.

    `plans_before` are the numbers of epochs that were planned at first, each behind the number
    that was done when another was asked for: the learning rate fell towards them until then.

    `halvings` is how often the network halves its image, where that is fitted to the slices.

    `content_sha256` is `content_hash` of all that the checkpoint holds, this field left out;
    earlier releases wrote none.
    """

    format: Literal[1] = 1
    manifest_minor: int = 0
    chaosprep: str
    network: Network
    labels: dict[Name, int]
    values: dict[Name, int]
    codes: dict[str, Code] = {}
    prepared: dict[str, dict[str, Any]]
    manifest_sha256: Sha256
    parameters: dict[str, Any]
    sequences: tuple[str, ...] = ()
    spacing: tuple[float, float, float] | None = None
    plans_before: tuple[tuple[int, int], ...] = ()
    halvings: Halvings | msgspec.UnsetType = msgspec.UNSET
    content_sha256: Sha256 | msgspec.UnsetType = msgspec.UNSET

    @property
    def seen(self) -> Seen:
        """What the network sees of a slice: earlier releases showed it alone."""
        asked = {name: self.parameters.get(name) for name in Seen.__struct_fields__}
        return msgspec.convert({name: one for name, one in asked.items() if one}, Seen)

    @property
    def halved(self) -> int:
        """How often the network halves its image."""
        return HALVINGS if self.halvings is msgspec.UNSET else self.halvings


class EpochScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of an epoch, from 1: mean losses, and Dice of each validation patient."""

    epoch: int
    train_loss: float
    val_loss: float
    dice: dict[str, float]

    @property
    def mean(self) -> float:
        """The mean Dice of the patients."""
        return sum(self.dice.values()) / len(self.dice)

    def told(self, is_best: bool, epochs: int) -> str:
        """What came of it in a line, of so many epochs."""
        return (
            f"train: epoch {self.epoch} of {epochs}, loss {self.train_loss:.4f}, "
            f"val {self.val_loss:.4f}, Dice {self.mean:.4f}{' (best)' if is_best else ''}"
        )


def best_of(scores: Sequence[EpochScore]) -> EpochScore:
    """The epoch with the greatest mean Dice, the first of several."""
    return max(scores, key=lambda score: score.mean)


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A card, the weights, the epochs so far, and what an optimizer needs to go on."""

    card: Card
    weights: dict[str, Any]
    scores: tuple[EpochScore, ...]
    optimizer: dict[str, Any] | None = None
    scaler: dict[str, Any] | None = None

    def network(self) -> nn.Module:
        """The network with these weights.

        Raises:
            ChaosprepError: `checkpoint`, they are of another network.
        """
        with torch.random.fork_rng(devices=[]):
            card = self.card
            made = build(card.network, len(card.labels), card.seen.count, card.halved)
        try:
            made.load_state_dict(self.weights)
        except (RuntimeError, TypeError, AttributeError) as error:
            raise _refuse("its weights do not fit its network") from error
        return made


def encode(checkpoint: Checkpoint) -> bytes:
    """The checkpoint as a file."""
    card = msgspec.to_builtins(checkpoint.card)
    card.pop(_HASH, None)
    content = {
        "card": card,
        "scores": msgspec.json.encode(checkpoint.scores).decode(),
        "weights": checkpoint.weights,
        "optimizer": checkpoint.optimizer,
        "scaler": checkpoint.scaler,
    }
    card = {**card, _HASH: content_hash(content)}
    content["card"] = msgspec.json.encode(card).decode()
    stream = BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def note_unhashed(checkpoint: Checkpoint) -> None:
    """Log that a checkpoint of an earlier release has no hash to tell damage by."""
    if checkpoint.card.content_sha256 is msgspec.UNSET:
        _log.warning("The checkpoint has no hash of its content: an earlier release wrote it.")


def load(path: Path) -> Checkpoint:
    """Read a checkpoint, or the best one of a run: tensors and numbers, nothing executed.

    Its content is compared with the hash in its card; its weights are finite.

    Raises:
        ChaosprepError: `checkpoint`, it is none of ours, or damaged.
    """
    data = read_checkpoint(path)
    try:
        return _decode(data)
    except ChaosprepError as error:
        raise ChaosprepError(f"{path}: {error.reason}", error.remedy, error.code) from error


def _decode(data: bytes) -> Checkpoint:
    if not data.startswith(b"PK"):  # torch's older formats are plain pickles
        raise _refuse("not a checkpoint")
    try:
        check_unpacked(data)
        content = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
        card = _read_card(content["card"])
        _check_labels(card)
        _check_seen(card)
        check_tensors(content, len(data))
        _check_hash(content)
        return Checkpoint(
            card=card,
            scores=msgspec.json.decode(content["scores"], type=tuple[EpochScore, ...]),
            weights=content["weights"],
            optimizer=content["optimizer"],
            scaler=content["scaler"],
        )
    except (*BROKEN, pickle.UnpicklingError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        raise _refuse("not a checkpoint of chaosprep train, or damaged") from error


def _read_card(text: str) -> Card:
    """The card, with the parameters of an earlier release as today's."""
    raw = msgspec.json.decode(text)
    minor = raw.get("manifest_minor", 0)
    try:
        card = msgspec.convert(raw, Card)
    except msgspec.ValidationError as error:
        if not isinstance(minor, int) or minor <= MANIFEST_MINOR:
            raise
        raise _newer(raw, [strange_field("field", str(error))]) from error
    made = {"train": card.parameters} | card.prepared
    today = [migrated({"stage": one, "parameters": made[one]}, minor) for one in made]
    found = {record["stage"]: record["parameters"] for record in today}
    parameters = found.pop("train")
    unknown = unknown_parameters(TrainParams, "train", parameters)
    if unknown := [*unknown, *(one for stage in found for one in unknown_in(stage, found[stage]))]:
        raise _newer(raw, unknown)
    return msgspec.structs.replace(card, parameters=parameters, prepared=found)


def _newer(raw: dict[str, Any], unknown: list[str]) -> ChaosprepError:
    error = newer("its card", raw.get("chaosprep"), unknown)
    return ChaosprepError(error.reason, error.remedy, "checkpoint")


def _check_labels(card: Card) -> None:
    """Labels are 1, 2, ... to 255, and each organ has a mask value of its own, or `ValueError`."""
    labels, values = card.labels, card.values
    if not 0 < len(labels) < MAX_LABELS:
        raise ValueError("labels")
    if sorted(labels.values()) != list(range(1, len(labels) + 1)):
        raise ValueError("labels")
    if labels.keys() != values.keys() or not all(0 < one < 2**16 for one in values.values()):
        raise ValueError("values")
    if not labels.keys() >= card.codes.keys():
        raise ValueError("codes")
    if len(set(values.values())) < len(values):
        raise ValueError("values")


def _check_seen(card: Card) -> None:
    """The channels are such that `train` takes, or `ValueError`."""
    seen = card.seen
    if len({*seen.channels}) < len(seen.channels):
        raise ValueError("channels")
    if (card.network in FITTED) is (card.halvings is msgspec.UNSET):
        raise ValueError("halvings")


def _check_hash(content: dict[str, Any]) -> None:
    """Compare what a checkpoint holds with the hash in its card, or `ValueError`."""
    card = msgspec.json.decode(content["card"])
    wanted = card.pop(_HASH, None)
    if wanted is not None and wanted != content_hash({**content, "card": card}):
        raise ValueError("hash")


def _refuse(reason: str) -> ChaosprepError:
    return ChaosprepError(reason, "Use one that chaosprep train made.", code="checkpoint")
