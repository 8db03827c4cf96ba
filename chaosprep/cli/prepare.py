"""`chaosprep prepare`."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from chaosprep.cli.config import current_tables
from chaosprep.cli.options import run_options, source_argument
from chaosprep.cli.output import LEFT_OUT, Talk
from chaosprep.cli.parameters import given, parameter_options
from chaosprep.cli.stage import show_check, show_dry_run
from chaosprep.dataset.manifest import Dataset
from chaosprep.running.mapping import on_workers
from chaosprep.running.options import RunOptions
from chaosprep.running.page import PAGE, check_standing
from chaosprep.signatures import listed
from chaosprep.stages.prepare import (
    CHAIN,
    WITHOUT,
    check_places,
    prepare_params,
    run_all,
    steps,
)
from chaosprep.workbench import Workbench

_PLACES = listed(steps(lambda stage: f"DIR/{stage.folder}"))


@source_argument(CHAIN[0].source_name)
@parameter_options(*(stage.params for stage in CHAIN))
@click.option(
    "--report",
    "page",
    is_flag=True,
    help="Also make DIR/report.html, unless it is there.",
)
@partial(run_options, without=WITHOUT)
def _command(
    source: Path,
    output: Path,
    dry_run: bool,
    talk: Talk,
    options: RunOptions,
    page: bool,
    **fields: Any,
) -> None:
    params = prepare_params(given(fields), *current_tables())
    first = CHAIN[0]
    shown = output / "report.html"
    if page:
        check_standing(shown, PAGE, options.overwrite)
    if dry_run:
        check_places(source, output, overwrite=options.overwrite)
        place = output / str(first.folder)
        bench = Workbench.beside(output, options.processes, on_workers)
        code = show_dry_run(first, params[first.name], source, place, options, talk, bench)
        if not talk.as_json and code in (0, LEFT_OUT):
            names = listed(steps(lambda stage: stage.name)[1:])
            click.echo(f"Then {names}, below {output}; a dry run tries only {first.name}.")
        click.get_current_context().exit(code)

    def then(last: Dataset) -> None:
        if page:
            from chaosprep.quality.report import report, stands

            if options.overwrite or not stands(last, shown):
                report(last.directory, shown, jobs=options.processes, overwrite=options.overwrite)
        split = output / str(first.folder)
        show_check(split, source, params[first.name], options, output, talk)

    run_all(source, output, params, options, then)
    click.get_current_context().exit(talk.finish(shown if page else None))


command = click.command("prepare", help=f"Makes {_PLACES}, each a complete dataset.")(_command)
