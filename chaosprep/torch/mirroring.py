"""Predictions averaged over the mirror images that a network learned on."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from chaosprep.augmentation.recipe import Recipe
from chaosprep.augmentation.sides import sided, swapped
from chaosprep.augmentation.symmetry import OneOf
from chaosprep.errors import UsageError

Axes = tuple[int, ...]
"""The axes of a batch that are turned around: -1 swaps left and right, -2 top and bottom."""

_BOTH: Axes = (-2, -1)
_FLIPS: Mapping[str, Axes] = {"flip": (-1,), "flip_up_down": (-2,), "turn_180": _BOTH}


def mirrors_of(recipe: Recipe | None, labels: Mapping[str, int]) -> tuple[Axes, ...]:
    """The ways in which a picture may be mirrored for a network that was trained with a recipe.

    `labels` are those of the network, organ -> label.

    Raises:
        UsageError: `mirror`, it learned on no mirror images, or shows one side of a pair.
    """
    names = set[str]()
    for _, choice in () if recipe is None else recipe.choices():
        if isinstance(choice, OneOf) and choice.probability > 0:
            names |= {*choice.names}
    found = {_FLIPS[name] for name in names if name in _FLIPS}
    if {(-1,), (-2,)} <= found:
        found.add(_BOTH)
    if not found:
        raise UsageError(
            "--mirror: the network was not trained on mirror images",
            "Leave it out, or train with --flips.",
            code="mirror",
        )
    if sided(labels) and not swapped({label: name for name, label in labels.items()}):
        raise UsageError(
            f"--mirror: a mirrored {' or '.join(sorted(sided(labels)))} would carry the wrong name",
            "Leave it out.",
            code="mirror",
        )
    return tuple(sorted(found, key=len))


class Mirrored(nn.Module):
    """A network whose logits, (batch, channels, rows, cols), are the mean over mirror images.

    Of an image that is mirrored once, the channels of right and left organs change places. The mean
    is that of the logits, as in nnU-Net.
    """

    def __init__(
        self, network: nn.Module, mirrors: Sequence[Axes], labels: Mapping[str, int]
    ) -> None:
        super().__init__()
        self.network = network
        self._mirrors = mirrors
        self._order = list(range(len(labels) + 1))
        for right, left in swapped({label: name for name, label in labels.items()}):
            self._order[right], self._order[left] = left, right

    def forward(self, image: torch.Tensor) -> Any:  # noqa: ANN401 - a tensor
        """The mean of the logits."""
        total = self.network(image)
        for axes in self._mirrors:
            logits = self.network(image.flip(axes)).flip(axes)
            if len(axes) == 1 and logits.shape[1] > 1:
                logits = logits[:, self._order]
            total = total + logits
        return total / (len(self._mirrors) + 1)
