"""`chaosprep export`: a command for each export, made of its record."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

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
from chaosprep.cli.parameters import parameter_options
from chaosprep.errors import plural
from chaosprep.exports.table import EXPORTS, find_export, lines
from chaosprep.running.folder import Exported, Options
from chaosprep.running.mapping import ignore


class Exports(click.Group):
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


@click.group("export", cls=Exports)
def command() -> None:
    """Each export checks what it wrote and carries LICENSE-DATA.txt."""


def _command(format: str) -> click.Command:
    export = find_export(format)

    @export_command(format)
    @parameter_options(export.params)
    def made(source: Path, output: Path, options: Options, **params: Any) -> Exported:
        return export(source, output, options=options, **params)

    made.help = f"{EXPORTS.get(format, '')}\n\n{export.help}".strip()
    return made


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
