"""One epoch of training, one of validation."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from chaosprep.augmentation.draw import generator
from chaosprep.torch.batches import Item
from chaosprep.torch.networks import make_loss, mixed_precision, predicted
from chaosprep.torch.parameters import TrainParams
from chaosprep.torch.scores import PatientDice

OPTIMIZERS = {"adam": torch.optim.Adam, "radam": torch.optim.RAdam}


class Learner:
    """A network with its optimizer on a device."""

    def __init__(
        self, network: nn.Module, organs: int, params: TrainParams, device: torch.device
    ) -> None:
        self.network = network.to(device)
        self.optimizer = OPTIMIZERS[params.optimizer](self.network.parameters(), lr=params.lr)
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

    def _logits(self, batch: Item) -> torch.Tensor:
        with mixed_precision(self._device):
            logits: torch.Tensor = self.network(batch["image"].to(self._device))
        return logits

    def _loss_of(self, logits: torch.Tensor, batch: Item) -> torch.Tensor:
        loss: torch.Tensor = self._loss(logits.float(), batch["mask"].to(self._device))
        return loss


def rate(params: TrainParams, epoch: int) -> float:
    """The learning rate of an epoch, from 0: it falls as nnU-Net's does (Isensee et al. 2021)."""
    return float(params.lr * (1 - epoch / params.epochs) ** 0.9)


class _Mean:
    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, value: float, count: int) -> None:
        self._sum += value * count
        self._count += count

    def value(self) -> float:
        return self._sum / self._count
