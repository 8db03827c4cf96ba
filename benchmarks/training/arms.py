"""What is compared: an arm is one way from the same patients to a network. One line each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from chaosprep.errors import UsageError
from chaosprep.params import make_params
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.torch.parameters import PredictParams, TrainParams

Organs = Literal["liver", "all"]
Way = Literal["ours", "tutorial", "nnunet"]
COPIES = 2
"""Offline copies of each training slice: an epoch has three times the slices, so a run has a third
of the epochs, and every arm learns from as many."""


@dataclass(frozen=True)
class Input:
    """How stored values become what a network sees: the parameters of `convert`."""

    name: str
    convert: Mapping[str, Any] = field(default_factory=dict)


EIGHT = Input("8-bit")
SIXTEEN = Input("16-bit", {"keep_16bit": True})
Z_SCORE = Input("z-score", {"normalize": "zscore"})
NYUL = Input("nyul", {"normalize": "nyul"})
N4_NYUL = Input("n4-nyul", {"bias": "n4", "normalize": "nyul"})
FIGURE = Input("figure")
"""The tutorial's own pictures: nothing that `convert` makes."""


@dataclass(frozen=True)
class Arm:
    """One line of a table: `titles` are its first cells.

    `train` and `predict` are parameters of these two, beside those that all arms have in common.
    `augment` is a preset that is drawn anew in each epoch, or `copies`: the tutorial's preset,
    drawn once, as files.
    """

    name: str
    titles: tuple[str, str]
    input: Input = SIXTEEN
    augment: str = "mri"
    train: Mapping[str, Any] = field(default_factory=dict)
    predict: Mapping[str, Any] = field(default_factory=dict)
    way: Way = "ours"
    organs: Organs = "liver"

    def missing(self) -> str | None:
        """What this release cannot do of it; None where it can."""
        augment = {} if self.augment == "copies" else {"augment": self.augment}
        try:
            make_params(ConvertParams, dict(self.input.convert))
            make_params(TrainParams, {**augment, **self.train})
            make_params(PredictParams, {"checkpoint": "last.pt", **self.predict})
        except UsageError as error:
            return error.reason
        return None


def _of_input(shown: str, given: Input) -> Arm:
    return Arm(f"{given.name}-mri", (shown, "mri, each epoch"), given)


REFERENCE = _of_input("16-bit, as stored", SIXTEEN)
PREPARED: tuple[Arm, ...] = (
    REFERENCE,
    _of_input("8-bit, 0.5 to 99.5 %", EIGHT),
    _of_input("z-score", Z_SCORE),
    _of_input("Nyul", NYUL),
    _of_input("N4, then Nyul", N4_NYUL),
    Arm("16-bit-none", ("16-bit, as stored", "none"), augment="none"),
    Arm("16-bit-copies", ("16-bit, as stored", f"tutorial, {COPIES} copies"), augment="copies"),
    Arm(
        "tutorial",
        ("the tutorial's figures", f"the tutorial's, {COPIES} copies"),
        FIGURE,
        augment="none",
        way="tutorial",
    ),
)
"""The first table: inputs at one augmentation, augmentations at one input, the tutorial's way.
The first arm is what the others are compared with."""


def _networks(organs: Organs, shown: str) -> tuple[Arm, ...]:
    """A network is one line; the first is what the others are compared with."""
    as_nnunet = {"optimizer": "sgd", "lr": 0.01, "flips": "left-right", "foreground": 0.33}
    return (
        Arm(f"unet-{organs}", ("U-Net", shown), organs=organs),
        Arm(
            f"unet-2.5d-{organs}",
            ("U-Net, a slice and its two neighbours", shown),
            train={"neighbours": 1},
            organs=organs,
        ),
        Arm(
            f"unet-as-nnunet-{organs}",
            ("U-Net, trained as nnU-Net's", shown),
            train=as_nnunet,
            predict={"mirror": True},
            organs=organs,
        ),
        Arm(
            f"dynunet-{organs}",
            ("DynUNet, trained as nnU-Net's", shown),
            train={"network": "dynunet", **as_nnunet},
            predict={"mirror": True},
            organs=organs,
        ),
        Arm(f"nnunet-{organs}", ("nnU-Net 2-D", shown), way="nnunet", organs=organs),
    )


NETWORKS: Mapping[Organs, tuple[Arm, ...]] = {
    "liver": _networks("liver", "liver"),
    "all": _networks("all", "four organs"),
}
"""The second table: each group against its first."""


def named(names: Sequence[str], arms: Sequence[Arm]) -> tuple[Arm, ...]:
    """The arms of these names, in the order of the table; all of them where no name is given.

    Raises:
        UsageError: `arm`, there is none of a name.
    """
    known = {arm.name: arm for arm in arms}
    if unknown := sorted(set(names) - set(known)):
        raise UsageError(
            f"--arms: there is no {', '.join(unknown)}", f"There are {', '.join(known)}.", "arm"
        )
    return tuple(arm for arm in arms if not names or arm.name in names)
