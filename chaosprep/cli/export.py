"""`chaosprep export`: one command for each layout, each imported when it is called for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from chaosprep.cli.lazy import LazyGroup
from chaosprep.cli.options import (
    jobs_option,
    json_option,
    on_error_option,
    output_option,
    overwrite_option,
    quiet_option,
    source_argument,
    verbose_option,
)
from chaosprep.cli.output import LEFT_OUT, Talk, say, write_json
from chaosprep.errors import plural
from chaosprep.running.folder import Exported, Options
from chaosprep.running.mapping import ignore

FORMATS = {
    "nnunet": "nnU-Net v2's raw layout: volumes, dataset.json and splits_final.json.",
    "nifti": "NIfTI volumes with BIDS-like names.",
    "monai": "NIfTI volumes and a Decathlon datalist with folds.",
    "huggingface": "An imagefolder for datasets: PNG pairs, metadata.jsonl and a dataset card.",
    "parquet": "The table as Parquet, for pandas, polars and duckdb.",
    "croissant": "The dataset with its Croissant description, for dataset search.",
}
Exporting = Callable[[Options], Exported]
sequence_option = click.option(
    "--sequence",
    "sequences",
    multiple=True,
    metavar="NAME",
    help="A sequence to take, such as t1-in; channels come in this order. Repeatable. "
    "[default: all]",
)
channels_option = click.option(
    "--channels",
    type=click.Choice(["joint", "single"]),
    default="joint",
    show_default=True,
    help="A patient's sequences are the channels of one case, or each is a case of its own.",
)


@click.group("export", cls=LazyGroup, lines=FORMATS, module="chaosprep.cli.export_")
def command() -> None:
    """Each export checks what it wrote and carries LICENSE-DATA.txt."""


@dataclass(frozen=True)
class _Talking:
    jobs: int
    on_error: Any
    overwrite: bool
    as_json: bool
    verbose: int
    quiet: int


def export_command(
    format: str, title: str | None = None, metavar: str = "DIR"
) -> Callable[[Callable[..., Exported]], click.Command]:
    """Make `chaosprep export FORMAT DIR -o OUT` of a function; `title` is for another verb.

    The function gets `source`, `output`, `options` and what its own options add; it gives an
    `Exported`, of which the closing line is made.
    """
    said = title or f"export {format}"

    def decorate(function: Callable[..., Exported]) -> click.Command:
        @wraps(function)
        def run(source: Path, output: Path, **values: Any) -> None:
            talking = _Talking(**{key: values.pop(key) for key in _Talking.__annotations__})
            with Talk(talking.verbose - talking.quiet, talking.as_json, bar=False):
                made = function(
                    source=source, output=output, options=_options(said, talking), **values
                )
            _close(made, said, talking)

        finished: Callable[..., Any] = run
        for option in (
            quiet_option,
            verbose_option,
            json_option,
            overwrite_option,
            on_error_option,
            jobs_option,
            output_option,
            source_argument(metavar),
        ):
            finished = option(finished)
        return click.command(format)(finished)

    return decorate


def _options(title: str, talking: _Talking) -> Options:
    def each(case: str, done: int, total: int) -> None:
        say(f"{title}: {case} ({done} of {total})")

    on_case = each if talking.verbose > talking.quiet else ignore
    return Options(talking.jobs, talking.on_error, talking.overwrite, on_case)


def _close(made: Exported, title: str, talking: _Talking) -> None:
    if not talking.quiet:
        for problem in made.skipped:
            say(f"Left out: {problem}")
        for note in made.notes:
            say(f"Note: {note}")
    if talking.as_json:
        write_json(made)
    elif not talking.quiet:
        click.echo(
            f"{title}: {plural(made.cases, 'case')}, {plural(made.slices, 'slice')}, "
            f"{len(made.skipped)} skipped -> {made.path}"
        )
    if made.skipped:
        click.get_current_context().exit(LEFT_OUT)
