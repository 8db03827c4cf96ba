"""The options that verbs share, each defined once."""

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from chaosprep.cli.output import Talk
from chaosprep.running.process import settle_in
from chaosprep.running.runner import OnError, OnEvent

F = TypeVar("F", bound=Callable[..., Any])


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def source_argument(name: str) -> Callable[[F], F]:
    """The positional input: `ROOT`, a dataset as it was downloaded, or `DIR`, a stage directory."""
    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.argument("source", metavar=name, type=kind)


output_option = click.option(
    "-o",
    "--output",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The directory to make.",
)
jobs_option = click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=cores,
    envvar="CHAOSPREP_JOBS",
    show_default="number of cores",
    help="Worker processes.",
)
dask_option = click.option(
    "--dask",
    metavar="ADDRESS",
    envvar="CHAOSPREP_DASK",
    help="Work on a Dask cluster: its scheduler (tcp://host:8786), local (--jobs processes here), "
    "or config (what Dask is configured to use).",
)
shard_option = click.option(
    "--shard",
    metavar="I/N",
    envvar="CHAOSPREP_SHARD",
    help="Work on the I-th of N parts of the cases; chaosprep merge makes one of them.",
)
on_error_option = click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="Commit nothing where there are problems, or leave those slices out.",
)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Do everything again, whatever stands in the output."
)
dry_run_option = click.option(
    "-n", "--dry-run", is_flag=True, help="Say what would be done, and write nothing."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
verbose_option = click.option(
    "-v", "--verbose", count=True, help="Say more (each case). Repeatable."
)
quiet_option = click.option("-q", "--quiet", count=True, help="Say less (errors only).")
no_progress_option = click.option("--no-progress", is_flag=True, help="No progress bar.")


def talk_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--json`, `-v` and `-q`; the function gets them as one, `talk`, and runs inside of it.

    Where the verb has `--no-progress` as well, there is a progress bar without it.
    """

    @wraps(function)
    def talking(as_json: bool, verbose: int, quiet: int, **values: Any) -> None:
        bar = not values.pop("no_progress", True)
        with Talk(verbose - quiet, as_json, bar) as talk:
            function(talk=talk, **values)

    command: Callable[..., None] = talking
    for option in (quiet_option, verbose_option, json_option):
        command = option(command)
    return command


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a verb that makes a directory takes besides its own parameters."""

    output: Path
    jobs: int = 1
    dask: str | None = None
    on_error: OnError
    overwrite: bool
    dry_run: bool
    as_json: bool
    verbose: int
    quiet: int
    no_progress: bool

    def talk(self) -> Talk:
        """How the verb is to talk."""
        return Talk(self.verbose - self.quiet, self.as_json, not self.no_progress)

    def for_run(self, on_event: OnEvent) -> dict[str, Any]:
        """What the runner takes of them."""
        return {
            "jobs": self.jobs,
            "dask": self.dask,
            "on_error": self.on_error,
            "overwrite": self.overwrite,
            "on_event": on_event,
        }


_WORKERS = (jobs_option, dask_option)
_RUN_OPTIONS = (
    output_option,
    *_WORKERS,
    on_error_option,
    overwrite_option,
    dry_run_option,
    json_option,
    verbose_option,
    quiet_option,
    no_progress_option,
)


def run_options(function: Callable[..., None], *, workers: bool = True) -> Callable[..., None]:
    """Add the options of `RunOptions`, and hand them to the function as one, `options`.

    Without `workers`, the verb works in this process.
    """

    @wraps(function)
    def gathered(**values: Any) -> None:
        names = [field.name for field in fields(RunOptions) if field.name in values]
        own = {name: values.pop(name) for name in names}
        settle_in()
        function(options=RunOptions(**own), **values)

    command: Callable[..., None] = gathered
    for option in reversed(_RUN_OPTIONS):
        if workers or option not in _WORKERS:
            command = option(command)
    return command
