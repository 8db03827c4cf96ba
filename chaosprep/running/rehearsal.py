"""A dry run: everything that a run does, but for what it would write."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from chaosprep.dataset.opening import is_finished, open_output
from chaosprep.errors import ChaosprepError, Problem, ProblemsError
from chaosprep.params import P, check_params
from chaosprep.running.lessons import with_learned
from chaosprep.running.mapping import on_workers
from chaosprep.running.options import DEFAULTS, Event, RunOptions
from chaosprep.running.planning import Plan, compare, fresh_plan
from chaosprep.running.request import check_request
from chaosprep.running.runner import left_out, nothing_left
from chaosprep.running.small import opener
from chaosprep.running.stage import C, Stage
from chaosprep.running.tasks import work
from chaosprep.workbench import Workbench


@dataclass(frozen=True)
class Rehearsal(Generic[C]):
    """What a run would do: its plan, what it would leave out, and the error that would end it."""

    plan: Plan[C]
    problems: tuple[Problem, ...] = ()
    error: ChaosprepError | None = None


def rehearse(
    stage: Stage[C, P],
    params: P,
    root: Path,
    output: Path,
    options: RunOptions = DEFAULTS,
    bench: Workbench | None = None,
) -> Rehearsal[C]:
    """Try every case that a run would work on, in processes of this machine, and write nothing.

    Args:
        stage: the step of the work.
        params: its parameters.
        root: where the cases are.
        output: the stage directory that would be made.
        options: how it would be run.
        bench: the workbench of the run, that beside its output where none is given.

    Raises:
        ChaosprepError: what `run` raises before it begins with the cases.
    """
    params = check_params(params)
    bench = bench or Workbench.beside(output, options.processes, on_workers)
    source = stage.open(root, params, bench.only_reading())
    params = stage.settle(params, source)
    source = stage.choose(source, params)
    check_request(stage, source, output, params, overwrite=options.overwrite, store=options.store)
    plan: Plan[C] = fresh_plan(stage, params, source, output, options.part, options.store)
    stage.ready(params, root, output, map(plan.complete, plan.cases), options)
    opens = opener(options, plan)
    if options.overwrite or not is_finished(output):
        tell = options.tell
        plan = with_learned(stage, params, plan, source.directory, opens, tell=tell, dry=True)
    if not options.overwrite:
        plan = compare(stage, params, plan)
    if plan.is_committed:
        return Rehearsal(plan, open_output(output).skipped)
    failed = list[Problem]()
    finished, total, slices = len(plan.done), len(plan.cases), len(plan.done)
    begun = Event("planned", stage.name, finished, total, problems=plan.problems, notes=plan.notes)
    options.tell(begun)
    with closing(work(stage, params, plan, source.directory, opens, dry=True)) as results:
        for told in results:
            finished, slices = finished + 1, slices + told.slices
            failed += told.problems
            said = finished, total, told.case, told.slices, told.problems
            options.tell(Event("failed" if told.problems else "done", stage.name, *said))
    try:
        problems = left_out(plan, failed, stage.name, options)
    except ProblemsError as error:
        return Rehearsal(plan, error.problems, error)
    nothing = None if slices or plan.part else nothing_left(stage.name)
    return Rehearsal(plan, problems, nothing)
