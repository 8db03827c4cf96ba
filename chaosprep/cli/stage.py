"""The command of a stage: every stage is run, planned and closed in the same way."""

from pathlib import Path
from typing import Any

import click

from chaosprep.cli.options import run_options, source_argument
from chaosprep.cli.output import Talk, plural, write_json
from chaosprep.cli.parameters import parameter_options
from chaosprep.dataset.planning import Plan, check_request, make_plan
from chaosprep.dataset.runner import OnError, run
from chaosprep.dataset.stage import C, P, Stage, make_params


def stage_command(stage: Stage[C, P], source_name: str, help: str) -> click.Command:
    """The command that runs one stage from `source_name` to `-o DIR`."""

    @click.command(stage.name, help=help)
    @source_argument(source_name)
    @parameter_options(stage.params)
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
        **fields: Any,
    ) -> None:
        with Talk(verbose - quiet, as_json, not no_progress) as talk:
            params = make_params(stage.params, fields)
            if dry_run:
                found = stage.open(source, params)
                check_request(stage, found, output)
                plan = make_plan(stage, params, found, output, overwrite=overwrite)
                show_plan(stage.name, plan, as_json)
                return
            run(
                stage,
                params,
                source,
                output,
                jobs=jobs,
                on_error=on_error,
                overwrite=overwrite,
                on_event=talk.on_event,
            )
            code = talk.finish()
        click.get_current_context().exit(code)

    return command


def show_plan(stage: str, plan: Plan[Any], as_json: bool) -> None:
    """What a run would do: how many cases, and which patients stand on which side."""
    sides: dict[str, set[str]] = {}
    for case in map(plan.complete, plan.cases):
        sides.setdefault(case.split, set()).add(case.patient)
    patients = {side: sorted(sides[side]) for side in ("train", "val", "test") if side in sides}
    to_do = len(plan.cases) - len(plan.done)
    if as_json:
        counts = {"to_do": to_do, "done": len(plan.done), "stale": plan.stale}
        write_json({"status": "planned", "stage": stage, **counts, "patients": patients})
        return
    for side, names in patients.items():
        click.echo(f"{side}: {plural(len(names), 'patient')}: {', '.join(names)}")
    click.echo(
        f"{stage}: {plural(len(plan.cases), 'case')}: {to_do} to do, {len(plan.done)} done, "
        f"{plan.stale} stale -> {plan.output} (dry run)"
    )
