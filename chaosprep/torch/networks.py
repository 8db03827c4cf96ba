"""The baseline networks, and what their outputs mean."""

from contextlib import redirect_stdout
from io import StringIO

import torch
from torch import nn

from chaosprep.errors import UsageError
from chaosprep.torch.parameters import Device, Network

MULTIPLE = 16
"""Rows and columns of a batch are a multiple of this: four times halved."""

SMALLEST = 32
"""Fewest rows and columns: normalisation needs more than one pixel after the halvings."""


def build(network: Network, organs: int) -> nn.Module:
    """A network with fresh weights from torch's random numbers.

    It takes (batch, 1, rows, cols) float32, sides a multiple of `MULTIPLE`, and gives logits of the
    same size: one channel for one organ, else background and one for each organ.

    `unet`: the residual U-Net of Kerfoot et al. 2019 as MONAI has it, 1.6 M parameters; `unet++`:
    Zhou et al. 2018, without deep supervision, 2.4 M.
    """
    from monai.networks.nets import BasicUNetPlusPlus, UNet

    channels = 1 if organs == 1 else organs + 1
    if network == "unet":
        return UNet(
            spatial_dims=2,
            in_channels=1,
            out_channels=channels,
            channels=(16, 32, 64, 128, 256),
            strides=(2, 2, 2, 2),
            num_res_units=2,
        )
    with redirect_stdout(StringIO()):  # it prints its sizes
        return _Last(BasicUNetPlusPlus(spatial_dims=2, in_channels=1, out_channels=channels))


class _Last(nn.Module):
    """The one output of a network that gives them in a list."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        outputs: list[torch.Tensor] = self.network(image)
        return outputs[0]


def make_loss(organs: int) -> nn.Module:
    """Dice over the whole batch, plus cross-entropy (binary for one organ), each with weight 1.

    Over the batch, so that a slice without the organ asks only that little is found there.
    """
    from monai.losses import DiceCELoss

    if organs == 1:
        return DiceCELoss(sigmoid=True, batch=True)
    return DiceCELoss(softmax=True, to_onehot_y=True, include_background=False, batch=True)


def predicted(logits: torch.Tensor) -> torch.Tensor:
    """The labels (batch, rows, cols) uint8 that logits (batch, channels, rows, cols) stand for."""
    if logits.shape[1] == 1:
        return (logits[:, 0] > 0).to(torch.uint8)
    return logits.argmax(dim=1).to(torch.uint8)


def choose_device(device: Device) -> torch.device:
    """The device to work on; `auto` takes a GPU where there is one.

    Raises:
        UsageError: `device`, a GPU is asked for and there is none.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "--device: PyTorch finds no GPU here", "Use --device auto or cpu.", "device"
        )
    return torch.device(device)


def mixed_precision(device: torch.device) -> torch.autocast:
    """Half precision where it is safe, on a GPU only."""
    return torch.autocast(device.type, enabled=device.type == "cuda")
