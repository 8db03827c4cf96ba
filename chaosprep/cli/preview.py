"""`chaosprep preview`."""

from pathlib import Path
from typing import Any

import click

from chaosprep.cli.options import file_option, source_argument, talk_options
from chaosprep.cli.output import Talk
from chaosprep.errors import plural
from chaosprep.quality.montage import preview


@click.command("preview")
@source_argument("DIR")
@file_option("png", "picture")
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
@talk_options
def command(source: Path, output: Path, talk: Talk, **chosen: Any) -> None:
    """DIR is what any stage made. Augmented copies are shown by `report`."""
    sheet = preview(source, output, **chosen)
    talk.result(
        sheet,
        f"preview: {plural(sheet.cases, 'case')}, {plural(sheet.slices, 'slice')} -> "
        f"{sheet.path} ({sheet.width}x{sheet.height})",
    )
