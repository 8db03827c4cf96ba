"""The command of a stage: every stage is run, planned and closed in the same way."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chaosprep.cli.config import blamed, settled
from chaosprep.cli.options import run_options, source_argument
from chaosprep.cli.output import LEFT_OUT, Talk, report_error, say, write_json
from chaosprep.cli.parameters import parameter_options
from chaosprep.dataset.left_out import told as chosen
from chaosprep.dataset.records import SPLITS
from chaosprep.errors import plural
from chaosprep.params import P, Params, make_params
from chaosprep.running.options import RunOptions
from chaosprep.running.runner import run
from chaosprep.running.stage import C, Stage
from chaosprep.workbench import Workbench

if TYPE_CHECKING:
    from chaosprep.running.rehearsal import Rehearsal

_NOT_CHECKED = "--check looks at what was written, so a dry run does not do it"


def stage_command(stage: Stage[C, P]) -> click.Command:
    """The command that runs one stage from its source to `-o DIR`."""

    @source_argument(stage.source_name)
    @parameter_options(stage.params, without=stage.positional)
    @partial(run_options, without=stage.not_taken)
    def command(
        source: Path, output: Path, dry_run: bool, talk: Talk, options: RunOptions, **fields: Any
    ) -> None:
        with blamed(fields):
            params = make_params(stage.params, settled(fields))
        if dry_run:
            code = show_dry_run(stage, params, source, output, options, talk)
            click.get_current_context().exit(code)
        run(stage, params, source, output, options)
        show_check(output, source, params, options, output, talk)
        click.get_current_context().exit(talk.finish())

    for name, metavar in reversed(list(stage.positional.items())):
        command = click.argument(name, metavar=metavar, type=click.Path(exists=True))(command)
    return click.command(stage.name, help=stage.help)(command)


def show_check(
    directory: Path, source: Path, params: Params, options: RunOptions, beside: Path, talk: Talk
) -> None:
    """Say what `--check` finds in what split made, where it was asked for.

    Raises:
        ProblemsError: `split-leaks` or `split-unchecked`.
        ChaosprepError: what `check_split` raises.
    """
    if getattr(params, "check", False):
        from chaosprep.quality.evidence import check_split

        if found := check_split(directory, source, params, options, beside):
            talk.checked(found)
            if error := found.error(directory):
                raise error


def show_dry_run(
    stage: Stage[C, P],
    params: P,
    source: Path,
    output: Path,
    options: RunOptions,
    talk: Talk,
    bench: Workbench | None = None,
) -> int:
    """Say what a run would do, who goes where and what is wrong; give the run's exit code."""
    from chaosprep.running.rehearsal import rehearse

    tried: Rehearsal[Any] = rehearse(stage, params, source, output, options, bench)
    talk.stop_bar()
    plan, problems = tried.plan, tried.problems
    sides: dict[str, set[str]] = {}
    for case in map(plan.complete, plan.cases):
        sides.setdefault(case.split, set()).add(case.patient)
    patients = {side: sorted(sides[side]) for side in SPLITS if side in sides}
    to_do = len(plan.cases) - len(plan.done)
    if talk.as_json:
        counts = {"to_do": to_do, "done": len(plan.done), "stale": plan.stale}
        told = {"status": "planned", "stage": stage.name, **counts, "patients": patients}
        write_json({**told, "problems": problems, "left_out": plan.left_out})
    else:
        for side, names in patients.items():
            click.echo(f"{side}: {plural(len(names), 'patient')}: {', '.join(names)}")
        click.echo(
            f"{stage.name}: {plural(len(plan.cases), 'case')}: {to_do} to do, "
            f"{len(plan.done)} done, {plan.stale} stale -> {plan.output} (dry run)"
        )
        for line in () if talk.quiet else chosen(plan.left_out, whole=talk.verbose):
            say(f"Left out: {line}")
    if tried.error is None:
        talk.remarks(problems, [_NOT_CHECKED] if getattr(params, "check", False) else ())
        return LEFT_OUT if problems else 0
    report_error(tried.error, talk.loudness)
    return tried.error.exit_code
