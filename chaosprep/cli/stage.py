"""The command of a stage: every stage is run, planned and closed in the same way."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from chaosprep.cli.options import run_options, source_argument
from chaosprep.cli.output import Talk, write_json
from chaosprep.cli.parameters import given, parameter_options
from chaosprep.dataset.records import SPLITS
from chaosprep.errors import plural
from chaosprep.params import P, make_params
from chaosprep.running.options import RunOptions
from chaosprep.running.planning import Plan, check_request, compare, fresh_plan
from chaosprep.running.runner import run
from chaosprep.running.stage import C, Stage


def stage_command(stage: Stage[C, P]) -> click.Command:
    """The command that runs one stage from its source to `-o DIR`."""

    @source_argument(stage.source_name)
    @parameter_options(stage.params, without=stage.positional)
    @partial(run_options, without=stage.not_taken)
    def command(
        source: Path, output: Path, dry_run: bool, talk: Talk, options: RunOptions, **fields: Any
    ) -> None:
        params = make_params(stage.params, given(fields))
        if dry_run:
            show_dry_run(stage, params, source, output, options, talk.as_json)
            return
        run(stage, params, source, output, options)
        click.get_current_context().exit(talk.finish())

    for name, metavar in reversed(list(stage.positional.items())):
        command = click.argument(name, metavar=metavar, type=click.Path(exists=True))(command)
    return click.command(stage.name, help=stage.help)(command)


def show_dry_run(
    stage: Stage[C, P], params: P, source: Path, output: Path, options: RunOptions, as_json: bool
) -> None:
    """What a run would do: how many cases, which patients on which side; nothing is written."""
    found = stage.open(source, params)
    check_request(stage, found, output, params)
    plan: Plan[Any] = fresh_plan(stage, params, found, output, options.part)
    if not options.overwrite:
        plan = compare(stage, params, plan)
    sides: dict[str, set[str]] = {}
    for case in map(plan.complete, plan.cases):
        sides.setdefault(case.split, set()).add(case.patient)
    patients = {side: sorted(sides[side]) for side in SPLITS if side in sides}
    to_do = len(plan.cases) - len(plan.done)
    if as_json:
        counts = {"to_do": to_do, "done": len(plan.done), "stale": plan.stale}
        write_json({"status": "planned", "stage": stage.name, **counts, "patients": patients})
        return
    for side, names in patients.items():
        click.echo(f"{side}: {plural(len(names), 'patient')}: {', '.join(names)}")
    click.echo(
        f"{stage.name}: {plural(len(plan.cases), 'case')}: {to_do} to do, {len(plan.done)} done, "
        f"{plan.stale} stale -> {plan.output} (dry run)"
    )
