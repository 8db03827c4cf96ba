"""`unet`: the residual U-Net of Kerfoot et al. 2019, as MONAI has it."""

from torch import nn


def make(inputs: int, outputs: int, halvings: int) -> nn.Module:
    """A network of 16 to 256 features; 1.6 M parameters for one channel and one organ.

    It always halves four times.
    """
    from monai.networks.nets import UNet

    return UNet(
        spatial_dims=2,
        in_channels=inputs,
        out_channels=outputs,
        channels=(16, 32, 64, 128, 256),
        strides=(2, 2, 2, 2),
        num_res_units=2,
    )
