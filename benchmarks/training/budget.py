"""What every arm has in common: the network, and how long it learns."""

import msgspec

from benchmarks.training.arms import COPIES, Arm
from chaosprep.params import make_params
from chaosprep.torch.parameters import Device, TrainParams


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """`epochs` are those of an arm without offline copies; `network` that of arms without one."""

    epochs: int
    batch: int
    lr: float
    network: str
    device: Device

    def of(self, arm: Arm, seed: int) -> TrainParams:
        """The parameters of `train` for an arm: equally many slices, whether copied or not.

        Raises:
            UsageError: a parameter is wrong.
        """
        copied = arm.augment == "copies" or arm.way == "tutorial"
        epochs = max(1, round(self.epochs / (1 + COPIES))) if copied else self.epochs
        augment = "none" if copied else arm.augment
        fields = {**msgspec.structs.asdict(self), "epochs": epochs, "augment": augment}
        return make_params(TrainParams, {**fields, "seed": seed, **arm.train})
