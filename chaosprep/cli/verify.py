"""`chaosprep verify`."""

from collections import Counter
from pathlib import Path
from typing import Any, Literal

import click

from chaosprep.cli.options import jobs_option, source_argument, talk_options
from chaosprep.cli.output import Talk, say
from chaosprep.errors import Problem, plural
from chaosprep.quality.verify import verify

FAULTS = 1  # exit code: faults were found

SHOWN = 20  # warnings of one code; thousands of slices may well be odd in the same way


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
@click.option(
    "--patient",
    "patients",
    multiple=True,
    metavar="ID",
    help="Check only this patient. Repeatable.",
)
@talk_options
def command(source: Path, strict: bool, talk: Talk, **chosen: Any) -> None:
    """DIR is what any stage made, or any other folder with train/val(/test) and images/masks.

    Faults are listed, and the exit code is then 1.
    """
    verdict = verify(
        source, on_case=(lambda case: say(f"verify: {case}")) if talk.verbose else None, **chosen
    )
    if not talk.as_json:
        for fault in verdict.faults:
            say(f"Fault: {fault}")
        if not talk.quiet:
            _say_warnings(verdict.warnings, None if talk.verbose else SHOWN)
        for note in verdict.notes if not talk.quiet else ():
            say(f"Note: {note}")
    noun = "side" if verdict.stage == "folder" else "case"
    talk.result(
        verdict,
        f"verify: {plural(verdict.cases, noun)}, {plural(verdict.slices, 'slice')}, "
        f"{plural(len(verdict.faults), 'fault')}, {plural(len(verdict.warnings), 'warning')}",
    )
    if verdict.faults or (strict and verdict.warnings):
        click.get_current_context().exit(FAULTS)


def _say_warnings(warnings: tuple[Problem, ...], limit: int | None) -> None:
    """Say them all, or so many of each code and how many more there are."""
    counts = Counter[str]()
    for warning in warnings:
        counts[warning.code] += 1
        if limit is None or counts[warning.code] <= limit:
            say(f"Warning: {warning}")
    for code, count in sorted(counts.items()):
        if limit is not None and count > limit:
            say(f"Warning: {code}: {count - limit} more like this; -v shows all")
