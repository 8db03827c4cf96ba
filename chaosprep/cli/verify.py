"""`chaosprep verify`."""

from pathlib import Path
from typing import Literal

import click

from chaosprep.cli.options import jobs_option, json_option, quiet_option, source_argument
from chaosprep.cli.output import Talk, plural, say, write_json
from chaosprep.quality.verify import verify

FAULTS = 1  # exit code: faults were found


def how_many(ctx: click.Context, option: click.Parameter, value: str) -> int | Literal["all"]:
    """A number, or `all`."""
    if value == "all":
        return "all"
    if not value.isdecimal():
        raise click.BadParameter(f"{value!r} is neither a number nor all", ctx, option)
    return int(value)


@click.command("verify")
@source_argument("DIR")
@jobs_option
@click.option("--strict", is_flag=True, help="Count warnings as faults.")
@click.option(
    "--replay",
    callback=how_many,
    default="0",
    metavar="N|all",
    help="Make this many augmented copies again and compare them.",
)
@json_option
@quiet_option
def command(
    source: Path,
    jobs: int,
    strict: bool,
    replay: int | Literal["all"],
    as_json: bool,
    quiet: int,
) -> None:
    """DIR is what any stage made. Faults are listed, and the exit code is then 1."""
    with Talk(-quiet, as_json, bar=False):
        verdict = verify(source, jobs=jobs, replay=replay)
    failed = bool(verdict.faults or (strict and verdict.warnings))
    if as_json:
        write_json(verdict)
    else:
        for fault in verdict.faults:
            say(f"Fault: {fault}")
        for warning in verdict.warnings if not quiet else ():
            say(f"Warning: {warning}")
    if not as_json and not quiet:
        click.echo(
            f"verify: {plural(verdict.cases, 'case')}, {plural(verdict.slices, 'slice')}, "
            f"{plural(len(verdict.faults), 'fault')}, {plural(len(verdict.warnings), 'warning')}"
        )
    if failed:
        click.get_current_context().exit(FAULTS)
