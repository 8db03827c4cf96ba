"""`chaosprep train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chaosprep.cli.options import output_option, overwrite_option, source_argument, talk_options
from chaosprep.cli.output import Talk, say
from chaosprep.cli.parameters import parameter_options
from chaosprep.torch.parameters import TrainParams

if TYPE_CHECKING:
    from chaosprep.torch.checkpoint import EpochScore


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
            say(score.told(is_best, epochs))

    made = train(source, output, overwrite=overwrite, on_epoch=said, **fields)
    talk.result(made, made.told)
