"""The networks to train, and what their outputs mean."""

from collections.abc import Callable
from typing import Annotated, Final

import torch
from msgspec import Meta
from torch import nn

from chaosprep.errors import UsageError
from chaosprep.torch.networks import dynunet, unet, unet_plus_plus
from chaosprep.torch.parameters import Device, Network

Maker = Callable[[int, int, int], nn.Module]
"""Makes a network of so many channels of the image, channels of the logits, and halvings."""

NETWORKS: Final[dict[Network, Maker]] = {
    "unet": unet.make,
    "unet++": unet_plus_plus.make,
    "dynunet": dynunet.make,
}

FITTED: Final = ("dynunet",)
"""Networks that halve as often as the slices are large; the others do so four times."""

HALVINGS: Final = 4
Halvings = Annotated[int, Meta(ge=2, le=7)]

SMALLEST: Final = 32
"""Fewest rows and columns: normalization needs more than one pixel after the halvings."""


def build(network: Network, organs: int, channels: int = 1, halvings: int = HALVINGS) -> nn.Module:
    """A network with fresh weights from torch's random numbers.

    It takes (batch, channels, rows, cols) float32, sides a multiple of 2 to the `halvings`, and
    gives logits of the same size: one channel for one organ, else background and one for each
    organ. In training it may give a list of them, each half as large as the one before.
    """
    return NETWORKS[network](channels, 1 if organs == 1 else organs + 1, halvings)


def halvings_for(network: Network, shape: tuple[int, int]) -> int:
    """How often a network halves slices or cut-outs of this shape, (rows, cols).

    A fitted one does so until the shorter side has 4 to 7 pixels, 2 to 7 times: nnU-Net's planner
    (`get_pool_and_conv_props`) stops where a side would have fewer than 4.
    """
    if network not in FITTED:
        return HALVINGS
    return min(max((min(shape) // 4).bit_length() - 1, 2), 7)


def padded_side(pixels: int, halvings: int = HALVINGS) -> int:
    """The rows or columns that a network can take in place of so many."""
    multiple = 1 << halvings
    return max(SMALLEST, 2 * multiple, -(-pixels // multiple) * multiple)


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
