"""`chaosprep verify`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from chaosprep.cli.options import jobs_option, source_argument, talk_options
from chaosprep.cli.output import Talk, say, told
from chaosprep.cli.parameters import parameter_options
from chaosprep.errors import Problem
from chaosprep.layouts.find import LayoutParams
from chaosprep.quality.shown import counts, leaks_first
from chaosprep.quality.verify import verify

FAULTS = 1  # exit code: faults were found
_NOT_HERE = (
    *("compression", "patient_from", "trust_folders", "redivide"),
    *("select", "series", "pick", "pseudonymize"),
)


def how_many(ctx: click.Context, option: click.Parameter, value: str) -> int | Literal["all"]:
    """A number, or `all`."""
    if value == "all":
        return "all"
    if not value.isdecimal() or len(value) > 9:
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
@parameter_options(LayoutParams, without=_NOT_HERE)
@talk_options
def command(source: Path, strict: bool, talk: Talk, **chosen: Any) -> None:
    """DIR is what any stage made, or any other folder with train/val(/test) and images/masks.

    Tables that name its pictures (metadata.jsonl, metadata.csv, Croissant's records) are read.
    Or it is a data set of volumes: of nnU-Net or the Decathlon, in folders images and masks, or
    where --images and --masks say.

    Faults are listed; if there are any, the exit code is 1.
    """
    verdict = verify(
        source,
        on_case=(lambda case: say(f"verify: {case}")) if talk.verbose else None,
        patients=chosen.pop("patients") or (),
        **chosen,
    )
    if not talk.as_json:
        faults, warnings = (leaks_first(some) for some in (verdict.faults, verdict.warnings))
        found = {"Fault": faults} if talk.quiet else {"Fault": faults, "Warning": warnings}
        for line in (*counts(found), *_each(found, talk.verbose)):
            say(line)
        for note in verdict.notes if not talk.quiet else ():
            say(f"Note: {note}")
    talk.result(verdict, verdict.told)
    if verdict.faults or (strict and verdict.warnings):
        click.get_current_context().exit(FAULTS)


def _each(found: Mapping[str, Sequence[Problem]], whole: bool) -> Iterator[str]:
    for kind, problems in found.items():
        yield from told(f"{kind}: ", problems, whole)
