"""The parameters of `train` and `predict`; torch is not needed to show them."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chaosprep.augmentation.presets import PresetName
from chaosprep.dataset.records import Split
from chaosprep.errors import ChaosprepError, FileError
from chaosprep.files import read_regular, sha256
from chaosprep.formats.codecs import PngParams
from chaosprep.imaging.space.grids import parse_size
from chaosprep.params import Params

Network = Literal["unet", "unet++"]
Device = Literal["auto", "cpu", "cuda"]
TRAINING = ("torch", "monai", "matplotlib")
"""What training and predicting import; datasets take the first alone."""

BEST = "best.pt"
"""The checkpoint that `predict` takes of a run."""


class TrainParams(Params, frozen=True, kw_only=True):
    """How to train the baseline."""

    network: Annotated[Network, Meta(description="MONAI's UNet or BasicUNetPlusPlus.")] = "unet"
    optimizer: Annotated[Literal["adam", "radam"], Meta(description="Adam or RAdam.")] = "adam"
    lr: Annotated[
        Annotated[float, Meta(gt=0, le=1)],
        Meta(description="Learning rate at first; it falls to 0."),
    ] = 1e-3
    epochs: Annotated[Annotated[int, Meta(ge=1)], Meta(description="Rounds over train.")] = 40
    batch: Annotated[Annotated[int, Meta(ge=1)], Meta(description="Slices in a step.")] = 8
    patch: Annotated[
        str | None,
        Meta(
            description="Train on random cut-outs, N or ROWSxCOLS; smaller slices are padded. "
            "[default: whole slices]"
        ),
    ] = None
    augment: Annotated[
        Literal["none", PresetName],
        Meta(description="Preset of augment, drawn anew in each epoch; copies in DIR come on top."),
    ] = "mri"
    fold: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Validate on this fold, train on all others. [default: as DIR has it]"),
    ] = None
    patience: Annotated[
        Annotated[int, Meta(ge=0)],
        Meta(description="Stop after this many epochs without a better Dice; 0 never stops."),
    ] = 0
    device: Annotated[
        Device, Meta(description="auto takes a GPU (in mixed precision) where there is one.")
    ] = "auto"
    seed: Annotated[
        Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)],
        Meta(description="Seed of the first weights, the order, cut-outs and augmentation."),
    ] = 0
    workers: Annotated[
        Annotated[int, Meta(ge=0)],
        Meta(description="Processes that load slices; they change no result. 0: this one."),
    ] = 0

    def __post_init__(self) -> None:
        self.rows_cols()

    def recorded(self) -> "TrainParams":
        """Without the workers, which change no result."""
        return msgspec.structs.replace(self, workers=0)

    def rows_cols(self) -> tuple[int, int] | None:
        """`patch` as rows and columns."""
        return None if self.patch is None else parse_size("--patch", self.patch)


class PredictParams(PngParams, frozen=True, kw_only=True):
    """Which checkpoint predicts what."""

    checkpoint: Annotated[str, Meta(description="A run of train (its best.pt), or a checkpoint.")]
    split: Annotated[
        Split | None, Meta(description="Only train, val or test. [default: all of them]")
    ] = None
    device: Annotated[
        Device, Meta(description="auto takes a GPU (in mixed precision) where there is one.")
    ] = "auto"

    def recorded(self) -> "PredictParams":
        """The checkpoint's SHA-256 for its place, which says nothing elsewhere."""
        data = read_checkpoint(Path(self.checkpoint))
        return msgspec.structs.replace(self, checkpoint=sha256(data))


def read_checkpoint(path: Path) -> bytes:
    """The bytes of a checkpoint, or of the best one of a run.

    Raises:
        ChaosprepError: `checkpoint`, it cannot be read.
    """
    path = path / BEST if path.is_dir() else path
    try:
        return read_regular(path, follow=True)
    except FileError as error:
        raise ChaosprepError(
            f"{path}: {error.reason}",
            "Give the directory that chaosprep train made, or a checkpoint in it.",
            code="checkpoint",
        ) from error
