"""The directory of a run: its checkpoints, its curves, and the record that says it is finished."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec
import torch

from chaosprep import html
from chaosprep.dataset.manifest import DESCRIPTOR, JOURNAL, WORKSPACE
from chaosprep.dataset.records import Sha256
from chaosprep.errors import ChaosprepError, FileError, plural
from chaosprep.files import GOES_ON, read_regular, write_durably, writing
from chaosprep.running.place import check_replaceable, names_in
from chaosprep.running.workspace import LOCK, Workspace
from chaosprep.systems.replacing import unlink
from chaosprep.torch import curves
from chaosprep.torch.checkpoint import Card, Checkpoint, EpochScore, best_of, encode, load
from chaosprep.torch.parameters import BEST, TrainParams
from chaosprep.torch.slices import SliceDataset

LAST, CSV, PNG = "last.pt", "curves.csv", "curves.png"
_WIDE = 600  # pixels of the curves in a notebook
RECORD = "run.json"
"""Written last: with it, a run is finished."""
_FILES = (RECORD, PNG, CSV, LAST, BEST)  # the best goes last: by it a run is known
_PARTS = tuple(f"{name}.part" for name in _FILES)  # what 0.1.0 called them before they were whole


class _Record(msgspec.Struct):
    """What a record is known by."""

    chaosprep: str
    manifest_sha256: Sha256
    best_epoch: int


@dataclass(frozen=True)
class Trained:
    """What a run came to: its best epoch, and Dice of each validation patient there."""

    path: Path
    checkpoint: Path
    epochs: int
    best_epoch: int
    dice: dict[str, float]
    mean_dice: float
    already_done: bool = False

    @property
    def told(self) -> str:
        """What it came to, in a line."""
        dice = ", ".join(f"{patient} {value:.3f}" for patient, value in self.dice.items())
        return (
            f"train: {plural(self.epochs, 'epoch')}, best {self.best_epoch}, Dice "
            f"{self.mean_dice:.3f} ({dice}) -> {self.checkpoint}"
            f"{' (already done)' if self.already_done else ''}"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: Dice of each validation patient, and the curves."""
        rows = ((patient, f"{value:.3f}") for patient, value in self.dice.items())
        parts = [html.title(self.told), html.table(("Patient", "Dice"), rows, numbers=("Dice",))]
        with suppress(FileError):  # it may be gone by now
            parts.append(html.picture(read_regular(self.path / PNG), "The curves", _WIDE))
        return "".join(parts)


