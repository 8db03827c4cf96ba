"""`chaosprep prepare`."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from chaosprep.cli.options import run_options, source_argument
from chaosprep.cli.output import Talk
from chaosprep.cli.parameters import parameter_options
from chaosprep.cli.stage import show_plan
from chaosprep.dataset.planning import check_request, make_plan
from chaosprep.dataset.runner import OnError
from chaosprep.stages.prepare import FOLDERS, SECTIONS, prepare_params, read_config, run_all
from chaosprep.stages.split import SPLIT


@click.command("prepare")
@source_argument("ROOT")
@parameter_options(*SECTIONS.values())
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file with a table for each stage; options given here go before it.",
)
@click.option("--report", "page", is_flag=True, help="Make DIR/report.html to look at as well.")
@run_options
def command(
    source: Path,
    output: Path,
    jobs: int,
    on_error: OnError,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    verbose: int,
    quiet: int,
    no_progress: bool,
    config: Path | None,
    page: bool,
    **fields: Any,
) -> None:
    """Makes DIR/split, DIR/liver, DIR/images and DIR/augmented, each a complete dataset."""
    ctx = click.get_current_context()
    given = {
        name: value
        for name, value in fields.items()
        if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    with Talk(verbose - quiet, as_json, not no_progress) as talk:
        params = prepare_params(given, read_config(config) if config else None)
        if dry_run:
            found, first = SPLIT.open(source, params.split), output / FOLDERS["split"]
            check_request(SPLIT, found, first)
            plan = make_plan(SPLIT, params.split, found, first, overwrite=overwrite)
            show_plan("split", plan, as_json)
            if not as_json:
                click.echo(f"Then extract-liver, convert and augment, below {output}.")
            return
        run_all(
            source,
            output,
            params,
            jobs=jobs,
            on_error=on_error,
            overwrite=overwrite,
            on_event=talk.on_event,
        )
        if page:
            from chaosprep.quality.report import report

            report(output / FOLDERS["augment"], output / "report.html", jobs=jobs)
        code = talk.finish(output / "report.html" if page else None)
    ctx.exit(code)
