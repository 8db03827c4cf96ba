"""`chaosprep card`."""

from pathlib import Path

import click

from chaosprep.cli.options import FILE, source_argument, talk_options
from chaosprep.cli.output import Talk
from chaosprep.cli.texts import show_text
from chaosprep.errors import ChaosprepError
from chaosprep.paper.card import card
from chaosprep.running.page import CARD


@click.command("card")
@source_argument("DIR")
@click.option(
    "-o",
    "--output",
    metavar="FILE.md",
    type=FILE,
    help="The card to write, outside DIR. [default: stdout]",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
@talk_options
def command(source: Path, output: Path | None, overwrite: bool, talk: Talk) -> None:
    """DIR is what any stage made. Nothing is made up: search for NOT IN THE MANIFEST.

    What you filled in stays: an existing card is replaced only with --overwrite.
    """
    if output is not None and output.exists() and not overwrite:
        raise ChaosprepError(
            f"{output}: it already exists and may contain text that somebody filled in",
            "Give another name, or use --overwrite to replace it.",
            code="output-foreign",
        )
    show_text(card, CARD, source, output, overwrite, talk)
