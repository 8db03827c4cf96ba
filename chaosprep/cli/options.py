"""The options that verbs share, each defined once."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, TypeVar

import click

from chaosprep.cli.lazy import CLICKS
from chaosprep.cli.output import LOUDNESS, Talk
from chaosprep.cli.parameters import option_of
from chaosprep.cli.places import Place
from chaosprep.errors import named
from chaosprep.params import describe_params
from chaosprep.running.options import RunOptions
from chaosprep.running.process import settle_in
from chaosprep.systems.processes import cores

F = TypeVar("F", bound=Callable[..., Any])


FOLDER = Place(file_okay=False)
ANY = Place()
FILE = Place(makes=True, dir_okay=False)
NEW_FOLDER = Place(makes=True, file_okay=False)


def source_argument(name: str) -> Callable[[F], F]:
    """The positional input: `ROOT`, a dataset as it was downloaded, or `DIR`, a stage directory."""
    return click.argument("source", metavar=name, type=FOLDER)


def file_option(ending: str, what: str) -> Callable[[F], F]:
    """The `-o FILE` of a verb that makes one file beside its input."""
    told = f"The {what} to write, outside DIR; an earlier one is replaced."
    name = f"FILE.{ending}"
    option = click.option("-o", "--output", metavar=name, required=True, type=FILE, help=told)
    return lambda function: option(replace_option(function))


replace_option = click.option(
    "--overwrite", is_flag=True, help="Replace a file that chaosprep did not make."
)


output_option = click.option(
    "-o",
    "--output",
    metavar="DIR",
    required=True,
    type=NEW_FOLDER,
    help="The directory to make.",
)
_SETTINGS: dict[str, dict[str, Any]] = {
    "jobs": {
        "type": click.IntRange(min=1),
        "default": None,
        "envvar": "CHAOSPREP_JOBS",
        "show_default": "number of cores",
        "help": "Worker processes; a small job takes none by default.",
    },
    "dask": {"metavar": "ADDRESS", "envvar": "CHAOSPREP_DASK"},
    "shard": {"metavar": "I/N", "envvar": "CHAOSPREP_SHARD"},
    "store": {"envvar": "CHAOSPREP_STORE"},
}
_LETTERS = {"jobs": ["-j"]}


def _run_option(name: str, **more: Any) -> Callable[[Any], Any]:
    settings = _SETTINGS.get(name, {}) | more
    return option_of(_FIELDS[name], *_LETTERS.get(name, ()), **settings)


_FIELDS = {field.name: field for field in describe_params(RunOptions) if field.name != "on_event"}
RUN: dict[str, Callable[[Any], Any]] = {name: _run_option(name) for name in _FIELDS}
"""The fields of `RunOptions` as options."""
jobs_option = _run_option("jobs", default=cores, help="Worker processes.")
"""The `--jobs` of a verb that is no stage."""
on_error_option, overwrite_option = RUN["on_error"], RUN["overwrite"]
dry_run_option = click.option(
    "-n",
    "--dry-run",
    is_flag=True,
    is_eager=True,
    help="Do everything but write: report what a run would do or refuse.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, is_eager=True, help="Write the result as JSON."
)
verbose_option = click.option(
    "-v",
    "--verbose",
    count=True,
    help="Say more (each case); -vv also says where in the program an error comes from.",
)
quiet_option = click.option(
    "-q", "--quiet", count=True, is_eager=True, help="Say less (errors only)."
)
no_progress_option = click.option("--no-progress", is_flag=True, help="No progress bar.")


def talk_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--json`, `-v` and `-q`; the function gets them as one, `talk`, and runs inside of it.

    Where the verb has `--no-progress` as well, there is a progress bar without it.
    """

    @wraps(function)
    def talking(as_json: bool, verbose: int, quiet: int, **values: Any) -> None:
        bar = not values.pop("no_progress", True)
        with Talk(verbose - quiet, as_json, bar) as talk, named(but=CLICKS):
            click.get_current_context().meta[LOUDNESS] = talk.loudness
            function(talk=talk, **values)

    command: Callable[..., None] = talking
    for option in (quiet_option, verbose_option, json_option):
        command = option(command)
    return command


def run_options(
    function: Callable[..., None], *, without: Collection[str] = ()
) -> Callable[..., None]:
    """Add `-o`, `--dry-run`, `talk_options` and the fields of `RunOptions`, as one: `options`.

    `without` are run options that the verb does not take.
    """
    taken = [name for name in RUN if name not in without]

    @wraps(function)
    def gathered(talk: Talk, **values: Any) -> None:
        settle_in()
        run = {name: values.pop(name) for name in taken}
        function(talk=talk, options=RunOptions(**run, on_event=talk.on_event), **values)

    command = talk_options(no_progress_option(gathered))
    for option in (dry_run_option, *(RUN[name] for name in reversed(taken)), output_option):
        command = option(command)
    return command
