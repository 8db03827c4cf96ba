"""`chaosprep export`: a command for each export, made of its record."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from pathlib import Path
from typing import Any

import click
import msgspec

from chaosprep.cli.lazy import Suggesting
from chaosprep.cli.options import (
    jobs_option,
    on_error_option,
    output_option,
    overwrite_option,
    source_argument,
    talk_options,
)
from chaosprep.cli.output import LEFT_OUT, Talk, say
from chaosprep.cli.parameters import parameter_options
from chaosprep.cli.print_config import add_config
from chaosprep.errors import plural
from chaosprep.exports.table import EXPORTS, find_export, lines
from chaosprep.running.folder import Exported, rehearsed
from chaosprep.running.options import Event, OnError, RunOptions


class Exports(Suggesting):
    """The exports, each imported when it is called for; its command is made of its record."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The formats in their order, those of other packages last."""
        return list(lines())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import an export."""
        known = cmd_name in EXPORTS or cmd_name in lines()
        return _command(cmd_name) if known else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the formats without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(lines().items()))


dry_run_option = click.option(
    "-n",
    "--dry-run",
    is_flag=True,
    is_eager=True,
    help="Make it in a temporary folder, check it and remove it: report what a run would make or "
    "refuse.",
)


@click.group("export", cls=Exports)
def command() -> None:
    """Each export checks what it wrote and carries LICENSE-DATA.txt."""


def _command(format: str) -> click.Command:
    export = find_export(format)

    @export_command(format)
    @parameter_options(export.params)
    def made(source: Path, output: Path, options: RunOptions, **params: Any) -> Exported:
        return export(source, output, options=options, **params)

    add_config(made, f"export.{format}")
    made.help = f"{EXPORTS.get(format, '')}\n\n{export.help}".strip()
    return made


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
        def run(
            talk: Talk,
            jobs: int,
            on_error: OnError,
            overwrite: bool,
            dry_run: bool,
            **values: Any,
        ) -> None:
            options = RunOptions(
                jobs=jobs,
                on_error=on_error,
                overwrite=overwrite,
                on_event=_say_case if talk.verbose else None,
            )
            with rehearsed() if dry_run else nullcontext():
                made = function(options=options, **values)
            talk.remarks(made.skipped, made.notes)
            shown = {**msgspec.to_builtins(made, enc_hook=str), "dry_run": True}
            talk.result(
                shown if dry_run else made,
                f"{said}: {plural(made.cases, 'case')}, {plural(made.slices, 'slice')}, "
                f"{len(made.skipped)} skipped -> {made.path}{' (dry run)' if dry_run else ''}",
            )
            if made.skipped:
                click.get_current_context().exit(LEFT_OUT)

        finished = talk_options(run)
        options = (dry_run_option, overwrite_option, on_error_option, jobs_option, output_option)
        for option in options:
            finished = option(finished)
        return click.command(format)(source_argument(metavar)(finished))

    return decorate


def _say_case(event: Event) -> None:
    say(f"{event.stage}: {event.case} ({event.finished} of {event.total})")
