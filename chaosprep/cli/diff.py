"""`chaosprep diff`."""

from pathlib import Path
from typing import Any

import click
import msgspec

from chaosprep.cli.options import ANY, jobs_option, talk_options
from chaosprep.cli.output import Talk, say, write_json
from chaosprep.cli.parameters import parameter_options
from chaosprep.layouts.find import LayoutParams
from chaosprep.printable import printable
from chaosprep.quality.diff.diff import diff
from chaosprep.quality.diff.found import Diff
from chaosprep.quality.diff.lines import lines

DIFFERS = 1  # exit code: something differs


@click.command("diff")
@click.argument("a", metavar="A", type=ANY)
@click.argument("b", metavar="B", type=ANY)
@parameter_options(LayoutParams, without=("compression",))
@jobs_option
@talk_options
def command(a: Path, b: Path, talk: Talk, **chosen: Any) -> None:
    """A is the old state, B the new: stage directories, dataset roots of any layout, or masks.

    Tells what came, went or changed: patients, cases, slices, pixels, masks, names of mask values,
    sides, parameters of stages. The exit code is 1 where anything differs.
    """
    found = diff(a, b, on_case=talk.each_case("diff"), **chosen)
    if talk.as_json:
        write_json({"differs": found.differs, **msgspec.structs.asdict(found)})
    else:
        _show(found, talk)
    if found.differs:
        click.get_current_context().exit(DIFFERS)


def _show(found: Diff, talk: Talk) -> None:
    for line in lines(found, whole=talk.verbose):
        click.echo(printable(line))
    for note in found.notes if not talk.quiet else ():
        say(f"Note: {note}")
    if not talk.quiet:
        click.echo(found.told)
