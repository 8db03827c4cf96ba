"""`chaosprep train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chaosprep.cli.options import output_option, overwrite_option, source_argument, talk_options
from chaosprep.cli.output import Talk, say
from chaosprep.cli.parameters import parameter_options
from chaosprep.errors import plural
from chaosprep.torch.parameters import TrainParams

if TYPE_CHECKING:
    from chaosprep.torch.checkpoint import EpochScore
    from chaosprep.torch.run_folder import Trained


@click.command("train")
@source_argument("DIR")
@parameter_options(TrainParams)
@output_option
@overwrite_option
@talk_options
def command(source: Path, output: Path, overwrite: bool, talk: Talk, **fields: Any) -> None:
    """DIR is what convert or augment made, with masks on its sides train and val.

    Writes best.pt (the best Dice of val's patients), last.pt, curves.csv, curves.png and run.json.
    """
    from chaosprep.api import train

    def said(score: "EpochScore", is_best: bool, epochs: int) -> None:
        if not talk.quiet:
            say(_line(score, is_best, epochs))

    made = train(source, output, overwrite=overwrite, on_epoch=said, **fields)
    talk.result(made, _closing(made))


def _line(score: "EpochScore", is_best: bool, epochs: int) -> str:
    return (
        f"train: epoch {score.epoch} of {epochs}, loss {score.train_loss:.4f}, "
        f"val {score.val_loss:.4f}, Dice {score.mean:.4f}{' (best)' if is_best else ''}"
    )


def _closing(made: "Trained") -> str:
    dice = ", ".join(f"{patient} {value:.3f}" for patient, value in made.dice.items())
    return (
        f"train: {plural(made.epochs, 'epoch')}, best {made.best_epoch}, Dice "
        f"{made.mean_dice:.3f} ({dice}) -> {made.checkpoint}"
        f"{' (already done)' if made.already_done else ''}"
    )
