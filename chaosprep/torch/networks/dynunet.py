"""`dynunet`: the plain U-Net that nnU-Net plans for 2-D, with MONAI's DynUNet.

Isensee et al. 2021, "nnU-Net: a self-configuring method for deep learning-based biomedical image
segmentation", and its planner: two convolutions of 3 x 3 with instance normalization and leaky ReLU
at each resolution, 32 features that double up to 512, halvings until 4 to 7 pixels are left, and an
output at every resolution but the two lowest to learn from (deep supervision).
"""

from typing import Any, cast

import torch
from torch import nn

MOST_FEATURES = 512


def make(inputs: int, outputs: int, halvings: int) -> nn.Module:
    """A network that halves so often; in training it gives a list of logits, full size first."""
    from monai.networks.nets import DynUNet

    levels = halvings + 1
    network = DynUNet(
        spatial_dims=2,
        in_channels=inputs,
        out_channels=outputs,
        kernel_size=[3] * levels,
        strides=[1] + [2] * halvings,
        upsample_kernel_size=[2] * halvings,
        filters=[min(32 * 2**level, MOST_FEATURES) for level in range(levels)],
        deep_supervision=True,
        deep_supr_num=max(1, halvings - 2),
    )
    return _Supervised(network)


class _Supervised(nn.Module):
    """The parts of DynUNet, whose lower outputs stay as small as they are.

    It would enlarge and stack them, and holds each weight under two names.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        del network.skip_layers
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        network = cast(Any, self.network)
        skips = [network.input_block(image)]
        for down in network.downsamples:
            skips.append(down(skips[-1]))
        levels = [network.bottleneck(skips[-1])]
        for up, skip in zip(network.upsamples, reversed(skips), strict=True):
            levels.append(up(levels[-1], skip))
        logits: torch.Tensor = network.output_block(levels[-1])
        if not self.training:
            return logits
        lower = zip(network.deep_supervision_heads, levels[-2::-1], strict=False)
        return [logits, *(head(level) for head, level in lower)]
