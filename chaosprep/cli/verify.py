"""`chaosprep verify`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from chaosprep.cli.options import jobs_option, source_argument, talk_options
from chaosprep.cli.output import Talk, say, told
from chaosprep.cli.parameters import parameter_options
from chaosprep.errors import Problem, plural
from chaosprep.layouts.find import LayoutParams
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
        faults, warnings = (_leaks_first(some) for some in (verdict.faults, verdict.warnings))
        found = {"Fault": faults} if talk.quiet else {"Fault": faults, "Warning": warnings}
        for line in (*_counts(found), *_each(found, talk.verbose)):
            say(line)
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


def _leaks_first(problems: Iterable[Problem]) -> list[Problem]:
    """By code, leakage before all others: it makes every number that is measured worthless."""
    return sorted(problems, key=lambda one: (one.code != "leakage", one.code))


def _counts(found: Mapping[str, Sequence[Problem]]) -> Iterator[str]:
    """How many there are of each code, where that is not seen at a glance."""
    for kind, problems in found.items():
        if len(problems) > 1:
            codes = Counter(problem.code for problem in problems)
            yield f"{kind}s: {', '.join(f'{count} {code}' for code, count in codes.items())}"


def _each(found: Mapping[str, Sequence[Problem]], whole: bool) -> Iterator[str]:
    for kind, problems in found.items():
        yield from told(f"{kind}: ", problems, whole)
