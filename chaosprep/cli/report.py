"""`chaosprep report`."""

from pathlib import Path
from typing import Any

import click

from chaosprep.cli.measuring import tolerances
from chaosprep.cli.options import (
    ANY,
    FILE,
    FOLDER,
    jobs_option,
    replace_option,
    talk_options,
)
from chaosprep.cli.output import Talk
from chaosprep.cli.texts import show_text
from chaosprep.errors import UsageError
from chaosprep.paper.text import methods
from chaosprep.quality.report import report
from chaosprep.running.page import TEXT


@click.command("report")
@click.argument("source", metavar="DIR", type=ANY)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=FILE,
    help="The page (.html) or the text (.md) to write, outside DIR; an earlier one is replaced.",
)
@replace_option
@click.option(
    "--methods",
    "as_text",
    is_flag=True,
    help="Write text for a paper instead of a page: what was done, according to the manifest "
    "alone.",
)
@click.option(
    "--reference",
    metavar="REF",
    type=FOLDER,
    help="A stage directory: DIR's masks are predictions, shown next to its own.",
)
@click.option(
    "--tolerance",
    multiple=True,
    callback=tolerances,
    metavar="MM|ORGAN=MM,...",
    help="Predictions get the surface Dice (NSD), as in evaluate.",
)
@click.option(
    "--lesions", is_flag=True, help="Predictions get the metrics of lesions, as in evaluate."
)
@click.option(
    "--ratings",
    multiple=True,
    metavar="FILE.csv",
    type=FILE,
    help="Ratings that the page saved, to show side by side on it. At most two.",
)
@click.option(
    "--slices",
    type=click.Choice(["all", "labelled", "none"]),
    default="all",
    show_default=True,
    help="Which slices get a picture.",
)
@click.option(
    "--max-mb",
    type=click.FloatRange(min=0, min_open=True),
    default=25,
    show_default=True,
    help="The largest page; pictures shrink to fit.",
)
@jobs_option
@talk_options
def command(
    source: Path,
    output: Path | None,
    as_text: bool,
    talk: Talk,
    overwrite: bool,
    **chosen: Any,
) -> None:
    """DIR is what any stage made. The page opens in a browser from disk and needs no network.

    With --reference, DIR holds predictions: what predict or assemble made, or what evaluate takes.
    With --methods and no -o the text goes to stdout.
    """
    if as_text:
        show_text(methods, TEXT, source, output, overwrite, talk)
        return
    if output is None:
        raise UsageError("-o is missing", "Name the page to write: -o FILE.html.", "output")
    made = report(source, output, overwrite=overwrite, **chosen)
    talk.result(made, made.told)
