"""`chaosprep verify`."""

from pathlib import Path

import click

from chaosprep.cli.options import jobs_option, json_option, quiet_option, source_argument
from chaosprep.cli.output import Talk, plural, say, write_json
from chaosprep.quality.verify import verify

FAULTS = 1  # exit code: faults were found


@click.command("verify")
@source_argument("DIR")
@jobs_option
@click.option("--strict", is_flag=True, help="Count warnings as faults.")
@json_option
@quiet_option
def command(source: Path, jobs: int, strict: bool, as_json: bool, quiet: int) -> None:
    """DIR is what any stage made. Faults are listed, and the exit code is then 1."""
    with Talk(-quiet, as_json, bar=False):
        verdict = verify(source, jobs=jobs)
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
