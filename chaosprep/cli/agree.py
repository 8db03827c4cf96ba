"""`chaosprep agree`."""

from pathlib import Path
from typing import Any

import click

from chaosprep.cli.measuring import (
    nsd_option,
    organ_option,
    patient_option,
    spacing_option,
    tolerance_option,
)
from chaosprep.cli.options import (
    ANY,
    NEW_FOLDER,
    jobs_option,
    on_error_option,
    overwrite_option,
    talk_options,
)
from chaosprep.cli.output import LEFT_OUT, Talk, write_json
from chaosprep.evaluation.readers.agree import agree
from chaosprep.evaluation.readers.agreement import Agreed
from chaosprep.evaluation.readers.agreement_table import lines
from chaosprep.evaluation.readers.consensus import METHODS
from chaosprep.printable import printable


@click.command("agree")
@click.argument("readers", metavar="READER READER...", nargs=-1, required=True, type=ANY)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=NEW_FOLDER,
    help="The folder of the consensus to make. [default: only compare]",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="majority",
    show_default=True,
    help="More than half of the readers, or STAPLE, which estimates how good each reader is.",
)
@patient_option
@organ_option
@spacing_option
@tolerance_option
@nsd_option
@overwrite_option
@on_error_option
@jobs_option
@talk_options
def command(readers: tuple[Path, ...], talk: Talk, **chosen: Any) -> None:
    """Each READER is what evaluate takes: a stage directory, NIfTI, a folder of PNG or npy.

    Every two readers are compared, in 3-D, and distances are in mm. With -o their consensus is
    written, which evaluate takes as a reference.
    """
    found = agree(readers, on_case=talk.each_case("agree"), **chosen)
    _show(found, talk)
    if found.skipped:
        click.get_current_context().exit(LEFT_OUT)


def _show(found: Agreed, talk: Talk) -> None:
    talk.remarks(found.skipped, found.notes)
    if talk.as_json:
        write_json(found)
        return
    for line in lines(found):
        click.echo(printable(line))
    if not talk.quiet:
        click.echo(printable(found.told))
