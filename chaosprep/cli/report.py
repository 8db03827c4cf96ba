"""`chaosprep report`."""

from pathlib import Path

import click

from chaosprep.cli.options import jobs_option, json_option, quiet_option, source_argument
from chaosprep.cli.output import Talk, write_json
from chaosprep.errors import plural
from chaosprep.quality.report import Shown, report


@click.command("report")
@source_argument("DIR")
@click.option(
    "-o",
    "--output",
    metavar="FILE.html",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page to write, outside DIR; an earlier one is replaced.",
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
@json_option
@quiet_option
def command(
    source: Path,
    output: Path,
    slices: Shown,
    max_mb: float,
    jobs: int,
    as_json: bool,
    quiet: int,
) -> None:
    """DIR is what any stage made. The page opens in a browser from disk and needs no network."""
    with Talk(-quiet, as_json, bar=False):
        made = report(source, output, slices=slices, max_mb=max_mb, jobs=jobs)
    if as_json:
        write_json(made)
    elif not quiet:
        click.echo(
            f"report: {plural(made.cases, 'case')}, {plural(made.slices, 'slice')}, "
            f"{plural(made.faults, 'fault')}, {plural(made.warnings, 'warning')} -> "
            f"{made.path} ({made.bytes / 1e6:.1f} MB)"
        )
