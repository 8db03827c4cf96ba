"""`chaosprep report`."""

from pathlib import Path
from typing import Any

import click

from chaosprep.cli.options import FOLDER, file_option, jobs_option, talk_options
from chaosprep.cli.output import Talk
from chaosprep.errors import plural
from chaosprep.quality.report import report


@click.command("report")
@click.argument("source", metavar="DIR", type=click.Path(exists=True, path_type=Path))
@file_option("html", "page")
@click.option(
    "--reference",
    metavar="REF",
    type=FOLDER,
    help="A stage directory: DIR's masks are predictions, shown beside its own.",
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
def command(source: Path, output: Path, talk: Talk, **chosen: Any) -> None:
    """DIR is what any stage made. The page opens in a browser from disk and needs no network.

    With --reference DIR is predictions: what predict or assemble made, or any that evaluate takes.
    """
    made = report(source, output, **chosen)
    talk.result(
        made,
        f"report: {plural(made.cases, 'case')}, {plural(made.slices, 'slice')}, "
        f"{plural(made.faults, 'fault')}, {plural(made.warnings, 'warning')} -> "
        f"{made.path} ({made.bytes / 1e6:.1f} MB)",
    )