@dataclass(frozen=True)
class RunFolder:
    """A directory for one run. The descriptions of errors are those of `train`."""

    path: Path

    @contextmanager
    def opened(self, overwrite: bool) -> Iterator["RunFolder"]:
        """Hold the directory for this process; emptied of an earlier run on request."""
        with writing(self.path, GOES_ON):
            self._check_ours()
            workspace = self._workspace
            with workspace.held(self._check_ours):
                for name in (*_PARTS, *(_FILES if overwrite else ())):
                    unlink(self.path / name, missing_ok=True)
                yield self
                workspace.clear()

    @property
    def _workspace(self) -> Workspace:
        return Workspace.inside(self.path, lambda _: self.is_finished())

    def _check_ours(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise ChaosprepError(
                f"{self.path}: it is not a directory", "Give another output.", code="output"
            )
        self._workspace.check()
        for name in (*_FILES, *_PARTS):
            check_replaceable(self.path / name)
        if not self._is_ours():
            raise ChaosprepError(
                f"{self.path}: it is not empty, and not a run of train",
                "Give an empty or a new directory.",
                code="output-foreign",
            )

    def _is_ours(self) -> bool:
        """Whether an earlier call wrote here, or may; names alone do not tell."""
        here, kept = names_in(self.path), names_in(self._workspace.path)
        if not here - {WORKSPACE}:
            return JOURNAL not in kept
        if DESCRIPTOR in here:
            return False
        if LOCK in kept and JOURNAL not in kept and here <= {WORKSPACE, *_FILES, *_PARTS}:
            return True
        with suppress(FileError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            msgspec.json.decode(read_regular(self.path / RECORD), type=_Record)
            return True
        return any(_is_checkpoint(self.path / name) for name in (LAST, BEST))

    def is_finished(self) -> bool:
        """Whether the run came to its end."""
        return all((self.path / name).exists() for name in (RECORD, BEST, CSV, PNG))

    def last(self, card: Card) -> Checkpoint | None:
        """Where an earlier call stopped, or None.

        Raises:
            ChaosprepError: `output-differs`, it had other data or parameters; `checkpoint`, it
                cannot be read, or the best one is gone.
        """
        if not (self.path / LAST).exists():
            return None
        found = load(self.path / LAST)
        reason = _difference(found.card, card)
        done, asked = len(found.scores), card.parameters["epochs"]
        if reason is None and asked < done and asked != found.card.parameters["epochs"]:
            raise ChaosprepError(
                f"{self.path}: its run has {done} epochs already, but {asked} are asked for",
                f"Give --epochs {done} or more, or train the shorter run into another directory.",
                code="output-differs",
            )
        if reason:
            raise ChaosprepError(
                f"{self.path}: {reason}",
                "Use --overwrite to train again, or another output directory.",
                code="output-differs",
            )
        if not (self.path / BEST).exists():
            raise ChaosprepError(
                f"{self.path}: {BEST} of its run is gone",
                "Bring it back, or use --overwrite to train again.",
                code="checkpoint",
            )
        return found

    def reopen(self) -> None:
        """Take back the record of a finished run, which is to go on."""
        unlink(self.path / RECORD, missing_ok=True)

    def write(self, checkpoint: Checkpoint, *, is_best: bool) -> None:
        """Write an epoch: the best weights first, the last ones as its commit."""
        data = encode(checkpoint)
        if is_best:
            weights = msgspec.structs.replace(checkpoint, optimizer=None, scaler=None)
            self._write(BEST, encode(weights))
        self._write(CSV, curves.as_csv(checkpoint.scores))
        self._write(LAST, data)

    def finish(
        self,
        card: Card,
        scores: Sequence[EpochScore],
        sides: Mapping[str, SliceDataset],
        device: torch.device,
    ) -> None:
        """Write the picture and the record."""
        self._write(PNG, curves.as_png(scores))
        best = best_of(scores)
        record = {
            **msgspec.to_builtins(card),
            "versions": {name: version(name) for name in ("monai", "numpy", "torch")},
            "device": device.type,
            "sides": {
                side: {"patients": slices.patients, "slices": len(slices)}
                for side, slices in sides.items()
            },
            "epochs": len(scores),
            "best_epoch": best.epoch,
            "dice": best.dice,
            "mean_dice": best.mean,
        }
        text = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
        self._write(RECORD, text)

    def _write(self, name: str, data: bytes) -> None:
        write_durably(self.path / name, data, self._workspace.path)

    def trained(self, scores: Sequence[EpochScore], *, already_done: bool = False) -> Trained:
        """What the run came to."""
        best = best_of(scores)
        so_far = len(scores), best.epoch, best.dice, best.mean
        return Trained(self.path, self.path / BEST, *so_far, already_done)


def _is_checkpoint(path: Path) -> bool:
    try:
        load(path)
    except ChaosprepError:
        return False
    return True


def _difference(made: Card, asked: Card) -> str | None:
    if made.manifest_sha256 != asked.manifest_sha256:
        return "its run was trained on other data, or they were made again since"
    here, now = (TrainParams.completed(card.parameters) for card in (made, asked))
    names = sorted(name for name in {*here, *now} if here.get(name) != now.get(name))
    if names == ["epochs"]:  # it may go on
        return None
    if not names:
        return None
    shown = ", ".join(f"{name} {here.get(name)!r}, now {now.get(name)!r}" for name in names)
    return f"its run had other parameters ({shown})"
