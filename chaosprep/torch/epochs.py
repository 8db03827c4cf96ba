"""One epoch of training, one of validation."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from torch import nn

from chaosprep.augmentation.draw import generator
from chaosprep.torch.batches import Item
from chaosprep.torch.losses import make_loss, supervised
from chaosprep.torch.networks import mixed_precision, predicted
from chaosprep.torch.parameters import Optimizer, TrainParams
from chaosprep.torch.scores import PatientDice

OPTIMIZERS: Final[dict[Optimizer, type[torch.optim.Optimizer]]] = {
    "adam": torch.optim.Adam,
    "radam": torch.optim.RAdam,
    "sgd": torch.optim.SGD,
}
SETTINGS: Final[dict[Optimizer, dict[str, Any]]] = {
    "sgd": {"momentum": 0.99, "nesterov": True, "weight_decay": 3e-5}
}
"""As in nnU-Net (Isensee et al. 2021); the others keep PyTorch's."""

LONGEST: Final[dict[Optimizer, float]] = {"sgd": 12.0}
"""The longest gradient of a step, by its norm: longer ones are cut, as in nnU-Net."""


Outputs: TypeAlias = torch.Tensor | list[torch.Tensor]
"""Logits, or those of every resolution that a network learns from."""


class Learner:
    """A network with its optimizer on a device."""

    def __init__(
        self, network: nn.Module, organs: int, params: TrainParams, device: torch.device
    ) -> None:
        self.network = network.to(device)
        settings = {"lr": params.rate(), **SETTINGS.get(params.optimizer, {})}
        self.optimizer = OPTIMIZERS[params.optimizer](self.network.parameters(), **settings)
        self.scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
        self._loss = make_loss(organs)
        self._organs = organs
        self._device = device
        self._params = params

    def go_on(self, optimizer: dict[str, Any], scaler: dict[str, Any]) -> None:
        """Take over the state of an earlier optimizer; a scaler has none without a GPU."""
        self.optimizer.load_state_dict(optimizer)
        if scaler:
            self.scaler.load_state_dict(scaler)

    def train(self, batches: Iterable[Item], epoch: int) -> float:
        """One step a batch, in an epoch from 0; the mean loss of the slices."""
        seed = generator(self._params.seed, "", epoch, "network").integers(2**63)
        torch.manual_seed(int(seed))
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self._params, epoch)
        self.network.train()
        mean = _Mean()
        for batch in batches:
            self.optimizer.zero_grad(set_to_none=True)
            loss = self._loss_of(self._logits(batch), batch)
            self.scaler.scale(loss).backward()
            self._cut_gradient()
            self.scaler.step(self.optimizer)
            self.scaler.update()
            mean.add(loss.item(), len(batch["id"]))
        return mean.value()

    def validate(
        self, batches: Iterable[Item], shown: Mapping[str, Collection[int]] | None = None
    ) -> tuple[float, dict[str, float]]:
        """The mean loss of the slices, and Dice of each patient over all slices.

        `shown`: the labels that a patient's masks can show; by default all.
        """
        self.network.eval()
        mean, dice = _Mean(), PatientDice(self._organs, shown)
        for batch in batches:
            with torch.no_grad():
                logits = self._logits(batch)
            assert isinstance(logits, torch.Tensor)
            mean.add(self._loss_of(logits, batch).item(), len(batch["id"]))
            found = predicted(logits).cpu().numpy()
            masks = batch["mask"][:, 0].numpy().astype(np.uint8)
            for i, (patient, (rows, cols)) in enumerate(
                zip(batch["patient"], batch["size"], strict=True)
            ):
                dice.add(patient, found[i, :rows, :cols], masks[i, :rows, :cols])
        return mean.value(), dice.by_patient()

    def weights(self) -> dict[str, Any]:
        """The network's weights, in the processor's memory: others may have no GPU."""
        weights: dict[str, Any] = self.network.state_dict()
        for name, tensor in weights.items():
            weights[name] = tensor.cpu()
        return weights

    def _cut_gradient(self) -> None:
        longest = LONGEST.get(self._params.optimizer)
        if longest is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), longest)

    def _logits(self, batch: Item) -> Outputs:
        with mixed_precision(self._device):
            logits: Outputs = self.network(batch["image"].to(self._device))
        return logits

    def _loss_of(self, logits: Outputs, batch: Item) -> torch.Tensor:
        mask = batch["mask"].to(self._device)
        if isinstance(logits, list):
            return supervised(self._loss, logits, mask)
        loss: torch.Tensor = self._loss(logits.float(), mask)
        return loss


def rate(params: TrainParams, epoch: int) -> float:
    """The learning rate of an epoch, from 0: it falls as nnU-Net's does (Isensee et al. 2021)."""
    return float(params.rate() * (1 - epoch / params.epochs) ** 0.9)


class _Mean:
    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, value: float, count: int) -> None:
        self._sum += value * count
        self._count += count

    def value(self) -> float:
        return self._sum / self._count
