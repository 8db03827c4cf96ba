"""The command of a stage: every stage is run, planned and closed in the same way."""

from pathlib import Path
from typing import Any

import click

from chaosprep.cli.options import RunOptions, run_options, shard_option, source_argument
from chaosprep.cli.output import write_json
from chaosprep.cli.parameters import parameter_options
from chaosprep.errors import plural
from chaosprep.params import P, make_params
from chaosprep.running.planning import Plan, check_request, make_plan
from chaosprep.running.runner import run
from chaosprep.running.shards import parse_part
from chaosprep.running.stage import C, Stage


def stage_command(stage: Stage[C, P], source_name: str, help: str) -> click.Command:
    """The command that runs one stage from `source_name` to `-o DIR`."""

    @click.command(stage.name, help=help)
    @source_argument(source_name)
    @parameter_options(stage.params)
    @run_options
    @shard_option
    def command(source: Path, options: RunOptions, shard: str | None, **fields: Any) -> None:
        with options.talk() as talk:
            params = make_params(stage.params, fields)
            if options.dry_run:
                show_dry_run(stage, params, source, options.output, options, shard)
                return
            given = options.for_run(talk.on_event) | {"shard": shard}
            run(stage, params, source, options.output, **given)
            code = talk.finish()
        click.get_current_context().exit(code)

    return command


def show_dry_run(
    stage: Stage[C, P],
    params: P,
    source: Path,
    output: Path,
    options: RunOptions,
    shard: str | None = None,
) -> None:
    """What a run of the stage into `output` would do; nothing is written."""
    found = stage.open(source, params)
    check_request(stage, found, output)
    part = None if shard is None else parse_part(shard)
    plan = make_plan(stage, params, found, output, overwrite=options.overwrite, part=part)
    show_plan(stage.name, plan, options.as_json)


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
