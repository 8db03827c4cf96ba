"""`chaosprep preview`."""

from pathlib import Path

import click

from chaosprep.cli.options import json_option, quiet_option, source_argument
from chaosprep.cli.output import Talk, write_json
from chaosprep.errors import plural
from chaosprep.quality.montage import preview


@click.command("preview")
@source_argument("DIR")
@click.option(
    "-o",
    "--output",
    metavar="FILE.png",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The picture to write, outside DIR; an earlier one is replaced.",
)
@click.option("--case", "cases", multiple=True, metavar="ID", help="Only this case. Repeatable.")
@click.option(
    "--per-case",
    type=click.IntRange(min=0),
    default=8,
    show_default=True,
    help="At most this many slices of a case, evenly spread; 0 for all.",
)
@click.option(
    "--tile",
    type=click.IntRange(min=32, max=1024),
    default=160,
    show_default=True,
    help="Side of one slice in pixels.",
)
@json_option
@quiet_option
def command(
    source: Path,
    output: Path,
    cases: tuple[str, ...],
    per_case: int,
    tile: int,
    as_json: bool,
    quiet: int,
) -> None:
    """DIR is what any stage made. Augmented copies are left to `report`."""
    with Talk(-quiet, as_json, bar=False):
        sheet = preview(source, output, cases=cases, per_case=per_case, tile=tile)
    if as_json:
        write_json(sheet)
    elif not quiet:
        click.echo(
            f"preview: {plural(sheet.cases, 'case')}, {plural(sheet.slices, 'slice')} -> "
            f"{sheet.path} ({sheet.width}x{sheet.height})"
        )
