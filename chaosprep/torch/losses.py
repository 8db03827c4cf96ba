"""What training makes small: Dice and cross-entropy, at every resolution that a network gives."""

from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn.functional import interpolate

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def make_loss(organs: int) -> nn.Module:
    """Dice over the whole batch, plus cross-entropy (binary for one organ), each with weight 1.

    Over the batch, so that a slice without the organ asks only that little is found there.
    """
    from monai.losses import DiceCELoss

    if organs == 1:
        return DiceCELoss(sigmoid=True, batch=True)
    return DiceCELoss(softmax=True, to_onehot_y=True, include_background=False, batch=True)


def supervised(loss: Loss, outputs: Sequence[torch.Tensor], mask: torch.Tensor) -> torch.Tensor:
    """The mean of a loss over outputs, the full size first, each with half the weight of the last.

    Each output, (batch, channels, rows, cols), is compared with the nearest pixels of the mask,
    (batch, 1, rows, cols). Weights as in nnU-Net: 1, 1/2, 1/4 ... of their sum.
    """
    weights = [0.5**level for level in range(len(outputs))]
    total = torch.zeros((), device=mask.device)
    for weight, logits in zip(weights, outputs, strict=True):
        part = loss(logits.float(), _as_small(mask, logits.shape[2:]))
        total = total + weight / sum(weights) * part
    return total


def _as_small(mask: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    if mask.shape[2:] == shape:
        return mask
    return interpolate(mask.float(), list(shape), mode="nearest-exact").to(mask.dtype)
