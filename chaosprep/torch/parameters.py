"""The parameters of `train` and `predict`; torch is not needed to show them."""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chaosprep.augmentation.presets import PRESETS, PresetName
from chaosprep.augmentation.recipe import Recipe
from chaosprep.augmentation.symmetry import Flip, FlipUpDown
from chaosprep.dataset.records import Split
from chaosprep.errors import ChaosprepError, FileError
from chaosprep.files import read_regular, sha256
from chaosprep.formats.codecs import PngParams
from chaosprep.imaging.space.grids import parse_size
from chaosprep.params import Params
from chaosprep.torch.seen import MOST_NEIGHBOURS, Seen, seen_of

Network = Literal["unet", "unet++", "dynunet"]
Optimizer = Literal["adam", "radam", "sgd"]
Flips = Literal["none", "left-right", "both"]
Device = Literal["auto", "cpu", "cuda"]
RATES: Final[dict[Optimizer, float]] = {"adam": 1e-3, "radam": 1e-3, "sgd": 1e-2}
"""Learning rates at first: MONAI's tutorials have 1e-3, nnU-Net 1e-2."""

TRAINING = ("torch", "monai", "matplotlib")
"""What training and predicting import; datasets take the first alone."""

BEST = "best.pt"
"""The checkpoint that `predict` takes of a run."""


class TrainParams(Params, frozen=True, kw_only=True):
    """How to train the baseline."""

    network: Annotated[
        Network,
        Meta(
            description="MONAI's UNet or BasicUNetPlusPlus, or a plain U-Net with deep supervision "
            "as nnU-Net plans it (DynUNet)."
        ),
    ] = "unet"
    optimizer: Annotated[
        Optimizer, Meta(description="Adam, RAdam, or SGD with Nesterov momentum as in nnU-Net.")
    ] = "adam"
    lr: Annotated[
        Annotated[float, Meta(gt=0, le=1)] | None,
        Meta(
            description="Learning rate at first; it falls to 0. [default: 0.001, of sgd 0.01]",
        ),
    ] = None
    epochs: Annotated[
        Annotated[int, Meta(ge=1)], Meta(description="Passes over the training side.")
    ] = 40
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
        Meta(description="Preset of augment, drawn again in each epoch; copies in DIR are added."),
    ] = "mri"
    flips: Annotated[
        Flips,
        Meta(
            description="In addition to --augment, flip every other slice left-right, or "
            "top-bottom too; right and left organs swap names."
        ),
    ] = "none"
    foreground: Annotated[
        Annotated[float, Meta(ge=0, le=1)],
        Meta(description="Part of each batch that shows an organ; nnU-Net takes 0.33."),
    ] = 0.0
    neighbours: Annotated[
        Annotated[int, Meta(ge=0, le=MOST_NEIGHBOURS)],
        Meta(description="This many slices on either side become channels too."),
    ] = 0
    channels: Annotated[
        tuple[str, ...],
        Meta(
            description="Sequences of a patient that are channels, such as t1-in,t1-out; the masks "
            "are those of the first. [default: each slice alone]"
        ),
    ] = ()
    fold: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Validate on this fold, train on all others. [default: the split of DIR]"),
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
        Meta(
            description="Processes that load slices; their number does not change the result. 0: "
            "this process."
        ),
    ] = 0

    def __post_init__(self) -> None:
        self.rows_cols()
        self.seen()
        if self.foreground and not round(self.batch * self.foreground):
            raise ValueError(
                f"--foreground {self.foreground:g} is less than one slice of a --batch of "
                f"{self.batch}"
            )

    def recorded(self) -> "TrainParams":
        """Without the workers, which change no result; with the learning rate that is meant."""
        channels = self.seen().channels
        return msgspec.structs.replace(self, workers=0, lr=self.rate(), channels=channels)

    def rate(self) -> float:
        """The learning rate at first."""
        return RATES[self.optimizer] if self.lr is None else self.lr

    def seen(self) -> Seen:
        """What the network sees of a slice."""
        return seen_of(self.neighbours, self.channels)

    def recipe(self) -> Recipe | None:
        """What may happen to a slice, flips included."""
        recipe = None if self.augment == "none" else PRESETS[self.augment].recipe
        if self.flips == "none":
            return recipe
        recipe = recipe or Recipe()
        both = FlipUpDown(probability=0.5) if self.flips == "both" else recipe.flip_up_down
        return msgspec.structs.replace(recipe, flip=Flip(probability=0.5), flip_up_down=both)

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
    mirror: Annotated[
        bool,
        Meta(description="Average over the mirror images that the network learned on."),
    ] = False

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
