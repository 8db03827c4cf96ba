"""`unet++`: Zhou et al. 2018, without deep supervision, as MONAI has it."""

from contextlib import redirect_stdout
from io import StringIO

import torch
from torch import nn


def make(inputs: int, outputs: int, halvings: int) -> nn.Module:
    """A network of 32 to 256 features; 2.4 M parameters for one channel and one organ.

    It always halves four times.
    """
    from monai.networks.nets import BasicUNetPlusPlus

    with redirect_stdout(StringIO()):  # it prints its sizes
        return _Last(BasicUNetPlusPlus(spatial_dims=2, in_channels=inputs, out_channels=outputs))


class _Last(nn.Module):
    """The one output of a network that gives them in a list."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        outputs: list[torch.Tensor] = self.network(image)
        return outputs[0]
