"""`chaosprep prepare`."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from chaosprep.cli.options import RunOptions, run_options, source_argument
from chaosprep.cli.parameters import parameter_options
from chaosprep.cli.stage import show_dry_run
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
    source: Path, options: RunOptions, config: Path | None, page: bool, **fields: Any
) -> None:
    """Makes DIR/split, DIR/liver, DIR/images and DIR/augmented, each a complete dataset."""
    ctx = click.get_current_context()
    given = {
        name: value
        for name, value in fields.items()
        if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    output = options.output
    with options.talk() as talk:
        params = prepare_params(given, read_config(config) if config else None)
        if options.dry_run:
            show_dry_run(SPLIT, params.split, source, output / FOLDERS["split"], options)
            if not options.as_json:
                click.echo(f"Then extract-liver, convert and augment, below {output}.")
            return
        run_all(source, output, params, **options.for_run(talk.on_event))
        if page:
            from chaosprep.quality.report import report

            report(output / FOLDERS["augment"], output / "report.html", jobs=options.jobs)
        code = talk.finish(output / "report.html" if page else None)
    ctx.exit(code)
