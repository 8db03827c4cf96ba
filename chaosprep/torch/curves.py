"""The curves of a run: as a table, and as a picture."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from chaosprep.cells import cell
from chaosprep.evaluation.plots import drawn
from chaosprep.torch.checkpoint import EpochScore

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def as_csv(scores: Sequence[EpochScore]) -> bytes:
    """One line an epoch: losses, the mean Dice, and Dice of each patient."""
    patients = list(scores[0].dice) if scores else []
    lines = [["epoch", "train_loss", "val_loss", "dice", *map(cell, patients)]]
    for one in scores:
        numbers = (one.train_loss, one.val_loss, one.mean, *one.dice.values())
        lines.append([str(one.epoch), *(f"{number:.6f}" for number in numbers)])
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerows(lines)
    return stream.getvalue().encode()


def as_png(scores: Sequence[EpochScore]) -> bytes:
    """The losses on the left, Dice of each patient and their mean on the right."""

    def draw(figure: "Figure") -> None:
        losses, dice = figure.subplots(1, 2)
        epochs = [one.epoch for one in scores]
        losses.plot(epochs, [one.train_loss for one in scores], label="train", marker=".")
        losses.plot(epochs, [one.val_loss for one in scores], label="val", marker=".")
        losses.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
        for patient in scores[0].dice:
            dice.plot(epochs, [one.dice[patient] for one in scores], label=patient, linewidth=1)
        dice.plot(epochs, [one.mean for one in scores], label="mean", color="black", marker=".")
        dice.set(xlabel="epoch", ylabel="Per-patient Dice", ylim=(0, 1))
        for axes in (losses, dice):
            axes.legend()
            axes.grid(alpha=0.3)
            axes.xaxis.get_major_locator().set_params(integer=True)

    return drawn(draw, (10, 4), dpi=100)
